"""Whether each source and stage is well: a colour, a word for it, and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.config import Config
from monitor.domain.account import Access, Account
from monitor.domain.source_health import Difference
from monitor.domain.spending import Spent
from monitor.store.access import as_access
from monitor.store.health import Heartbeat, Problem
from monitor.store.sources import SourceState
from monitor.store.threads import Reconciliation

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
_ORDER = ("green", "amber", "red")
_NOT_READ = Light(colour="red", word="Not read")
#: What a problem of a source is called, by the first word of its subject.
_WORDS: Mapping[str, str] = {
    "account": "Not read",
    "format": "Not understood",
    "cursor": "Stuck",
    "counts": "Counts differ",
    "access": "Access",
    "budget": "Spending",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store knows of the sources."""

    states: Sequence[SourceState]
    problems: Sequence[Problem]
    counted: Sequence[Reconciliation] = ()
    #: Account -> the posts where its counts differ.
    differences: Mapping[str, Sequence[Difference]] = field(default_factory=dict)
    spending: Sequence[Spent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One account of the register and how reading it goes.

    `faults` are its recorded problems with their lights, the reddest first; `problem` is why it is not read where
    that is not yet recorded. `is_read` says that it is being read, whatever else is wrong.
    """

    account: str
    name: str
    light: Light
    is_read: bool
    state: SourceState | None
    problem: str | None
    faults: Sequence[tuple[Light, Problem]]
    counted: Reconciliation
    differences: Sequence[Difference]
    spending: Sequence[Spent]

    @property
    def access(self) -> Access:
        return as_access(self.state.access if self.state else None)

    @property
    def interval(self) -> timedelta | None:
        """How often it is read at present; None while that is not known, or it fails."""
        if self.state is None or self.state.problem or not self.state.last_read_ok or not self.state.next_poll_at:
            return None
        return self.state.next_poll_at - self.state.last_read_ok

    def said(self, problem: Problem) -> str:
        """A fault's headline beneath the source's own name, which many begin with; a budget names all it is for."""
        beginning = f"{self.name}: " if problem.headline.startswith(f"{self.name}: ") else f"{self.name} "
        return problem.headline if problem.topic == "budget" else problem.headline.removeprefix(beginning)

    @property
    def first_reading(self) -> bool:
        """Whether its first reading is on its way."""
        return self.state is not None and self.state.first_read_at is None and self.state.backfilled > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """All sources: how many are read, which are not, which are but need somebody, and the oldest proven read."""

    read: int
    troubled: tuple[Source, ...]
    warned: tuple[Source, ...]
    oldest: datetime | None


def sources(config: Config, known: Known, now: datetime) -> list[Source]:
    """Every account of the register, those that cannot be used too, in its order."""
    states = {state.account: state for state in known.states}
    counted = {one.account: one for one in known.counted}
    accounts: dict[str, Account | None] = {account.id: account for account in config.accounts}
    found = []
    for account_id, account in {**accounts, **{one: accounts.get(one) for one in config.problems}}.items():
        state = states.get(account_id)
        recorded = [
            (Light(colour=one.grade or "red", word=_WORDS[one.topic]), one)
            for one in known.problems
            if one.topic in _WORDS and one.is_about(account_id, account.credential if account else "")
        ]
        faults = sorted(recorded, key=lambda one: -_ORDER.index(one[0].colour))
        unread = any(one.topic == "account" for _, one in faults)
        told = any(one.stops_reading for _, one in faults)
        unusable = None if unread else config.problems.get(account_id)
        reading = _NOT_READ if unread or unusable else _reading(state, now)
        found.append(
            Source(
                account=account_id,
                name=account.name if account else account_id,
                light=_worst(reading, [light for light, _ in faults]),
                is_read=reading.colour == "green" and not told,
                state=state,
                problem=unusable or (state.problem if state and not told else None),
                faults=faults,
                counted=counted.get(account_id, Reconciliation(account=account_id)),
                differences=known.differences.get(account_id, ()),
                spending=[one for one in known.spending if account and one.credential == account.credential],
            )
        )
    return found


def watch(found: Sequence[Source]) -> Watch:
    read = [source for source in found if source.is_read]
    return Watch(
        read=len(read),
        troubled=tuple(source for source in found if not source.is_read),
        warned=tuple(source for source in read if source.light.colour != "green"),
        oldest=min((one.state.last_read_ok for one in read if one.state and one.state.last_read_ok), default=None),
    )


def stage(heartbeat: Heartbeat, now: datetime) -> Light:
    if now - heartbeat.at > STAGE_SILENT:
        return Light(colour="red", word="Silent")
    return GREEN


def _reading(state: SourceState | None, now: datetime) -> Light:
    """Whether it is read, whatever else may be wrong with it."""
    if state is None:
        return Light(colour="amber", word="Not read yet")
    if state.problem:
        hiccup = state.last_read_ok is not None and not state.refused
        return Light(colour="amber", word="Trying again") if hiccup else _NOT_READ
    if state.last_read_ok is None:
        return Light(colour="amber", word="First reading" if state.backfilled else "Not read yet")
    if state.next_poll_at is not None and state.next_poll_at + POLL_LATE < now:
        return Light(colour="amber", word="Late")
    return Light(colour="green", word="Read")


def _worst(reading: Light, others: Sequence[Light]) -> Light:
    """The reddest; among equals whether it is read goes first."""
    return max([reading, *others], key=lambda light: _ORDER.index(light.colour))
