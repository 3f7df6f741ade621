"""Cases → notices: who must be told now, at once or by the ladder (P4, P6, P10, P11).

A notice is a row in the outbox, unique by case, level and recipient: a crash or a second worker tells nobody twice.
"""

from collections.abc import Sequence
from datetime import datetime

from monitor.domain.case import Case
from monitor.domain.deadline import share_of_window
from monitor.domain.people import unheld_roles
from monitor.domain.policy import LadderStep
from monitor.domain.rulebook import RuleBook
from monitor.store.store import Store, Transaction


def run(store: Store, book: RuleBook, now: datetime, limit: int = 200) -> int:
    """Take up to `limit` steps that are due; in how many cases."""
    with store.transaction() as tx:
        due = tx.cases.due_for_a_step(now, limit)
        for case in due:
            _step(tx, case, book, now)
    return len(due)


def _step(tx: Transaction, case: Case, book: RuleBook, now: datetime) -> None:
    """Tell whom the rules name at once, then whom the ladder names for every step that has passed.

    After an outage several steps may have passed together: each person gets the highest that is theirs.
    """
    ladder = book.policy.ladder(case.expects) if case.waiting else ()
    passed = _passed(case, ladder, now)
    if at_once := [role for role in case.tell if role not in case.told]:
        _tell(tx, case, book, {-case.raises: at_once}, now)
    if passed > case.level:
        _tell(
            tx,
            case,
            book,
            {level: _roles(case, ladder[level - 1]) for level in range(case.level + 1, passed + 1)},
            now,
        )
    tx.cases.stepped(
        case.id,
        told=tuple(dict.fromkeys((*case.told, *at_once))),
        level=passed,
        next_step_at=_time_of(case, ladder[passed]) if passed < len(ladder) else None,
    )


def _tell(tx: Transaction, case: Case, book: RuleBook, roles_at: dict[int, Sequence[str]], now: datetime) -> None:
    highest: dict[str, int] = {}
    unheld = set(unheld_roles(book.people))
    for level, roles in sorted(roles_at.items()):
        found = book.recipients(roles, case.accused)
        for role in set(found.unreached) & unheld:  # a holder who is accused is nobody else's business
            tx.health.problem(
                f"role {role}", f"nobody can be told as {role}: give somebody the role in people.yaml", now
            )
        if roles and not found.emails:
            tx.health.problem(f"case {case.id}", "nobody could be told: set outside_contact in policy.yaml", now)
        highest |= dict.fromkeys(found.emails, level)
    made = sum(tx.outbox.tell(case.id, level, [one], now) for one, level in highest.items())
    roles_told = sorted({role for roles in roles_at.values() for role in roles})
    tx.cases.log(case.id, "automatic", "told", {"level": max(roles_at), "roles": roles_told, "new": made}, now)


def _roles(case: Case, step: LadderStep) -> Sequence[str]:
    """A restricted case's reminders go to the people it is restricted to, and to nobody else."""
    return step.tell if case.visible_to is None else case.visible_to


def _passed(case: Case, ladder: Sequence[LadderStep], now: datetime) -> int:
    """How many steps of the ladder lie behind us; never fewer than were taken."""
    if case.deadline is None:
        return case.level
    return max([case.level, *(n for n, step in enumerate(ladder, 1) if _time_of(case, step) <= now)])


def _time_of(case: Case, step: LadderStep) -> datetime:
    assert case.deadline is not None
    return share_of_window(case.deadline, step.at)
