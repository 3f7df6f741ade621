"""What the platforms said of our access to them, and when each account was last asked something once a day."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import or_, select, update

from monitor.domain.account import Access
from monitor.domain.clock import format_instant, parse_instant
from monitor.store.rows import Repository
from monitor.store.tables import sources

#: Columns of `sources` that say when an account was last asked for something.
Asked = Literal["access_at", "profiles_at"]


class AccessRecords(Repository):
    def due(self, what: Asked, now: datetime, *, every: timedelta) -> set[str]:
        """The accounts that it is time to ask."""
        asked = sources.c[what]
        query = select(sources.c.account).where(
            sources.c.school_id == self._school, or_(asked.is_(None), asked <= now - every)
        )
        return set(self._connection.execute(query).scalars())

    def claim(self, account: str, what: Asked, now: datetime, *, every: timedelta, again: timedelta) -> bool:
        """Whether it is time to ask, which is then this caller's to do; if that fails, it is time `again` later."""
        asked = sources.c[what]
        claimed = self._connection.execute(
            update(sources)
            .where(
                sources.c.school_id == self._school,
                sources.c.account == account,
                or_(asked.is_(None), asked <= now - every),
            )
            .values({what: now - every + again})
        )
        return claimed.rowcount == 1

    def ask_anew(self, accounts: Sequence[str]) -> None:
        """The access of these accounts is to be asked for now: somebody may have changed it."""
        mine = (sources.c.school_id == self._school, sources.c.account.in_(accounts))
        self._connection.execute(update(sources).where(*mine).values(access_at=None))

    def asked(self, account: str, what: Asked, now: datetime, **values: Any) -> None:
        """The account answered at `now`."""
        self._connection.execute(
            update(sources)
            .where(sources.c.school_id == self._school, sources.c.account == account)
            .values({what: now, **values})
        )

    def keep(self, account: str, access: Access, now: datetime) -> None:
        """What the platform said at `now`."""
        ends = {what: format_instant(end) for what, end in access.ends.items()}
        document = {"ends": ends, "lacks": list(access.lacks), "notes": list(access.notes)}
        self.asked(account, "access_at", now, access=document)


def as_access(document: Mapping[str, Any] | None) -> Access:
    """The column `access` of `sources` as what it says."""
    if not document:
        return Access()
    return Access(
        ends={what: parse_instant(end) for what, end in document["ends"].items()},
        lacks=tuple(document["lacks"]),
        notes=tuple(document["notes"]),
    )
