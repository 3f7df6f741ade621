"""Readings → verdicts and cases: applies the rule book, sets deadlines, and recognises answers (P2)."""

from dataclasses import replace
from datetime import datetime

from monitor.domain.case import NEEDS_DECISION, Case, CaseStatus
from monitor.domain.deadline import Deadline, deadline_for
from monitor.domain.item import AuthorKind
from monitor.domain.policy import tightest
from monitor.domain.rulebook import RuleBook
from monitor.domain.verdict import Action, Expects, Verdict
from monitor.store.items import StoredItem
from monitor.store.store import Store, Transaction

_STRENGTH = (Action.IGNORE, Action.REVIEW, Action.ESCALATE)
_CLAIM = (Expects.NOTHING, Expects.GLANCE, Expects.ANSWER)


def run(store: Store, book: RuleBook, now: datetime, limit: int = 200) -> int:
    """Judge up to `limit` waiting revisions, each in a transaction of its own; how many were judged."""
    with store.reading() as tx:
        waiting = tx.readings.waiting("triage", limit)
    judged = 0
    for one in waiting:
        with store.transaction() as tx:
            if tx.readings.hand_over(one.item.id, one.item.revision, "triage", None):
                _judge(tx, one.item, book, now)
                judged += 1
    return judged


def _judge(tx: Transaction, stored: StoredItem, book: RuleBook, now: datetime) -> None:
    reading = tx.readings.get(stored.id, stored.revision)
    if reading is None:
        raise LookupError(f"item {stored.id} reached triage without a reading")
    verdict = book.judge(stored.item, reading)
    tx.readings.save_verdict(stored.id, stored.revision, verdict, now)
    if stored.item.author.kind is AuthorKind.SCHOOL:
        _answers(tx, stored, now)
    elif not stored.history:
        _open_or_raise(tx, stored, verdict, book, now)


def _open_or_raise(tx: Transaction, stored: StoredItem, verdict: Verdict, book: RuleBook, now: datetime) -> None:
    case = tx.cases.for_item(stored.id)
    deadline = _deadline(stored, verdict, book)
    if case is None:
        if verdict.action is Action.IGNORE and verdict.expects is Expects.NOTHING:
            return
        case = tx.cases.open(stored.id, verdict, deadline, now, next_step_at=now)
        if (reply := tx.items.school_reply_to(stored.item.ref)) is not None:
            _answer(tx, case, stored, reply, now)
    else:
        worse = _worse(case, verdict)
        if worse is None:
            return
        tx.cases.raise_to(case, worse, deadline, now)
    if verdict.action is Action.ESCALATE:
        tx.evidence.want(case.id, stored.id, stored.revision, now)


def _deadline(stored: StoredItem, verdict: Verdict, book: RuleBook) -> Deadline | None:
    published_at = _published_at(stored)
    if verdict.expects is Expects.NOTHING or published_at is None:
        return None
    return deadline_for(published_at, book.calendar)


def _published_at(stored: StoredItem) -> datetime | None:
    """When an item was published; what a platform dates in the future was there when it was found."""
    return stored.item.published_at and min(stored.item.published_at, stored.detected_at)


def _worse(case: Case, verdict: Verdict) -> Verdict | None:
    """The case's old verdict and the new one of an edit or a second reading united, or None if that adds nothing.

    Nothing makes a case milder by itself: what was said was said, and what was doubted a person settles.
    """
    united = replace(
        verdict,
        action=max(case.action, verdict.action, key=_STRENGTH.index),
        severity=max(case.severity, verdict.severity),
        rank=min(case.rank, verdict.rank),
        rules=tuple(dict.fromkeys((*case.rules, *verdict.rules))),
        tell=tuple(dict.fromkeys((*case.tell, *verdict.tell))),
        visible_to=tightest([one for one in (case.visible_to, verdict.visible_to) if one is not None]),
        expects=max(case.expects, verdict.expects, key=_CLAIM.index),
        accused=tuple(dict.fromkeys((*case.accused, *verdict.accused))),
    )
    same = (
        united.action is case.action
        and united.severity == case.severity
        and set(united.rules) == set(case.rules)
        and united.expects is case.expects
        and united.visible_to == case.visible_to
        and set(united.accused) == set(case.accused)
    )
    return None if same else united


def _answers(tx: Transaction, reply: StoredItem, now: datetime) -> None:
    """The school wrote something: if it stands under a comment with a case, that is the answer."""
    if reply.item.parent is None or (parent := tx.items.find(reply.item.parent)) is None:
        return
    if (case := tx.cases.for_item(parent.id)) is not None:
        _answer(tx, case, parent, reply, now)


def _answer(tx: Transaction, case: Case, comment: StoredItem, reply: StoredItem, now: datetime) -> None:
    answered_at = reply.item.published_at or reply.detected_at
    published_at = _published_at(comment)
    too_early = published_at is not None and answered_at < published_at
    if too_early or case.answered_at is not None or case.status is CaseStatus.CLOSED:
        return
    keeps_open = case.severity >= NEEDS_DECISION
    tx.cases.set_status(case.id, case.status if keeps_open else CaseStatus.ANSWERED, answered_at=answered_at)
    tx.cases.log(case.id, "automatic", "answered", {"reply": reply.id, "platform_id": str(reply.item.ref)}, now)
