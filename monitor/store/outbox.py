"""The outbox: notices say who must be told, messages carry them, and each is done only once it was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update

from monitor.domain.case import Case
from monitor.domain.ports import Letter
from monitor.store.cases import as_case
from monitor.store.rows import Repository
from monitor.store.tables import cases, messages, notices


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotice:
    """A notice that no message carries yet, with its case."""

    id: int
    level: int
    recipient: str
    created_at: datetime
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One e-mail. `attempts` above 1 means that an earlier try may have got through."""

    id: int
    message_id: str
    recipient: str
    subject: str
    text: str
    html: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    sent_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNotice:
    """Who was told of a case, at which level, and when the mail server took it."""

    level: int
    recipient: str
    created_at: datetime
    message: int | None
    sent_at: datetime | None


class Outbox(Repository):
    def tell(self, case_id: int, level: int, recipients: Sequence[str], now: datetime) -> int:
        """Record that these people must be told; how many were not told of this case and level before."""
        return self._insert_new(
            notices,
            [
                {"case_id": case_id, "level": level, "recipient": one, "created_at": now}
                for one in dict.fromkeys(recipients)
            ],
        )

    def unbundled(self) -> list[PendingNotice]:
        """Notices that no message carries yet, by recipient, most serious first; locked against other workers."""
        query = (
            select(
                notices.c.id.label("notice_id"),
                notices.c.level.label("notice_level"),
                notices.c.recipient,
                notices.c.created_at,
                cases,
            )
            .join(cases, cases.c.id == notices.c.case_id)
            .where(notices.c.school_id == self._school, notices.c.message_row.is_(None))
            .order_by(notices.c.recipient, cases.c.severity.desc(), notices.c.id)
            .with_for_update(of=notices, skip_locked=True)
        )
        return [
            PendingNotice(
                id=row.notice_id,
                level=row.notice_level,
                recipient=row.recipient,
                created_at=row.created_at,
                case=as_case(row),
            )
            for row in self._connection.execute(query)
        ]

    def add(
        self, letter: Letter, *, message_id: str, recipient: str, now: datetime, carries: Sequence[int] = ()
    ) -> None:
        """Put a letter into the outbox as a message that carries these notices (ids)."""
        result = self._connection.execute(
            messages.insert().values(
                school_id=self._school,
                message_id=message_id,
                recipient=recipient,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                created_at=now,
                next_attempt_at=now,
            )
        )
        row = result.inserted_primary_key
        assert row is not None
        if carries:
            self._connection.execute(update(notices).where(notices.c.id.in_(carries)).values(message_row=row[0]))

    def claim(self, now: datetime, lease: timedelta) -> Message | None:
        """Take the next message that is due, for `lease`: a worker that dies loses it to the next one."""
        query = (
            select(messages)
            .where(
                messages.c.school_id == self._school,
                messages.c.sent_at.is_(None),
                messages.c.next_attempt_at <= now,
                or_(messages.c.lease_until.is_(None), messages.c.lease_until <= now),
            )
            .order_by(messages.c.next_attempt_at, messages.c.id)
            .limit(1)
        )
        row = self._connection.execute(self._claim(query)).first()
        if row is None:
            return None
        self._update(row.id, attempts=row.attempts + 1, lease_until=now + lease)
        return _message(row, attempts=row.attempts + 1)

    def sent(self, message: int, now: datetime) -> None:
        self._update(message, sent_at=now, lease_until=None, problem=None)

    def failed(self, message: int, problem: str, *, next_attempt_at: datetime) -> None:
        self._update(message, problem=problem, lease_until=None, next_attempt_at=next_attempt_at)

    def _update(self, message: int, **values: Any) -> None:
        self._connection.execute(update(messages).where(messages.c.id == message).values(**values))

    def messages(self, limit: int = 200) -> list[Message]:
        """The newest messages first."""
        query = (
            select(messages).where(messages.c.school_id == self._school).order_by(messages.c.id.desc()).limit(limit)
        )
        return [_message(row) for row in self._connection.execute(query)]

    def message(self, row_id: int) -> Message | None:
        query = select(messages).where(messages.c.school_id == self._school, messages.c.id == row_id)
        row = self._connection.execute(query).first()
        return _message(row) if row else None

    def unsent(self) -> int:
        """How many messages and unbundled notices still wait."""
        waiting = select(func.count()).select_from(messages)
        loose = select(func.count()).select_from(notices)
        mails = self._connection.execute(
            waiting.where(messages.c.school_id == self._school, messages.c.sent_at.is_(None))
        ).scalar_one()
        return (
            mails
            + self._connection.execute(
                loose.where(notices.c.school_id == self._school, notices.c.message_row.is_(None))
            ).scalar_one()
        )

    def notices_of(self, case_id: int) -> list[SentNotice]:
        """Everybody who was or must be told of a case, in order."""
        query = (
            select(notices, messages.c.sent_at)
            .outerjoin(messages, messages.c.id == notices.c.message_row)
            .where(notices.c.school_id == self._school, notices.c.case_id == case_id)
            .order_by(notices.c.id)
        )
        return [
            SentNotice(
                level=row.level,
                recipient=row.recipient,
                created_at=row.created_at,
                message=row.message_row,
                sent_at=row.sent_at,
            )
            for row in self._connection.execute(query)
        ]

    def carried(self, message_ids: Sequence[int]) -> dict[int, list[Case]]:
        """The cases that each of these messages tells of; a message that tells of none is left out."""
        query = (
            select(notices.c.message_row, cases)
            .join(cases, cases.c.id == notices.c.case_id)
            .where(notices.c.school_id == self._school, notices.c.message_row.in_(message_ids))
            .order_by(cases.c.id)
        )
        carried: dict[int, dict[int, Case]] = {}
        for row in self._connection.execute(query):
            carried.setdefault(row.message_row, {})[row.id] = as_case(row)
        return {message: list(found.values()) for message, found in carried.items()}

    def cases_in(self, message: int) -> list[int]:
        """The ids of the cases that a message tells of."""
        query = (
            select(notices.c.case_id)
            .where(notices.c.school_id == self._school, notices.c.message_row == message)
            .distinct()
        )
        return sorted(self._connection.execute(query).scalars())

    def count(self) -> int:
        """How many notices there are."""
        query = select(func.count()).select_from(notices).where(notices.c.school_id == self._school)
        return self._connection.execute(query).scalar_one()


def _message(row: Any, **changed: Any) -> Message:
    return Message(**{name: getattr(row, name) for name in Message.__dataclass_fields__} | changed)
