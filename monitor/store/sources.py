"""What is known of each account: its cursor, when it was last proven read, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update

from monitor.domain.account import Account
from monitor.store.rows import Repository
from monitor.store.tables import items, left_out, rejects, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """`last_read_ok` is the last proven read (FACTS 1.10). `problem` is in words for a school secretary.

    `first_read_at` is when the first reading reached its end; it brought `backfilled` items so far, back to
    `backfilled_to`. `last_items` and `last_rejects` are what the last proven read brought, known or new, and how
    much of it could not be read. `stuck_polls` polls in a row brought something new and left the cursor where it
    was; the last `unreadable_polls` that brought anything new brought something unreadable as well. `refused`:
    only a person can end the problem. `access` is what the platform says of our access, as store.access keeps it.
    `items` (with `history`), `rejects` and `left_out` count everything so far: what is stored, what could not be
    read, and what a search found that speaks of another school.
    """

    account: str
    cursor: str | None = None
    last_read_ok: datetime | None = None
    last_item_at: datetime | None = None
    next_poll_at: datetime | None = None
    failures: int = 0
    problem: str | None = None
    problem_since: datetime | None = None
    refused: bool = False
    first_read_at: datetime | None = None
    backfilled: int = 0
    backfilled_to: datetime | None = None
    last_items: int = 0
    last_rejects: int = 0
    stuck_polls: int = 0
    unreadable_polls: int = 0
    access: Mapping[str, Any] | None = None
    access_at: datetime | None = None
    profiles_at: datetime | None = None
    items: int = 0
    history: int = 0
    rejects: int = 0
    left_out: int = 0


_COUNTED = {"items": (items,), "history": (items, items.c.history), "rejects": (rejects,), "left_out": (left_out,)}


class Sources(Repository):
    def register(self, accounts: Sequence[Account]) -> None:
        """Make a row for each account that has none, and note what its limits count against."""
        for account in accounts:
            self._upsert(sources, {"account": account.id}, credential=account.credential)

    def state(self, account: str) -> SourceState:
        """Without the counts of everything so far, which take long."""
        query = select(sources).where(sources.c.school_id == self._school, sources.c.account == account)
        row = self._connection.execute(query).first()
        return _state(row, {}) if row else SourceState(account=account)

    def states(self) -> list[SourceState]:
        """Every account's state, with how many items and unreadable records it brought."""
        counts = {name: self._counts(*counted) for name, counted in _COUNTED.items()}
        query = select(sources).where(sources.c.school_id == self._school).order_by(sources.c.id)
        return [
            _state(row, {name: found.get(row.account, 0) for name, found in counts.items()})
            for row in self._connection.execute(query)
        ]

    def _counts(self, table: Any, *only: Any) -> dict[str, int]:
        query = (
            select(table.c.account, func.count())
            .where(table.c.school_id == self._school, *only)
            .group_by(table.c.account)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def page_read(self, account: str, cursor: str | None, new: int, oldest: datetime | None) -> None:
        """A page of a poll was stored with `new` items, the oldest of its items being of `oldest`.

        Until the first reading has reached its end, that is its progress.
        """
        mine = (sources.c.school_id == self._school, sources.c.account == account)
        self._connection.execute(
            update(sources).where(*mine, sources.c.cursor.is_distinct_from(cursor)).values(cursor=cursor)
        )
        if not new:
            return
        back_to = func.coalesce(sources.c.backfilled_to, oldest)
        self._connection.execute(
            update(sources)
            .where(*mine, sources.c.first_read_at.is_(None))
            .values(
                backfilled=sources.c.backfilled + new,
                backfilled_to=case((sources.c.backfilled_to > oldest, oldest), else_=back_to)
                if oldest
                else back_to,
            )
        )

    def read_ok(
        self,
        account: str,
        now: datetime,
        *,
        newest: datetime | None,
        next_poll_at: datetime,
        items: int = 0,
        rejects: int = 0,
        stuck_polls: int = 0,
        unreadable_polls: int = 0,
    ) -> None:
        """The account was read to the end at `now`, which brought `items` and `rejects`; any problem is over.

        If it has meanwhile been told to rest longer than until `next_poll_at`, it does.
        """
        values: dict[str, Any] = {"last_item_at": newest} if newest else {}
        self._update(
            account,
            last_read_ok=now,
            last_items=items,
            last_rejects=rejects,
            stuck_polls=stuck_polls,
            unreadable_polls=unreadable_polls,
            # Somebody has let us in again: what was known of our access is of before.
            access_at=case((sources.c.refused, None), else_=sources.c.access_at),
            first_read_at=func.coalesce(sources.c.first_read_at, now),
            next_poll_at=_later(next_poll_at),
            failures=0,
            problem=None,
            problem_since=None,
            refused=False,
            **values,
        )

    def rest(self, credential: str, until: datetime) -> None:
        """Nothing that counts against these limits is polled before `until`."""
        self._connection.execute(
            update(sources)
            .where(sources.c.school_id == self._school, sources.c.credential == credential)
            .values(next_poll_at=_later(until))
        )

    def told_of_first_readings(self) -> bool:
        """Whether the summary of the first readings was written."""
        query = select(sources.c.id).where(sources.c.school_id == self._school, sources.c.summed_up_at.is_not(None))
        return self._connection.execute(query.limit(1)).first() is not None

    def tell_of_first_readings(self, accounts: Sequence[str], now: datetime) -> bool:
        """The first readings of these accounts are told of at `now`. False if another worker already did."""
        result = self._connection.execute(
            update(sources)
            .where(
                sources.c.school_id == self._school,
                sources.c.account.in_(accounts),
                sources.c.summed_up_at.is_(None),
            )
            .values(summed_up_at=now)
        )
        return result.rowcount > 0

    def failed(
        self, account: str, problem: str, now: datetime, *, next_poll_at: datetime, refused: bool = False
    ) -> None:
        """The account could not be read, `refused` until a person acts; when that began stays as it was."""
        since = func.coalesce(sources.c.problem_since, now)
        self._update(
            account,
            problem=problem,
            problem_since=since,
            refused=refused,
            failures=sources.c.failures + 1,
            next_poll_at=_later(next_poll_at),
        )

    def _update(self, account: str, **values: Any) -> None:
        self._connection.execute(
            update(sources)
            .where(sources.c.school_id == self._school, sources.c.account == account)
            .values(**values)
        )


def _later(moment: datetime) -> Any:
    """`moment`, unless the account is to rest longer already."""
    return case((sources.c.next_poll_at > moment, sources.c.next_poll_at), else_=moment)


def _state(row: Any, counts: dict[str, int]) -> SourceState:
    names = SourceState.__dataclass_fields__.keys() - _COUNTED.keys()
    return SourceState(**{name: getattr(row, name) for name in names} | counts)
