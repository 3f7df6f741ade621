"""Conversations: when each is to be read again, and whether we hold what its platform counts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update

from monitor.domain.item import ItemRef
from monitor.domain.source_health import Difference
from monitor.store.rows import Repository
from monitor.store.tables import items, threads

#: Of an account's posts where the counts differ, so many are told apart.
DIFFERENCES = 50
#: Too old to be swept, a conversation cannot be set right any more: it is told of no longer.
_DIFFERS = and_(threads.c.differs_since.is_not(None), threads.c.next_sweep_at.is_not(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A post of an account and what is below it. All times UTC.

    `active_at` is the newest instant of anything in it; `next_sweep_at` None: it is too old to be swept. `total` is
    what the platform counts below the post, `held` what we hold, `differs_since` since when the two differ.
    `failures` in a row and `problem` tell of sweeps that went wrong.
    """

    ref: ItemRef
    active_at: datetime
    next_sweep_at: datetime | None
    last_sweep_at: datetime | None
    failures: int
    problem: str | None
    total: int | None
    held: int | None
    counted_at: datetime | None
    differs_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """An account's conversations together, as the status page tells of them.

    Over the `threads` that were swept and that the platform counts, it counts `total` comments and we hold `held`;
    `differing` of them disagree, the longest `since`. `failing` conversations could not be swept the last time;
    `problem` says why, for one of them. `waiting` are due for a sweep.
    """

    account: str
    threads: int = 0
    total: int = 0
    held: int = 0
    differing: int = 0
    since: datetime | None = None
    failing: int = 0
    problem: str | None = None
    waiting: int = 0


class Threads(Repository):
    def found(
        self, account: str, newest: Mapping[ItemRef, datetime], stirred: Collection[ItemRef], now: datetime
    ) -> None:
        """Conversations that a page showed, with the newest instant of its items in each (UTC, not in the future).

        One that was not known is swept at once; so is one of the `stirred`, in which something is new.
        """
        known = self._present(account, newest)
        self._insert_new(
            threads,
            [
                {
                    "account": account,
                    "platform": ref.platform,
                    "native_id": ref.id,
                    "active_at": active_at,
                    "next_sweep_at": now,
                }
                for ref, active_at in newest.items()
                if ref not in known
            ],
        )
        for ref in known.keys() & stirred:
            active_at = max(known[ref].active_at, newest[ref])
            self._update(account, ref, active_at=active_at, next_sweep_at=now)

    def counted(self, account: str, totals: Mapping[ItemRef, int], now: datetime) -> None:
        """What the platform counts below posts. Where that has changed, something came or went: swept at once."""
        known = self._present(account, totals)
        for ref, total in totals.items():
            if ref not in known:
                row = {"account": account, "platform": ref.platform, "native_id": ref.id}
                self._insert_new(threads, [{**row, "active_at": now, "next_sweep_at": now, "total": total}])
            elif known[ref].total is None:
                self._update(account, ref, total=total)
            elif known[ref].total != total:
                self._update(account, ref, total=total, next_sweep_at=now)

    def due(self, account: str, now: datetime, limit: int) -> list[ItemRef]:
        """Conversations to be swept now, those due longest first."""
        query = (
            select(threads.c.platform, threads.c.native_id)
            .where(self._of(account), threads.c.next_sweep_at <= now)
            .order_by(threads.c.next_sweep_at, threads.c.id)
            .limit(limit)
        )
        return [ItemRef(row.platform, row.native_id) for row in self._connection.execute(query)]

    def get(self, account: str, ref: ItemRef) -> Thread:
        """Raises LookupError for a conversation that was never `found`."""
        return self._present(account, [ref])[ref]

    def swept(
        self,
        account: str,
        ref: ItemRef,
        now: datetime,
        *,
        next_sweep_at: datetime | None,
        deletions: bool = True,
    ) -> None:
        """A sweep reached its end: compare what the platform counts with what we hold now.

        Without `deletions` it does not tell what was deleted there: that we hold more is to be expected. Of a post
        that is itself gone nothing is counted any more; one that is swept no more has nobody told of it.
        """
        thread = self.get(account, ref)
        total = None if self._is_gone(ref) else thread.total
        held = self._held(ref)
        differs = total is not None and (total > held or (deletions and total < held))
        differs = differs and next_sweep_at is not None
        self._update(
            account,
            ref,
            last_sweep_at=now,
            next_sweep_at=next_sweep_at,
            failures=0,
            problem=None,
            total=total,
            held=held,
            counted_at=now if total is not None else None,
            differs_since=(thread.differs_since or now) if differs else None,
        )

    def failed(self, account: str, ref: ItemRef, problem: str, *, next_sweep_at: datetime) -> None:
        """A sweep went wrong; what it had kept stays."""
        self._update(account, ref, problem=problem, failures=threads.c.failures + 1, next_sweep_at=next_sweep_at)

    def given_up(self, account: str, ref: ItemRef) -> None:
        """A sweep went wrong, and the conversation is too old to be tried again: nobody is told of it any more."""
        self._update(account, ref, problem=None, failures=0, next_sweep_at=None, differs_since=None)

    def differences(self, now: datetime) -> list[Reconciliation]:
        """For each account that has conversations: what the platform counts, what we hold, and what fails."""
        compared = and_(threads.c.counted_at.is_not(None), threads.c.total.is_not(None))
        query = (
            select(
                threads.c.account,
                _number(compared).label("threads"),
                func.coalesce(func.sum(threads.c.total).filter(compared), 0).label("total"),
                func.coalesce(func.sum(threads.c.held).filter(compared), 0).label("held"),
                _number(_DIFFERS).label("differing"),
                func.min(threads.c.differs_since).filter(_DIFFERS).label("since"),
                _number(threads.c.problem.is_not(None)).label("failing"),
                func.max(threads.c.problem).label("problem"),
                _number(threads.c.next_sweep_at <= now).label("waiting"),
            )
            .where(threads.c.school_id == self._school)
            .group_by(threads.c.account)
            .order_by(threads.c.account)
        )
        names = Reconciliation.__dataclass_fields__
        return [
            Reconciliation(**{name: getattr(row, name) for name in names})
            for row in self._connection.execute(query)
        ]

    def differing(self, account: str) -> list[Difference]:
        """The posts of an account where the counts differ, those that do longest first."""
        post = and_(
            items.c.school_id == threads.c.school_id,
            items.c.platform == threads.c.platform,
            items.c.native_id == threads.c.native_id,
        )
        query = (
            select(threads, items.c.url)
            .outerjoin(items, post)
            .where(self._of(account), _DIFFERS, threads.c.total.is_not(None))
            .order_by(threads.c.differs_since, threads.c.id)
            .limit(DIFFERENCES)
        )
        return [
            Difference(
                post=str(ItemRef(row.platform, row.native_id)),
                url=row.url or "",
                total=row.total,
                held=row.held or 0,
                since=row.differs_since,
            )
            for row in self._connection.execute(query)
        ]

    def _held(self, ref: ItemRef) -> int:
        """How many items below the post exist, whoever wrote them and through whichever account they were read."""
        query = select(func.count()).where(
            items.c.school_id == self._school,
            items.c.platform == ref.platform,
            items.c.thread == ref.id,
            items.c.native_id != ref.id,
            items.c.gone_at.is_(None),
        )
        return self._connection.execute(query).scalar_one()

    def _is_gone(self, ref: ItemRef) -> bool:
        query = select(items.c.id).where(
            items.c.school_id == self._school,
            items.c.platform == ref.platform,
            items.c.native_id == ref.id,
            items.c.gone_at.is_not(None),
        )
        return self._connection.execute(query).first() is not None

    def _present(self, account: str, refs: Iterable[ItemRef]) -> dict[ItemRef, Thread]:
        wanted = self._named(threads, refs)
        if wanted is None:
            return {}
        rows = self._connection.execute(select(threads).where(self._of(account), wanted))
        return {thread.ref: thread for thread in map(_thread, rows)}

    def _update(self, account: str, ref: ItemRef, **values: Any) -> None:
        self._connection.execute(
            update(threads)
            .where(self._of(account), threads.c.platform == ref.platform, threads.c.native_id == ref.id)
            .values(**values)
        )

    def _of(self, account: str) -> ColumnElement[bool]:
        return and_(threads.c.school_id == self._school, threads.c.account == account)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _thread(row: Any) -> Thread:
    names = Thread.__dataclass_fields__.keys() - {"ref"}
    return Thread(ref=ItemRef(row.platform, row.native_id), **{name: getattr(row, name) for name in names})
