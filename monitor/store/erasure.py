"""Giving up what an author deleted: the words and the name go, that there was something stays."""

from datetime import datetime

from sqlalchemy import and_, exists, or_, select, update

from monitor.domain.item import AuthorKind
from monitor.store.rows import Repository
from monitor.store.tables import case_events, cases, evidence, items, notices, readings, revisions

#: The event by which a case says why it keeps what its author deleted.
KEPT = "kept"


class Erasure(Repository):
    def due(self, gone_before: datetime, limit: int) -> list[int]:
        """The ids of items that went before then, longest first, and of which nothing was decided yet.

        What still waits for a stage, or for a better reading, is left out, and so is what the school itself wrote;
        so is what a case has said that it keeps.
        """
        waits = or_(
            exists().where(revisions.c.item_id == items.c.id, revisions.c.awaits.is_not(None)),
            exists().where(readings.c.item_id == items.c.id, readings.c.provisional),
        )
        kept = exists().where(
            cases.c.school_id == items.c.school_id,
            cases.c.item_id == items.c.id,
            case_events.c.case_id == cases.c.id,
            case_events.c.kind == KEPT,
        )
        query = (
            select(items.c.id)
            .where(
                items.c.school_id == self._school,
                items.c.gone_at <= gone_before,
                items.c.erased_at.is_(None),
                items.c.author_kind != AuthorKind.SCHOOL.value,
                ~waits,
                ~kept,
            )
            .order_by(items.c.gone_at, items.c.id)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def proves_something(self, case_id: int) -> bool:
        """Whether somebody was told of a case, or evidence of it is wanted or kept."""
        found = select(
            or_(exists().where(notices.c.case_id == case_id), exists().where(evidence.c.case_id == case_id))
        )
        return bool(self._connection.execute(found).scalar())

    def erase(self, item_id: int, now: datetime) -> bool:
        """Give up the words of a gone item in all its revisions, and who wrote them. False if it has come back."""
        mine = and_(items.c.school_id == self._school, items.c.id == item_id)
        result = self._connection.execute(
            update(items)
            .where(mine, items.c.gone_at.is_not(None), items.c.erased_at.is_(None))
            .values(author_id="", author_handle="", author_name="", url="", attachments=[], erased_at=now)
        )
        if not result.rowcount:
            return False
        self._connection.execute(update(revisions).where(revisions.c.item_id == item_id).values(text="", raw={}))
        self._connection.execute(
            update(readings).where(readings.c.item_id == item_id).values(names=[], names_doubt=[], spans=[])
        )
        return True
