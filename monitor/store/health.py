"""What is wrong, and when each stage last turned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update

from monitor.store.rows import Repository
from monitor.store.tables import digests, heartbeats, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something is ill: since when, how often seen, whether it is over, and when somebody was told by mail.

    The subject's first word is what kind of thing is ill ("account", "mail"), the rest which of them. `headline`
    says what is wrong in a few words that stay the same while it lasts; `grade` is "red" or "amber" where people
    are told of it.
    """

    subject: str
    message: str
    headline: str
    grade: str
    first_at: datetime
    last_at: datetime
    times: int
    cleared_at: datetime | None
    told_at: datetime | None

    @property
    def topic(self) -> str:
        return self.subject.partition(" ")[0]

    @property
    def stops_reading(self) -> bool:
        """Whether its account is not read while it lasts."""
        return self.topic == "account" or (self.topic == "budget" and self.grade == "red")

    def is_about(self, account: str, credential: str = "") -> bool:
        """Whether it is one of this account's, or of the credential that it reads with."""
        whose = self.subject.removeprefix(f"{self.topic} ")
        return whose == credential if self.topic == "budget" else whose.partition(":")[0] == account


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    stage: str
    at: datetime
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDigest:
    """The figures of one local day's digest, as pipeline.digest wrote them."""

    day: str
    made_at: datetime
    figures: dict[str, Any]


class Health(Repository):
    def problem(
        self,
        subject: str,
        message: str,
        now: datetime,
        *,
        headline: str = "",
        grade: str = "",
        since: datetime | None = None,
    ) -> None:
        """Record that `subject` is ill. Seen again, it keeps the time it began, unless `since` knows better.

        With another headline, or red where it was amber, it has taken a turn that people are told of anew.
        """
        known = self._connection.execute(
            select(problems).where(problems.c.school_id == self._school, problems.c.subject == subject)
        ).first()
        goes_on = known is not None and known.cleared_at is None
        same = known is not None and known.headline == headline and (known.grade == grade or grade != "red")
        self._upsert(
            problems,
            {"subject": subject},
            message=message,
            headline=headline,
            grade=grade,
            told_at=known.told_at if known and same else None,
            first_at=since or (known.first_at if known and goes_on else now),
            last_at=now,
            times=known.times + 1 if known and goes_on else 1,
            cleared_at=None,
        )

    def cleared(self, subject: str, now: datetime) -> None:
        """`subject` is well again."""
        self._connection.execute(
            update(problems)
            .where(
                problems.c.school_id == self._school,
                problems.c.subject == subject,
                problems.c.cleared_at.is_(None),
            )
            .values(cleared_at=now)
        )

    def start_afresh(self, now: datetime) -> None:
        """Forget how the last run's accounts and stages went: what is still ill will say so again."""
        self._connection.execute(
            update(problems)
            .where(
                problems.c.school_id == self._school,
                problems.c.cleared_at.is_(None),
                or_(problems.c.subject.startswith("account "), problems.c.subject.startswith("poll ")),
            )
            .values(cleared_at=now)
        )
        self._connection.execute(delete(heartbeats).where(heartbeats.c.school_id == self._school))

    def problems(self) -> list[Problem]:
        """What is ill now, longest first."""
        query = (
            select(problems)
            .where(problems.c.school_id == self._school, problems.c.cleared_at.is_(None))
            .order_by(problems.c.first_at)
        )
        return [_row(Problem, row) for row in self._connection.execute(query)]

    def to_tell(self) -> list[Problem]:
        """What people are to be told of, or were told of and do not know yet to be over."""
        query = (
            select(problems)
            .where(
                problems.c.school_id == self._school,
                problems.c.grade != "",
                or_(problems.c.cleared_at.is_(None), problems.c.told_at.is_not(None)),
            )
            .order_by(problems.c.grade.desc(), problems.c.first_at, problems.c.id)
        )
        return [_row(Problem, row) for row in self._connection.execute(query)]

    def problem_of(self, subject: str) -> Problem | None:
        """What was last wrong with `subject`, over or not."""
        query = select(problems).where(problems.c.school_id == self._school, problems.c.subject == subject)
        row = self._connection.execute(query).first()
        return _row(Problem, row) if row else None

    def told(self, problem: Problem, at: datetime | None) -> bool:
        """People are told at `at` (UTC) of this problem; with None, that it is over. False if they were already."""
        result = self._connection.execute(
            update(problems)
            .where(
                problems.c.school_id == self._school,
                problems.c.subject == problem.subject,
                problems.c.told_at == problem.told_at,
            )
            .values(told_at=at)
        )
        return result.rowcount == 1

    def beat(self, stage: str, done: int, now: datetime) -> None:
        self._upsert(heartbeats, {"stage": stage}, at=now, done=done)

    def heartbeats(self) -> list[Heartbeat]:
        query = select(heartbeats).where(heartbeats.c.school_id == self._school).order_by(heartbeats.c.id)
        return [_row(Heartbeat, row) for row in self._connection.execute(query)]

    def save_digest(self, day: str, figures: dict[str, Any], now: datetime) -> bool:
        """Keep the digest of a day; False if there is one already."""
        return bool(self._insert_new(digests, [{"day": day, "figures": figures, "made_at": now}]))

    def digests(self, limit: int = 60) -> list[StoredDigest]:
        """The newest first."""
        query = (
            select(digests).where(digests.c.school_id == self._school).order_by(digests.c.day.desc()).limit(limit)
        )
        return [_row(StoredDigest, row) for row in self._connection.execute(query)]


def _row(model: Any, row: Any) -> Any:
    return model(**{name: getattr(row, name) for name in model.__dataclass_fields__})
