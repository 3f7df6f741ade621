"""Whether each source and stage is well: a colour, a word for it, and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.config import Config
from monitor.store.health import Heartbeat, Problem
from monitor.store.sources import SourceState

#: A stage that has not turned for this long is taken to stand still.
STAGE_SILENT = timedelta(minutes=10)
#: An account that is this much behind its next poll is late.
POLL_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """`colour` is green, amber or red; `word` says the same to who cannot tell colours."""

    colour: str
    word: str


GREEN = Light(colour="green", word="Well")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One account of the register and how reading it goes. `problem` is in words."""

    account: str
    name: str
    light: Light
    state: SourceState | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """All sources together: how many are read, which are not, and the oldest proven read among the others."""

    read: int
    troubled: tuple[Source, ...]
    oldest: datetime | None


def sources(
    config: Config, states: Sequence[SourceState], problems: Sequence[Problem], now: datetime
) -> list[Source]:
    """Every account of the register, those that cannot be used too, in its order."""
    by_account = {state.account: state for state in states}
    recorded = {problem.subject.removeprefix("account "): problem.message for problem in problems}
    unusable = recorded | dict(config.problems)
    names = {one.id: one.name for one in config.accounts} | {one: one for one in config.problems}
    return [_source(one, name, by_account.get(one), unusable.get(one), now) for one, name in names.items()]


def watch(found: Sequence[Source]) -> Watch:
    well = [source for source in found if source.light.colour == "green"]
    return Watch(
        read=len(well),
        troubled=tuple(source for source in found if source.light.colour != "green"),
        oldest=min((one.state.last_read_ok for one in well if one.state and one.state.last_read_ok), default=None),
    )


def stage(heartbeat: Heartbeat, now: datetime) -> Light:
    if now - heartbeat.at > STAGE_SILENT:
        return Light(colour="red", word="Silent")
    return GREEN


def _source(account: str, name: str, state: SourceState | None, unusable: str | None, now: datetime) -> Source:
    problem = unusable or (state.problem if state else None)
    return Source(account=account, name=name, light=_light(state, problem, now), state=state, problem=problem)


def _light(state: SourceState | None, problem: str | None, now: datetime) -> Light:
    if problem:
        return Light(colour="red", word="Not read")
    if state is None or state.last_read_ok is None:
        return Light(colour="amber", word="Not read yet")
    if state.next_poll_at is not None and state.next_poll_at + POLL_LATE < now:
        return Light(colour="amber", word="Late")
    return Light(colour="green", word="Read")
