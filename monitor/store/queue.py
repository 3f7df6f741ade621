"""What the desk and the digest read: cases with their items, most urgent first, and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from monitor.domain.case import NEEDS_DECISION, Case, CaseStatus
from monitor.domain.verdict import Action, Expects
from monitor.store.cases import as_case
from monitor.store.items import StoredItem, as_item
from monitor.store.rows import Repository
from monitor.store.tables import cases, items, readings, revisions, verdicts

_RUNNING = (CaseStatus.OPEN.value, CaseStatus.ACKNOWLEDGED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A case, its item, the labels that were read in it, and its language ("und" before it was read)."""

    case: Case
    item: StoredItem
    labels: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an item stands in: its case, the labels of its present wording, and every rule that ever matched it."""

    case: Case | None
    labels: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Figures of one moment or period; the case figures leave out those that only wait for a glance."""

    items: int
    cases: int
    open: int
    answered: int
    answered_late: int
    overdue: int
    glances: int
    glances_overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHistory:
    """What was read of an account: how much, back to when (UTC), how much of it is history, and grave history."""

    account: str
    items: int = 0
    oldest: datetime | None = None
    history: int = 0
    grave: int = 0


#: A case that only waits for a glance: nothing in it needs anybody yet.
_GLANCE = and_(cases.c.expects == Expects.GLANCE.value, cases.c.action == Action.IGNORE.value)


class Queue(Repository):
    def to_handle(self, now: datetime, limit: int = 200) -> list[QueueEntry]:
        """Open cases: the gravest first, then overdue, then what names or hurts somebody, then by deadline."""
        tier = case(
            (cases.c.severity >= NEEDS_DECISION, 0), (cases.c.due_at <= now, 1), (cases.c.severity >= 3, 2), else_=3
        )
        grave = cases.c.severity >= NEEDS_DECISION
        gravity = case((grave, cases.c.rank - cases.c.severity * 1000), else_=0)
        query = (
            self._select()
            .where(cases.c.status.in_(_RUNNING), ~_GLANCE)
            .order_by(tier, gravity, cases.c.due_at.is_(None), cases.c.due_at, cases.c.opened_at, cases.c.id)
            .limit(limit)
        )
        return self._entries(query)

    def to_glance(self, limit: int = 200) -> list[QueueEntry]:
        """Ordinary comments that wait for a person's glance, the next due first."""
        query = (
            self._select()
            .where(cases.c.status.in_(_RUNNING), _GLANCE)
            .order_by(cases.c.due_at, cases.c.id)
            .limit(limit)
        )
        return self._entries(query)

    def finished_since(self, since: datetime) -> list[int]:
        """The ids of cases answered or closed since then."""
        finished = func.coalesce(cases.c.closed_at, cases.c.answered_at)
        query = (
            select(cases.c.id)
            .where(cases.c.school_id == self._school, finished >= since, ~_GLANCE)
            .order_by(cases.c.id)
        )
        return list(self._connection.execute(query).scalars())

    def of(self, case_ids: Sequence[int]) -> list[QueueEntry]:
        """These cases, in the order given; ids that name none are left out."""
        found = {entry.case.id: entry for entry in self._entries(self._select().where(cases.c.id.in_(case_ids)))}
        return [found[case_id] for case_id in case_ids if case_id in found]

    def surroundings(self, item_ids: Sequence[int]) -> dict[int, Surroundings]:
        """What each of these items stands in."""
        if not item_ids:
            return {}
        rules: dict[int, dict[str, None]] = {}
        matched = select(verdicts.c.item_id, verdicts.c.rules).where(
            verdicts.c.school_id == self._school, verdicts.c.item_id.in_(item_ids)
        )
        for row in self._connection.execute(matched):
            rules.setdefault(row.item_id, {}).update(dict.fromkeys(row.rules))
        case_columns = [column.label(f"case_{column.name}") for column in cases.c]
        query = (
            select(items.c.id, readings.c.labels, *case_columns)
            .outerjoin(cases, cases.c.item_id == items.c.id)
            .outerjoin(readings, and_(readings.c.item_id == items.c.id, readings.c.revision == items.c.revision))
            .where(items.c.school_id == self._school, items.c.id.in_(item_ids))
        )
        return {
            row.id: Surroundings(
                case=as_case(_CaseRow(row)) if row.case_id is not None else None,
                labels=tuple(row.labels or ()),
                rules=tuple(rules.get(row.id, ())),
            )
            for row in self._connection.execute(query)
        }

    def histories(self) -> list[AccountHistory]:
        """Every account that anything was read of; grave is what a rule judged to need a person's decision."""
        grave = (
            select(verdicts.c.id)
            .where(verdicts.c.item_id == items.c.id, verdicts.c.severity >= NEEDS_DECISION)
            .exists()
        )
        query = (
            select(
                items.c.account,
                func.count().label("items"),
                func.min(items.c.published_at).label("oldest"),
                func.count().filter(items.c.history).label("history"),
                func.count().filter(and_(items.c.history, grave)).label("grave"),
            )
            .where(items.c.school_id == self._school)
            .group_by(items.c.account)
            .order_by(items.c.account)
        )
        names = AccountHistory.__dataclass_fields__
        return [
            AccountHistory(**{name: getattr(row, name) for name in names})
            for row in self._connection.execute(query)
        ]

    def _select(self) -> Select[Any]:
        case_columns = [column.label(f"case_{column.name}") for column in cases.c]
        return (
            select(items, revisions.c.text, revisions.c.raw, readings.c.labels, readings.c.language, *case_columns)
            .join(cases, cases.c.item_id == items.c.id)
            .join(revisions, and_(revisions.c.item_id == items.c.id, revisions.c.revision == items.c.revision))
            .outerjoin(readings, and_(readings.c.item_id == items.c.id, readings.c.revision == items.c.revision))
            .where(items.c.school_id == self._school)
        )

    def _entries(self, query: Select[Any]) -> list[QueueEntry]:
        return [
            QueueEntry(
                case=as_case(_CaseRow(row)),
                item=as_item(row),
                labels=tuple(row.labels or ()),
                language=row.language or "und",
            )
            for row in self._connection.execute(query)
        ]

    def counts(self, now: datetime) -> Counts:
        """Figures of everything stored."""
        mine = cases.c.school_id == self._school
        answered_late = cases.c.answered_at > cases.c.due_at
        overdue = and_(cases.c.status.in_(_RUNNING), cases.c.answered_at.is_(None), cases.c.due_at <= now)

        def count(*conditions: Any) -> Any:
            return func.count().filter(*conditions)

        row = self._connection.execute(
            select(
                count(~_GLANCE).label("cases"),
                count(~_GLANCE, cases.c.status.in_(_RUNNING)).label("open"),
                count(~_GLANCE, cases.c.answered_at.is_not(None)).label("answered"),
                count(~_GLANCE, answered_late).label("answered_late"),
                count(~_GLANCE, overdue).label("overdue"),
                count(_GLANCE, cases.c.status.in_(_RUNNING)).label("glances"),
                count(_GLANCE, overdue).label("glances_overdue"),
            ).where(mine)
        ).one()
        total = self._connection.execute(
            select(func.count()).select_from(items).where(items.c.school_id == self._school)
        ).scalar_one()
        return Counts(items=total, **row._mapping)


class _CaseRow:
    """The case's columns of a joined row, under their own names."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, f"case_{name}")
