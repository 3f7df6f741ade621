"""What tells whether everything was read: the platforms' counts beside ours, history, and what is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from monitor.domain.source_health import Difference, Spent
from monitor.store.rows import Repository
from monitor.store.tables import items, spending, threads

#: Of an account's differing threads, how many are told apart.
SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Comments below an account's posts by the platform's count and by ours, and the posts where they differ."""

    counted: int = 0
    held: int = 0
    differences: Sequence[Difference] = ()


class Completeness(Repository):
    def counted(self) -> dict[str, Counted]:
        """Each account's counts; accounts none of whose posts was counted are left out."""
        query = (
            select(threads.c.account, func.sum(threads.c.total), func.sum(threads.c.held))
            .where(threads.c.school_id == self._school, threads.c.total.is_not(None), threads.c.held.is_not(None))
            .group_by(threads.c.account)
        )
        return {
            account: Counted(counted=total, held=held, differences=self._differences(account))
            for account, total, held in self._connection.execute(query).all()
        }

    def history(self) -> dict[str, int]:
        """How many of each account's items are from before the school began."""
        query = (
            select(items.c.account, func.count())
            .where(items.c.school_id == self._school, items.c.history)
            .group_by(items.c.account)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def spending(self, now: datetime) -> list[Spent]:
        """What every budget's present period has cost so far."""
        query = (
            select(spending)
            .where(spending.c.school_id == self._school, spending.c.ends_at > now)
            .order_by(spending.c.credential)
        )
        names = Spent.__dataclass_fields__
        return [Spent(**{name: getattr(row, name) for name in names}) for row in self._connection.execute(query)]

    def _differences(self, account: str) -> list[Difference]:
        """The longest first."""
        query = (
            select(threads, items.c.url)
            .outerjoin(
                items,
                and_(
                    items.c.school_id == threads.c.school_id,
                    items.c.platform == threads.c.platform,
                    items.c.native_id == threads.c.native_id,
                ),
            )
            .where(
                threads.c.school_id == self._school,
                threads.c.account == account,
                threads.c.differs_since.is_not(None),
                threads.c.total.is_not(None),
                threads.c.held.is_not(None),
            )
            .order_by(threads.c.differs_since, threads.c.id)
            .limit(SHOWN)
        )
        return [
            Difference(
                post=f"{row.platform}:{row.native_id}",
                url=row.url or "",
                total=row.total,
                held=row.held,
                since=row.differs_since,
            )
            for row in self._connection.execute(query)
        ]
