"""Accounts that look like the school's, with the evidence and what a person decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from monitor.domain.account import Profile
from monitor.domain.errors import NotFound
from monitor.domain.item import AuthorKind, Channel
from monitor.domain.lookalike import LookalikeDecision
from monitor.store.intake import plain
from monitor.store.rows import Repository
from monitor.store.tables import items, lookalikes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """An account that may be taken for the school's, and why; `decision` is None until a person has looked."""

    id: int
    account: str
    profile: Profile
    why: str
    found_at: datetime
    last_seen_at: datetime
    decision: LookalikeDecision | None
    decided_by: str
    decided_at: datetime | None
    note: str


class Lookalikes(Repository):
    def save(self, account: str, profile: Profile, why: str, now: datetime) -> bool:
        """Keep what was found at `now`; a known one keeps its decision. True if it is new."""
        known = {"platform": profile.platform, "native_id": profile.id}
        shown = {
            "handle": profile.handle,
            "name": profile.name,
            "about": profile.about,
            "url": profile.url,
            "why": why,
            "raw": plain(dict(profile.raw)),
        }
        row = {**known, **shown, "account": account, "found_at": now, "last_seen_at": now}
        new = self._insert_new(lookalikes, [row])
        if not new:
            self._connection.execute(
                update(lookalikes)
                .where(
                    lookalikes.c.school_id == self._school,
                    *(lookalikes.c[name] == value for name, value in known.items()),
                )
                .values(**shown, last_seen_at=now)
            )
        return bool(new)

    def all(self) -> list[Lookalike]:
        """Those that wait for a decision first, then the newest."""
        query = (
            select(lookalikes)
            .where(lookalikes.c.school_id == self._school)
            .order_by(lookalikes.c.decision.is_not(None), lookalikes.c.found_at.desc(), lookalikes.c.id)
        )
        return [_lookalike(row) for row in self._connection.execute(query)]

    def undecided(self) -> int:
        """How many nobody has decided about."""
        query = select(func.count()).where(lookalikes.c.school_id == self._school, lookalikes.c.decision.is_(None))
        return self._connection.execute(query).scalar_one()

    def decide(
        self, lookalike_id: int, decision: LookalikeDecision, *, note: str, actor: str, now: datetime
    ) -> None:
        """Record a decision in place of any earlier one. Raises NotFound."""
        decided = self._connection.execute(
            update(lookalikes)
            .where(lookalikes.c.school_id == self._school, lookalikes.c.id == lookalike_id)
            .values(decision=decision, decided_by=actor, decided_at=now, note=note)
        )
        if not decided.rowcount:
            raise NotFound(f"there is no account {lookalike_id} in our name")

    def authors(self, account: str, since: datetime | None) -> list[Profile]:
        """Who, other than the school, wrote what a search for mentions has brought since then."""
        wanted = [
            items.c.school_id == self._school,
            items.c.account == account,
            items.c.channel == Channel.MENTION,
            items.c.author_kind != AuthorKind.SCHOOL,
            items.c.author_id != "",
        ]
        if since is not None:
            wanted.append(items.c.detected_at > since)
        query = (
            select(items.c.platform, items.c.author_id, items.c.author_handle, items.c.author_name)
            .where(*wanted)
            .distinct()
        )
        return [_author(row) for row in self._connection.execute(query)]


def _author(row: Any) -> Profile:
    author = {"id": row.author_id, "handle": row.author_handle, "display_name": row.author_name}
    return Profile(
        platform=row.platform,
        id=row.author_id,
        handle=row.author_handle,
        name=row.author_name,
        about="",
        # What they wrote may be kept from who sees this list.
        url="",
        raw={"author": author},
    )


def _lookalike(row: Any) -> Lookalike:
    profile = Profile(
        platform=row.platform,
        id=row.native_id,
        handle=row.handle,
        name=row.name,
        about=row.about,
        url=row.url,
        raw=row.raw,
    )
    return Lookalike(
        id=row.id,
        account=row.account,
        profile=profile,
        why=row.why,
        found_at=row.found_at,
        last_seen_at=row.last_seen_at,
        decision=LookalikeDecision(row.decision) if row.decision else None,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )
