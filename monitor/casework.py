"""What people do with cases. The desk and the command line call it; every act is one transaction and one event.
What they decide of accounts in the school's name stands here too.

No act stops the clock of a case that expects an answer, but for `close` with the decision "replied": acknowledging
says that a person has seen it (DESIGN 2).
"""

from collections.abc import Sequence
from datetime import datetime

from monitor.domain.case import Case, CaseStatus, Decision, check_transition
from monitor.domain.errors import TransitionError
from monitor.domain.lookalike import LookalikeDecision
from monitor.domain.verdict import Action, Expects
from monitor.store.store import Store, Transaction


def acknowledge(store: Store, case_id: int, *, actor: str, now: datetime) -> None:
    """A person has seen the case. Raises NotFound or TransitionError."""
    with store.transaction() as tx:
        case = tx.cases.get(case_id)
        check_transition(case.status, CaseStatus.ACKNOWLEDGED)
        tx.cases.set_status(case_id, CaseStatus.ACKNOWLEDGED, acknowledged_at=now)
        tx.cases.log(case_id, actor, "acknowledged", {}, now)


def close(store: Store, case_id: int, decision: Decision, *, actor: str, now: datetime) -> None:
    """A person decided and the case is over. Raises NotFound or TransitionError."""
    with store.transaction() as tx:
        _close(tx, tx.cases.get(case_id), decision, actor, now)


def reopen(store: Store, case_id: int, *, actor: str, now: datetime) -> None:
    """Undo a closing or an answer that was none; the deadline stays what it was."""
    with store.transaction() as tx:
        case = tx.cases.get(case_id)
        check_transition(case.status, CaseStatus.OPEN)
        tx.cases.set_status(
            case_id, CaseStatus.OPEN, acknowledged_at=None, answered_at=None, closed_at=None, next_step_at=now
        )
        tx.cases.log(case_id, actor, "reopened", {}, now)


def glance(store: Store, case_ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """A person has seen these ordinary comments; how many were still waiting. All or none.

    Raises TransitionError for a case that needs more than a glance.
    """
    seen = 0
    with store.transaction() as tx:
        for case_id in case_ids:
            case = tx.cases.get(case_id)
            if case.expects is not Expects.GLANCE or case.action is not Action.IGNORE:
                raise TransitionError(f"case {case_id} needs more than a glance: open it and decide")
            if case.status is not CaseStatus.CLOSED:
                _close(tx, case, Decision.GLANCED, actor, now)
                seen += 1
    return seen


def judge_lookalike(
    store: Store, lookalike_id: int, decision: LookalikeDecision, *, note: str, actor: str, now: datetime
) -> None:
    """A person says what an account in the school's name is; they may think better of it. Raises NotFound."""
    with store.transaction() as tx:
        tx.lookalikes.decide(lookalike_id, decision, note=note, actor=actor, now=now)


def _close(tx: Transaction, case: Case, decision: Decision, actor: str, now: datetime) -> None:
    check_transition(case.status, CaseStatus.CLOSED)
    times = {"closed_at": now, "next_step_at": None}
    if decision is Decision.REPLIED and case.answered_at is None:
        times["answered_at"] = now
    tx.cases.set_status(case.id, CaseStatus.CLOSED, **times)
    tx.cases.log(case.id, actor, "closed", {"decision": decision.value}, now)
