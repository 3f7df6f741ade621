"""Everything → the daily digest: what needs somebody now, what was handled, and proof that we were watching (P1).

The figures are kept; the page and the e-mail are both made from them, so that they never disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any

from monitor.domain.account import Account
from monitor.domain.clock import format_instant
from monitor.domain.policy import Policy
from monitor.domain.ports import Letters
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.store.sources import SourceState
from monitor.store.store import Store, Transaction

#: An account not read for this long, and not due until lately, is named as a gap.
STALE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """When the digest is made, in school time, and for which accounts it must prove that they were read."""

    at: time
    accounts: tuple[Account, ...]
    problems: Mapping[str, str]


def run(store: Store, letters: Letters, book: RuleBook, sender: Sender, edition: Edition, now: datetime) -> int:
    """Make today's digest once its time has come, and put it into the outbox; how many messages that made."""
    local = book.calendar.local(now)
    if local.time() < edition.at:
        return 0
    with store.reading() as tx:
        last = tx.health.digests(limit=1)
    if last and last[0].day >= local.date().isoformat():
        return 0
    with store.transaction() as tx:
        figures = figures_at(tx, edition, book.policy, now)
        if not tx.health.save_digest(local.date().isoformat(), figures, now):
            return 0
        letter = letters.write("digest", sender=sender, day=local, figures=figures)
        recipients = book.recipients(book.policy.book.digest, accused=()).emails
        for recipient in recipients:
            tx.outbox.add(letter, message_id=sender.new_message_id(), recipient=recipient, now=now)
    return len(recipients)


def figures_at(tx: Transaction, edition: Edition, policy: Policy, now: datetime) -> dict[str, Any]:
    """The digest's figures since the last one (a day at most): counts, case ids and sources; no comment text."""
    last = tx.health.digests(limit=1)
    since = max(last[0].made_at, now - timedelta(days=1)) if last else now - timedelta(days=1)
    to_handle = tx.queue.to_handle(now)
    classifier = tx.health.problem_of("classifier")
    return {
        "since": format_instant(since),
        "until": format_instant(now),
        "counts": asdict(tx.queue.counts(now)),
        "read": tx.items.count(since),
        "needs_you": [entry.case.id for entry in to_handle],
        "overdue": [entry.case.id for entry in to_handle if entry.case.overdue(now)],
        #: Case id -> the language in which it was written, where the classifier does not read that.
        "unread": {str(entry.case.id): entry.language for entry in to_handle if not policy.reads(entry.language)},
        "failing": classifier.message if classifier and classifier.cleared_at is None else None,
        "handled": tx.queue.finished_since(since),
        "lookalikes": tx.lookalikes.undecided(),
        "sources": _sources(tx, edition, now),
    }


def _sources(tx: Transaction, edition: Edition, now: datetime) -> Sequence[Mapping[str, Any]]:
    states = {state.account: state for state in tx.sources.states()}
    ills = [one for one in tx.health.problems() if one.grade]
    rows: list[Mapping[str, Any]] = []
    for account in edition.accounts:
        state = states.get(account.id)
        read = state.last_read_ok if state else None
        faults = [one for one in ills if one.is_about(account.id, account.credential)]
        unread = next((one.message for one in faults if one.stops_reading), None)
        rows.append(
            {
                "account": account.id,
                "name": account.name,
                "last_read_ok": format_instant(read) if read else None,
                "gap": _is_gap(state, now),
                "problem": edition.problems.get(account.id) or unread or (state.problem if state else None),
                "faults": [one.headline for one in faults if not one.stops_reading],
                "items": state.items if state else 0,
            }
        )
    broken: list[Mapping[str, Any]] = [
        {
            "account": name,
            "name": name,
            "last_read_ok": None,
            "gap": True,
            "problem": text,
            "faults": [],
            "items": 0,
        }
        for name, text in edition.problems.items()
        if name not in {account.id for account in edition.accounts}
    ]
    return [*rows, *broken]


def _is_gap(state: SourceState | None, now: datetime) -> bool:
    """Whether an account was never read, or not when it should have been; a quiet one is left alone for hours."""
    if state is None or state.last_read_ok is None:
        return True
    planned = state.last_read_ok if state.problem else state.next_poll_at or state.last_read_ok
    return max(planned, state.last_read_ok) + STALE < now
