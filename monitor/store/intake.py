"""Items as they arrive: each once, its wordings, what cannot be read of a page and what is not about our school."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, delete, select, update

from monitor.domain.account import Account
from monitor.domain.item import Channel, Item, ItemRef, Reject, Visibility
from monitor.store.rows import Repository
from monitor.store.tables import items, left_out, readings, rejects, revisions, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """How many items of a page were new, edited, or seen before; who sees which of them has changed (item ids).

    `arrived` are the new ones; `back` were known to be gone (item ids).
    """

    new: int
    edited: int
    known: int
    arrived: tuple[Item, ...] = ()
    shown: Mapping[int, Visibility] = field(default_factory=dict)
    back: tuple[int, ...] = ()


#: What tells whether an item is to be written again.
_STATE = (
    items.c.id,
    items.c.platform,
    items.c.native_id,
    items.c.revision,
    items.c.gone_at,
    items.c.erased_at,
    items.c.channel,
    items.c.visibility,
    items.c.attachments,
)


class Intake(Repository):
    def save(self, found: Sequence[Item], account: Account, now: datetime, go_live: datetime) -> Saved:
        """Keep a page's items: idempotent on item and revision. A new revision waits to be classified."""
        latest = {item.ref: item for item in found}
        before = self._present(latest)
        arrived = [item for ref, item in latest.items() if ref not in before]
        self._insert_new(items, [_item_row(item, account, now, go_live) for item in arrived])
        inserted = self._present(item.ref for item in arrived)
        self._insert_new(revisions, [_revision_row(inserted[item.ref].id, item, now) for item in arrived])
        edited = 0
        back = tuple(row.id for row in before.values() if row.gone_at is not None)
        shown: dict[int, Visibility] = {}
        for ref, read in latest.items():
            row = before.get(ref) or inserted[ref]
            item = _as_told_by_us(row, read)
            if row.revision != item.revision:
                edited += 1
            if _differs(row, item):
                self._refresh(row, item, now)
            if row.visibility != item.visibility:
                shown[row.id] = item.visibility
        return Saved(
            new=len(arrived),
            edited=edited,
            known=len(latest) - len(arrived) - edited,
            arrived=tuple(arrived),
            shown=shown,
            back=back,
        )

    def _refresh(self, row: Any, item: Item, now: datetime) -> None:
        """A known item reads otherwise, is seen otherwise, came back, or was found on an official account too."""
        promoted = _promoted(row, item)
        values = {
            "revision": item.revision,
            "gone_at": None,
            "channel": item.channel.value if promoted else row.channel,
            "attachments": plain(item.attachments),
            "visibility": item.visibility.value,
        }
        if promoted:
            # A search seldom says whom a reply answers, and does not know every handle of the school.
            values |= {**_place_columns(item), "kind": item.kind.value, **_author_columns(item), "url": item.url}
        if row.erased_at is not None:
            values |= {**_author_columns(item), "url": item.url, "erased_at": None}
        self._connection.execute(update(items).where(items.c.id == row.id).values(values))
        if row.erased_at is not None:
            self._read_anew(row.id, item, now)
            return
        if row.revision != item.revision:
            # An author who went back to an earlier wording is judged again, not read again.
            if not self._insert_new(revisions, [_revision_row(row.id, item, now)]):
                self._send_to(row.id, item.revision, "triage")
        elif promoted or (item.attachments and not row.attachments):
            self._send_to(row.id, item.revision, "triage")

    def _read_anew(self, item_id: int, item: Item, now: datetime) -> None:
        """What was given up has come back: as if none of its wordings had ever been read."""
        for table in (readings, revisions):
            self._connection.execute(delete(table).where(table.c.item_id == item_id))
        self._insert_new(revisions, [_revision_row(item_id, item, now)])

    def _send_to(self, item_id: int, revision: str, stage: str) -> None:
        self._connection.execute(
            update(revisions)
            .where(revisions.c.item_id == item_id, revisions.c.revision == revision, revisions.c.awaits.is_(None))
            .values(awaits=stage)
        )

    def _present(self, refs: Iterable[ItemRef]) -> dict[ItemRef, Any]:
        wanted = self._named(items, refs)
        if wanted is None:
            return {}
        rows = self._connection.execute(select(*_STATE).where(items.c.school_id == self._school, wanted))
        return {ItemRef(row.platform, row.native_id): row for row in rows}

    def known(self, refs: Iterable[ItemRef]) -> set[ItemRef]:
        """Those of `refs` that are stored."""
        return set(self._present(refs))

    def leave_out(self, found: Sequence[Item], account: Account, now: datetime) -> None:
        """Count what a search found that speaks of another school: once each, and nothing of what it says."""
        rows = [
            {"account": account.id, "platform": item.ref.platform, "native_id": item.ref.id, "found_at": now}
            for item in found
        ]
        self._insert_new(left_out, rows)

    def reject(self, account: Account, found: Sequence[Reject], now: datetime) -> int:
        """Keep records that could not be read, once each, so that nothing seen is lost; how many are new."""
        rows = []
        for one in found:
            raw = plain(one.raw)
            digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:32]
            rows.append({"account": account.id, "digest": digest, "reason": one.reason, "raw": raw, "seen_at": now})
        return self._insert_new(rejects, rows)

    def mark_gone(self, refs: Iterable[ItemRef], channel: Channel, now: datetime) -> list[int]:
        """Record that these items no longer exist; the ids of those not known to be gone before.

        Of what stands on an account of our own only that account can tell: a search is not shown what is hidden.
        """
        gone = [
            row.id
            for row in self._present(refs).values()
            if row.gone_at is None and (channel is Channel.OFFICIAL or row.channel == channel)
        ]
        if gone:
            self._connection.execute(update(items).where(items.c.id.in_(gone)).values(gone_at=now))
        return gone

    def _in_thread(self, ref: ItemRef) -> Subquery:
        """The ids of the post `ref` and what is below it: two searches, as SQLite walks through all for an OR."""
        there = select(items.c.id).where(items.c.school_id == self._school, items.c.platform == ref.platform)
        return there.where(items.c.thread == ref.id).union(there.where(items.c.native_id == ref.id)).subquery()

    def still_in(self, thread: ItemRef) -> list[ItemRef]:
        """The post `thread` and what is stored below it, as far as it is not known to be gone; in order of time."""
        found = self._in_thread(thread)
        query = (
            select(items.c.platform, items.c.native_id)
            .join(found, found.c.id == items.c.id)
            .where(items.c.gone_at.is_(None))
            .order_by(items.c.published_at, items.c.id)
        )
        return [ItemRef(row.platform, row.native_id) for row in self._connection.execute(query)]


def _promoted(row: Any, item: Item) -> bool:
    return row.channel == Channel.MENTION and item.channel is Channel.OFFICIAL


def _as_told_by_us(row: Any, item: Item) -> Item:
    """An item of our own account that a search found as well: what only the account shows stays as it is known."""
    if item.channel is Channel.OFFICIAL or row.channel == Channel.MENTION:
        return item
    return replace(item, visibility=Visibility(row.visibility), attachments=tuple(row.attachments))


def _differs(row: Any, item: Item) -> bool:
    """Whether an item was read otherwise than it is stored."""
    return bool(
        row.revision != item.revision
        or row.gone_at
        or row.visibility != item.visibility
        or row.attachments != plain(item.attachments)
        or _promoted(row, item)
    )


def _revision_row(item_id: int, item: Item, now: datetime) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "revision": item.revision,
        "text": item.text,
        "raw": plain(item.raw),
        "seen_at": now,
        "awaits": "classify",
    }


def _author_columns(item: Item) -> dict[str, str]:
    return {
        "author_id": item.author.id,
        "author_handle": item.author.handle,
        "author_name": item.author.display_name,
        "author_kind": item.author.kind.value,
    }


def _place_columns(item: Item) -> dict[str, str | None]:
    return {"parent": item.parent.id if item.parent else None, "thread": item.thread.id if item.thread else None}


def _item_row(item: Item, account: Account, now: datetime, go_live: datetime) -> dict[str, Any]:
    return {
        "platform": item.ref.platform,
        "native_id": item.ref.id,
        "account": account.id,
        "connector": account.connector,
        "channel": item.channel.value,
        "kind": item.kind.value,
        **_author_columns(item),
        "url": item.url,
        "published_at": item.published_at,
        "detected_at": now,
        **_place_columns(item),
        "lang": item.lang,
        "attachments": plain(item.attachments),
        "visibility": item.visibility.value,
        "revision": item.revision,
        "history": item.published_at is None or item.published_at < go_live,
    }


def plain(value: Any) -> Any:
    """A record as JSON that every database can keep."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return storable(str(value))
