"""What is known of each account: its cursor, when it was last proven read, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from monitor.domain.account import Account
from monitor.store.rows import Repository
from monitor.store.tables import items, rejects, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """`last_read_ok` is the last proven read (FACTS 1.10). `problem` is in words for a school secretary."""

    account: str
    cursor: str | None
    last_read_ok: datetime | None
    last_item_at: datetime | None
    next_poll_at: datetime | None
    last_sweep_at: datetime | None
    failures: int
    problem: str | None
    problem_since: datetime | None
    refused: bool = False
    first_read_at: datetime | None = None
    backfilled: int = 0
    backfilled_to: datetime | None = None
    last_items: int = 0
    last_rejects: int = 0
    stuck_polls: int = 0
    access: Mapping[str, Any] | None = None
    access_at: datetime | None = None
    profiles_at: datetime | None = None
    items: int = 0
    rejects: int = 0


class Sources(Repository):
    def register(self, accounts: Sequence[Account]) -> None:
        """Make a row for each account that has none."""
        self._insert_new(sources, [{"account": account.id} for account in accounts])

    def state(self, account: str) -> SourceState:
        query = select(sources).where(sources.c.school_id == self._school, sources.c.account == account)
        row = self._connection.execute(query).first()
        return _state(row) if row else _unread(account)

    def states(self) -> list[SourceState]:
        """Every account's state, with how many items and unreadable records it brought."""
        found = self._counts(items)
        refused = self._counts(rejects)
        query = select(sources).where(sources.c.school_id == self._school).order_by(sources.c.id)
        return [
            _state(row, items=found.get(row.account, 0), rejects=refused.get(row.account, 0))
            for row in self._connection.execute(query)
        ]

    def _counts(self, table: Any) -> dict[str, int]:
        query = (
            select(table.c.account, func.count()).where(table.c.school_id == self._school).group_by(table.c.account)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def set_cursor(self, account: str, cursor: str | None) -> None:
        self._update(account, cursor=cursor)

    def read_ok(self, account: str, now: datetime, *, newest: datetime | None, next_poll_at: datetime) -> None:
        """The account was read to the end at `now`; any problem is over."""
        values: dict[str, Any] = {"last_item_at": newest} if newest else {}
        self._update(
            account,
            last_read_ok=now,
            next_poll_at=next_poll_at,
            failures=0,
            problem=None,
            problem_since=None,
            refused=False,
            **values,
        )

    def swept(self, account: str, now: datetime) -> None:
        self._update(account, last_sweep_at=now)

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
            next_poll_at=next_poll_at,
        )

    def _update(self, account: str, **values: Any) -> None:
        self._connection.execute(
            update(sources)
            .where(sources.c.school_id == self._school, sources.c.account == account)
            .values(**values)
        )


def _state(row: Any, *, items: int = 0, rejects: int = 0) -> SourceState:
    names = SourceState.__dataclass_fields__.keys() - {"items", "rejects"}
    return SourceState(**{name: getattr(row, name) for name in names}, items=items, rejects=rejects)


def _unread(account: str) -> SourceState:
    return SourceState(
        account=account,
        cursor=None,
        last_read_ok=None,
        last_item_at=None,
        next_poll_at=None,
        last_sweep_at=None,
        failures=0,
        problem=None,
        problem_since=None,
    )
