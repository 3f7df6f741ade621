"""Captures that are wanted, and what they brought."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from monitor.domain.errors import NotFound
from monitor.domain.evidence import Evidence, EvidenceFile, Grade
from monitor.store.rows import Repository
from monitor.store.tables import evidence


class EvidenceShelf(Repository):
    def want(self, case_id: int, item_id: int, revision: str, now: datetime) -> None:
        """Ask for a capture of this wording, once."""
        self._insert_new(
            evidence,
            [
                {
                    "case_id": case_id,
                    "item_id": item_id,
                    "revision": revision,
                    "wanted_at": now,
                    "next_attempt_at": now,
                    "files": [],
                }
            ],
        )

    def claim(self, now: datetime, lease: timedelta) -> Evidence | None:
        """Take the next wanted capture for `lease`; a worker that dies loses it to the next one."""
        query = (
            select(evidence)
            .where(
                evidence.c.school_id == self._school,
                evidence.c.captured_at.is_(None),
                evidence.c.next_attempt_at <= now,
            )
            .order_by(evidence.c.wanted_at, evidence.c.id)
            .limit(1)
        )
        row = self._connection.execute(self._claim(query)).first()
        if row is None:
            return None
        self._update(row.id, attempts=row.attempts + 1, next_attempt_at=now + lease)
        return _evidence(row, attempts=row.attempts + 1)

    def captured(
        self,
        evidence_id: int,
        *,
        grade: Grade,
        reason: str,
        captured_at: datetime,
        files: Sequence[EvidenceFile],
        manifest_sha256: str | None,
    ) -> None:
        self._update(
            evidence_id,
            grade=grade.value,
            reason=reason,
            captured_at=captured_at,
            files=[asdict(file) for file in files],
            manifest_sha256=manifest_sha256,
        )

    def failed(self, evidence_id: int, reason: str, *, next_attempt_at: datetime) -> None:
        self._update(evidence_id, reason=reason, next_attempt_at=next_attempt_at)

    def _update(self, evidence_id: int, **values: Any) -> None:
        self._connection.execute(update(evidence).where(evidence.c.id == evidence_id).values(**values))

    def get(self, evidence_id: int) -> Evidence:
        """Raises NotFound."""
        row = self._connection.execute(
            select(evidence).where(evidence.c.school_id == self._school, evidence.c.id == evidence_id)
        ).first()
        if row is None:
            raise NotFound(f"there is no evidence {evidence_id}")
        return _evidence(row)

    def of_case(self, case_id: int) -> list[Evidence]:
        """A case's captures, oldest first, the wanted ones too."""
        query = (
            select(evidence)
            .where(evidence.c.school_id == self._school, evidence.c.case_id == case_id)
            .order_by(evidence.c.id)
        )
        return [_evidence(row) for row in self._connection.execute(query)]

    def count(self, *, captured: bool) -> int:
        """How many captures are done, or still wanted."""
        done = evidence.c.captured_at.is_not(None) if captured else evidence.c.captured_at.is_(None)
        query = select(func.count()).select_from(evidence).where(evidence.c.school_id == self._school, done)
        return self._connection.execute(query).scalar_one()


def _evidence(row: Any, **changed: Any) -> Evidence:
    values = {name: getattr(row, name) for name in Evidence.__dataclass_fields__} | changed
    values["grade"] = Grade(row.grade) if row.grade else None
    values["files"] = tuple(EvidenceFile(**file) for file in row.files)
    return Evidence(**values)
