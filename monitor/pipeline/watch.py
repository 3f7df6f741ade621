"""What the readings left → problems of the sources, each with a text for a school secretary (P1, P16).

Each kind of fault is a problem of its own, under "account ID", "format ID", "cursor ID", "counts ID",
"access ID: WHAT" or "budget CREDENTIAL"; `failures` tells people of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain import source_health
from monitor.domain.account import Account
from monitor.domain.calendar import Calendar
from monitor.domain.source_health import Difference, Fault, SourceFacts
from monitor.store.access import as_access
from monitor.store.health import Problem
from monitor.store.sources import SourceState
from monitor.store.store import Store, Transaction
from monitor.store.threads import Reconciliation

#: The subjects that are this stage's to record and to clear.
TOPICS = ("account", "format", "cursor", "counts", "access", "budget")
#: A fault that goes on is written down this often.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The register. `unusable` are accounts that could not be connected, and why; `started` is this run's start."""

    accounts: tuple[Account, ...]
    unusable: Mapping[str, str]
    poll_every: timedelta
    started: datetime


def run(store: Store, watched: Watched, calendar: Calendar, now: datetime) -> int:
    """Record what is wrong with the sources, and what no longer is; how many problems are new, other or over."""
    with store.reading() as tx:
        sources = _sources(tx, watched, now)
        found = {fault.subject: fault for fault in _faults(tx, sources, watched, calendar, now)}
        known = {problem.subject: problem for problem in tx.health.problems() if problem.topic in TOPICS}
    # A quiet poll says nothing of the platform's format: what was said of it before stands.
    unjudged = {f"format {facts.id}" for facts in sources if not facts.shows_format}
    fresh = [fault for fault in found.values() if _is_news(fault, known.get(fault.subject), now)]
    over = known.keys() - found.keys() - unjudged
    if not fresh and not over:
        return 0
    with store.transaction() as tx:
        for fault in fresh:
            tx.health.problem(
                fault.subject, fault.text, now, headline=fault.headline, grade=fault.grade, since=fault.since
            )
        for subject in over:
            tx.health.cleared(subject, now)
    return len(over) + sum(not _is_same(fault, known.get(fault.subject)) for fault in fresh)


def _sources(tx: Transaction, watched: Watched, now: datetime) -> list[SourceFacts]:
    names = dict.fromkeys(watched.unusable, "") | {account.id: account.name for account in watched.accounts}
    counted = {one.account: one for one in tx.threads.differences(now)}
    credentials = {account.id: account.credential for account in watched.accounts}
    used_up = tx.spending.used_up()
    return [
        _facts(
            name or account_id,
            tx.sources.state(account_id),
            counted.get(account_id, Reconciliation(account=account_id)),
            tx.threads.differing(account_id),
            watched,
            used_up.get(credentials.get(account_id, "")),
        )
        for account_id, name in names.items()
    ]


def _facts(
    name: str,
    state: SourceState,
    counted: Reconciliation,
    differing: Sequence[Difference],
    watched: Watched,
    used_up_until: datetime | None,
) -> SourceFacts:
    return SourceFacts(
        id=state.account,
        name=name,
        started=watched.started,
        unusable=watched.unusable.get(state.account),
        last_read_ok=state.last_read_ok,
        next_poll_at=state.next_poll_at,
        problem=state.problem,
        problem_since=state.problem_since,
        refused=state.refused,
        coming=state.first_read_at is None and state.backfilled > 0,
        records=state.last_items,
        unreadable=state.last_rejects,
        stuck_polls=state.stuck_polls,
        unreadable_polls=state.unreadable_polls,
        used_up_until=used_up_until,
        counted=counted.total,
        held=counted.held,
        differences=differing,
        access=as_access(state.access),
    )


def _faults(
    tx: Transaction, sources: Sequence[SourceFacts], watched: Watched, calendar: Calendar, now: datetime
) -> Iterator[Fault]:
    for facts in sources:
        yield from source_health.faults(facts, watched.poll_every, calendar.zone, now)
    for spent in tx.spending.all(now):
        names = [account.name for account in watched.accounts if account.credential == spent.credential]
        if fault := source_health.budget_fault(spent, names, calendar.zone, now):
            yield fault


def _is_same(fault: Fault, known: Problem | None) -> bool:
    return known is not None and (known.headline, known.grade) == (fault.headline, fault.grade)


def _is_news(fault: Fault, known: Problem | None, now: datetime) -> bool:
    return known is None or not _is_same(fault, known) or known.last_at + SEEN_EVERY <= now
