"""Cases and their hash-chained history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update

from monitor.domain.case import Case, CaseEvent, CaseStatus, event_hash
from monitor.domain.deadline import Deadline
from monitor.domain.errors import NotFound
from monitor.domain.verdict import Action, Expects, Verdict
from monitor.store.rows import Repository
from monitor.store.tables import case_events, cases, items


def as_case(row: Any) -> Case:
    """A row of `cases`."""
    deadline = None
    if row.due_at is not None:
        deadline = Deadline(
            started_at=row.started_at,
            due_at=row.due_at,
            because=row.because,
            rule_version=row.rule_version,
            calendar_version=row.calendar_version,
        )
    return Case(
        id=row.id,
        school=row.school_id,
        item_id=row.item_id,
        action=Action(row.action),
        severity=row.severity,
        rank=row.rank,
        status=CaseStatus(row.status),
        expects=Expects(row.expects),
        rules=tuple(row.rules),
        tell=tuple(row.tell),
        visible_to=tuple(row.visible_to) if row.visible_to is not None else None,
        accused=tuple(row.accused),
        opened_at=row.opened_at,
        deadline=deadline,
        told=tuple(row.told),
        raises=row.raises,
        level=row.level,
        next_step_at=row.next_step_at,
        found_late=row.found_late,
        acknowledged_at=row.acknowledged_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        assignee=row.assignee,
    )


class Cases(Repository):
    def open(
        self,
        item_id: int,
        verdict: Verdict,
        deadline: Deadline | None,
        now: datetime,
        *,
        next_step_at: datetime | None,
    ) -> Case:
        """Open the one case of an item."""
        late = deadline is not None and deadline.due_at < now
        self._insert_new(
            cases,
            [
                {
                    "item_id": item_id,
                    "status": CaseStatus.OPEN.value,
                    "opened_at": now,
                    "found_late": late,
                    "told": [],
                    "next_step_at": next_step_at,
                    **_verdict_columns(verdict),
                    **_deadline_columns(deadline),
                }
            ],
        )
        case = self.for_item(item_id)
        assert case is not None
        detail = {"severity": verdict.severity, "rules": list(verdict.rules), "policy": verdict.policy_version}
        self.log(case.id, "automatic", "found_late" if late else "opened", detail, now)
        return case

    def get(self, case_id: int) -> Case:
        """Raises NotFound."""
        row = self._connection.execute(
            select(cases).where(cases.c.school_id == self._school, cases.c.id == case_id)
        ).first()
        if row is None:
            raise NotFound(f"there is no case {case_id}")
        return as_case(row)

    def for_item(self, item_id: int) -> Case | None:
        row = self._connection.execute(
            select(cases).where(cases.c.school_id == self._school, cases.c.item_id == item_id)
        ).first()
        return as_case(row) if row else None

    def raise_to(self, case: Case, verdict: Verdict, deadline: Deadline | None, now: datetime) -> None:
        """Give a case a graver verdict, and open it again: nobody has dealt with it as it reads now.

        The caller has made sure that it only ever gets more serious. An answer that was given stays recorded.
        """
        values: dict[str, Any] = {
            **_verdict_columns(verdict),
            "status": CaseStatus.OPEN.value,
            "acknowledged_at": None,
            "closed_at": None,
            "next_step_at": now,
        }
        if case.deadline is None:
            values |= _deadline_columns(deadline)
        if verdict.severity > case.severity:
            values |= {"told": [], "raises": case.raises + 1}
        self._update(case.id, **values)
        self.log(case.id, "automatic", "raised", {"severity": verdict.severity, "rules": list(verdict.rules)}, now)

    def due_for_a_step(self, now: datetime, limit: int) -> list[Case]:
        """Cases in which somebody must be told now, most serious first, locked against other workers."""
        query = (
            select(cases)
            .where(cases.c.school_id == self._school, cases.c.next_step_at <= now)
            .order_by(cases.c.severity.desc(), cases.c.next_step_at)
            .limit(limit)
        )
        return [as_case(row) for row in self._connection.execute(self._claim(query))]

    def stepped(self, case_id: int, *, told: Sequence[str], level: int, next_step_at: datetime | None) -> None:
        self._update(case_id, told=list(told), level=level, next_step_at=next_step_at)

    def set_status(self, case_id: int, status: CaseStatus, **times: datetime | None) -> None:
        """Write a status and any of acknowledged_at, answered_at, closed_at, next_step_at."""
        self._update(case_id, status=status.value, **times)

    def log(self, case_id: int, actor: str, kind: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Append to a case's history. Ids, numbers and hashes only."""
        last = self._connection.execute(
            select(case_events.c.seq, case_events.c.hash)
            .where(case_events.c.case_id == case_id)
            .order_by(case_events.c.seq.desc())
            .limit(1)
        ).first()
        seq, previous = (last.seq + 1, last.hash) if last else (1, "")
        digest = event_hash(
            case_id=case_id, seq=seq, at=now, actor=actor, kind=kind, detail=detail, previous=previous
        )
        self._connection.execute(
            case_events.insert().values(
                school_id=self._school,
                case_id=case_id,
                seq=seq,
                at=now,
                actor=actor,
                kind=kind,
                detail=dict(detail),
                previous=previous,
                hash=digest,
            )
        )

    def history(self, case_id: int) -> list[CaseEvent]:
        """A case's events, oldest first."""
        query = (
            select(case_events)
            .where(case_events.c.school_id == self._school, case_events.c.case_id == case_id)
            .order_by(case_events.c.seq)
        )
        names = CaseEvent.__dataclass_fields__
        return [
            CaseEvent(**{name: getattr(row, name) for name in names}) for row in self._connection.execute(query)
        ]

    def all(self) -> list[Case]:
        """Every case, oldest first."""
        query = select(cases).where(cases.c.school_id == self._school).order_by(cases.c.id)
        return [as_case(row) for row in self._connection.execute(query)]

    def earliest_step(self) -> datetime | None:
        """When the next step of any case is due."""
        query = select(func.min(cases.c.next_step_at)).where(cases.c.school_id == self._school)
        return self._connection.execute(query).scalar()

    def runs_on(self, account: str) -> bool:
        """Whether a case of an item of this account waits for more than a glance."""
        query = (
            select(cases.c.id)
            .join(items, items.c.id == cases.c.item_id)
            .where(
                cases.c.school_id == self._school,
                cases.c.status.in_((CaseStatus.OPEN.value, CaseStatus.ACKNOWLEDGED.value)),
                or_(cases.c.expects != Expects.GLANCE.value, cases.c.action != Action.IGNORE.value),
                items.c.account == account,
            )
            .limit(1)
        )
        return self._connection.execute(query).first() is not None

    def _update(self, case_id: int, **values: Any) -> None:
        self._connection.execute(
            update(cases).where(cases.c.school_id == self._school, cases.c.id == case_id).values(**values)
        )


def _verdict_columns(verdict: Verdict) -> dict[str, Any]:
    return {
        "action": verdict.action.value,
        "severity": verdict.severity,
        "rank": verdict.rank,
        "expects": verdict.expects.value,
        "rules": list(verdict.rules),
        "tell": list(verdict.tell),
        "visible_to": list(verdict.visible_to) if verdict.visible_to is not None else None,
        "accused": list(verdict.accused),
    }


def _deadline_columns(deadline: Deadline | None) -> dict[str, Any]:
    if deadline is None:
        return {}
    return {
        "started_at": deadline.started_at,
        "due_at": deadline.due_at,
        "because": deadline.because,
        "rule_version": deadline.rule_version,
        "calendar_version": deadline.calendar_version,
    }
