"""The queues in front of classify and triage, and what those stages said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update

from monitor.domain.verdict import Comment, NameHit, Reading, Span, Verdict
from monitor.store.items import StoredItem, as_item
from monitor.store.rows import Repository
from monitor.store.tables import items, readings, revisions, verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A revision that waits for a stage, as its item stood with that wording, and the text it answers."""

    item: StoredItem
    parent_text: str | None

    @property
    def comment(self) -> Comment:
        """What a classifier may know of it."""
        item = self.item.item
        return Comment(text=item.text, parent=self.parent_text, platform=item.ref.platform, channel=item.channel)


class Readings(Repository):
    def waiting(self, stage: str, limit: int) -> list[Waiting]:
        """The oldest revisions that wait for `stage` ("classify" or "triage")."""
        return self._waiting(self._revisions().where(revisions.c.awaits == stage), limit)

    def provisional(self, limit: int) -> list[Waiting]:
        """The oldest revisions that have only a provisional reading, which was judged, and are to be read again."""
        return self._waiting(
            self._revisions()
            .join(readings, _READING_OF_REVISION)
            .where(readings.c.school_id == self._school, readings.c.provisional, revisions.c.awaits.is_(None)),
            limit,
        )

    def count_provisional(self) -> int:
        """How many readings are to be made again."""
        query = select(func.count()).where(readings.c.school_id == self._school, readings.c.provisional)
        return self._connection.execute(query).scalar_one()

    def latest(self, limit: int) -> list[Waiting]:
        """The items that were read last, as they are worded now, the newest first; none waits for its reading."""
        query = (
            self._revisions()
            .join(readings, _READING_OF_REVISION)
            .where(readings.c.school_id == self._school, revisions.c.revision == items.c.revision)
        )
        return self._waiting(query, limit, revisions.c.id.desc())

    def _waiting(self, query: Select[Any], limit: int, order: ColumnElement[int] = revisions.c.id) -> list[Waiting]:
        rows = self._connection.execute(query.order_by(order).limit(limit))
        return [Waiting(item=as_item(row), parent_text=row.above) for row in rows]

    def _revisions(self) -> Select[Any]:
        """This school's revisions with their items and the text that each answers."""
        parent = items.alias("parent")
        parent_words = revisions.alias("parent_words")
        columns = [column for column in items.c if column.name != "revision"]
        return (
            select(
                *columns,
                revisions.c.revision,
                revisions.c.text,
                revisions.c.raw,
                parent_words.c.text.label("above"),
            )
            .join(revisions, revisions.c.item_id == items.c.id)
            .outerjoin(
                parent,
                and_(
                    parent.c.school_id == items.c.school_id,
                    parent.c.platform == items.c.platform,
                    parent.c.native_id == items.c.parent,
                ),
            )
            .outerjoin(
                parent_words,
                and_(parent_words.c.item_id == parent.c.id, parent_words.c.revision == parent.c.revision),
            )
            .where(revisions.c.school_id == self._school)
        )

    def save(
        self, rows: Sequence[tuple[int, str, Reading]], *, classifier: str, version: str, now: datetime
    ) -> int:
        """Keep readings of (item id, revision) and pass those revisions on to triage; how many were new."""
        return sum(self._save(*row, classifier=classifier, version=version, now=now) for row in rows)

    def _save(
        self, item_id: int, revision: str, reading: Reading, *, classifier: str, version: str, now: datetime
    ) -> bool:
        if not self.hand_over(item_id, revision, "classify", "triage"):
            return False
        key = {"item_id": item_id, "revision": revision}
        self._insert_new(readings, [key | _columns(reading, classifier, version, now)])
        return True

    def replace(
        self, item_id: int, revision: str, reading: Reading, *, classifier: str, version: str, now: datetime
    ) -> bool:
        """Put a reading in the place of a provisional one and pass the revision on to triage again.

        False if another worker already did.
        """
        if not self.hand_over(item_id, revision, None, "triage"):
            return False
        self._connection.execute(
            update(readings)
            .where(
                readings.c.school_id == self._school,
                readings.c.item_id == item_id,
                readings.c.revision == revision,
            )
            .values(**_columns(reading, classifier, version, now))
        )
        return True

    def hand_over(self, item_id: int, revision: str, stage: str | None, following: str | None) -> bool:
        """Pass a revision from `stage` to the next (None: none). False if another worker already did."""
        result = self._connection.execute(
            update(revisions)
            .where(
                revisions.c.school_id == self._school,
                revisions.c.item_id == item_id,
                revisions.c.revision == revision,
                revisions.c.awaits == stage,
            )
            .values(awaits=following)
        )
        return result.rowcount == 1

    def get(self, item_id: int, revision: str) -> Reading | None:
        query = select(readings).where(
            readings.c.school_id == self._school,
            readings.c.item_id == item_id,
            readings.c.revision == revision,
        )
        row = self._connection.execute(query).first()
        return _reading(row) if row else None

    def made_by(self, item_id: int, revision: str) -> str | None:
        """The version of the classifier that made a reading."""
        query = select(readings.c.version).where(
            readings.c.school_id == self._school,
            readings.c.item_id == item_id,
            readings.c.revision == revision,
        )
        return self._connection.execute(query).scalar()

    def save_verdict(self, item_id: int, revision: str, verdict: Verdict, now: datetime) -> None:
        """Keep a verdict beside those of earlier readings and rule books."""
        self._connection.execute(
            verdicts.insert().values(
                school_id=self._school,
                item_id=item_id,
                revision=revision,
                action=verdict.action.value,
                severity=verdict.severity,
                rules=list(verdict.rules),
                policy_version=verdict.policy_version,
                decided_at=now,
            )
        )

    def count_waiting(self) -> dict[str, int]:
        """How many revisions wait for each stage."""
        query = (
            select(revisions.c.awaits, func.count())
            .where(revisions.c.school_id == self._school, revisions.c.awaits.is_not(None))
            .group_by(revisions.c.awaits)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}


_READING_OF_REVISION = and_(readings.c.item_id == revisions.c.item_id, readings.c.revision == revisions.c.revision)


def _columns(reading: Reading, classifier: str, version: str, now: datetime) -> dict[str, Any]:
    return {
        "classifier": classifier,
        "version": version,
        "scores": dict(reading.scores),
        "labels": list(reading.labels),
        "doubt": list(reading.doubt),
        "names": [_name_document(hit) for hit in reading.names],
        "names_doubt": list(reading.names_doubt),
        "spans": [[span.start, span.end, span.label] for span in reading.spans],
        "language": reading.language,
        "provisional": reading.provisional,
        "read_at": now,
    }


def _name_document(hit: NameHit) -> dict[str, Any]:
    return {
        "person": hit.person,
        "start": hit.start,
        "end": hit.end,
        "score": hit.score,
        "ambiguous_with": list(hit.ambiguous_with),
    }


def _reading(row: Any) -> Reading:
    return Reading(
        scores=row.scores,
        labels=tuple(row.labels),
        doubt=tuple(row.doubt),
        names=tuple(NameHit(**{**hit, "ambiguous_with": tuple(hit["ambiguous_with"])}) for hit in row.names),
        names_doubt=tuple(row.names_doubt),
        language=row.language,
        spans=tuple(Span(start=start, end=end, label=label) for start, end, label in row.spans),
        provisional=row.provisional,
    )
