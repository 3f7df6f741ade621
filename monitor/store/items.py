"""Items and their revisions, as read from the platforms."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, or_, select, update

from monitor.domain.account import Account
from monitor.domain.errors import NotFound
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Reject, Visibility
from monitor.store.rows import Repository
from monitor.store.tables import cases, items, rejects, revisions, storable, verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """An item and what the store knows of it: when it was detected (UTC), whether it is history, when it went."""

    id: int
    account: str
    item: Item
    revision: str
    detected_at: datetime
    history: bool
    gone_at: datetime | None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """How many items of a page were new, edited, or seen before."""

    new: int
    edited: int
    known: int


def as_item(row: Any) -> StoredItem:
    """A row of `items` joined with its current revision."""
    ref = ItemRef(row.platform, row.native_id)
    return StoredItem(
        id=row.id,
        account=row.account,
        revision=row.revision,
        detected_at=row.detected_at,
        history=row.history,
        gone_at=row.gone_at,
        erased_at=row.erased_at,
        item=Item(
            ref=ref,
            channel=Channel(row.channel),
            kind=ItemKind(row.kind),
            author=Author(
                id=row.author_id,
                handle=row.author_handle,
                display_name=row.author_name,
                kind=AuthorKind(row.author_kind),
            ),
            text=row.text,
            url=row.url,
            published_at=row.published_at,
            parent=ItemRef(row.platform, row.parent) if row.parent else None,
            thread=ItemRef(row.platform, row.thread) if row.thread else None,
            lang=row.lang,
            attachments=tuple(row.attachments),
            visibility=Visibility(row.visibility),
            raw=row.raw,
        ),
    )


class Items(Repository):
    def save(self, found: Sequence[Item], account: Account, now: datetime, go_live: datetime) -> Saved:
        """Keep a page's items: idempotent on item and revision. A new revision waits to be classified."""
        latest = {item.ref: item for item in found}
        before = self._present(latest)
        self._insert_new(
            items,
            [_item_row(item, account, now, go_live) for ref, item in latest.items() if ref not in before],
        )
        present = self._present(latest)
        edited = 0
        for ref, item in latest.items():
            row = present[ref]
            fresh = ref not in before
            changed = row.revision != item.revision
            if fresh or changed:
                self._add_revision(row.id, item, now)
            if changed:
                edited += 1
            if not fresh and (changed or row.gone_at or _promoted(row, item)):
                self._refresh(row, item)
        new = len(present) - len(before)
        return Saved(new=new, edited=edited, known=len(latest) - new - edited)

    def _add_revision(self, item_id: int, item: Item, now: datetime) -> None:
        row = {"item_id": item_id, "revision": item.revision, "text": item.text}
        added = self._insert_new(revisions, [{**row, "raw": plain(item.raw), "seen_at": now, "awaits": "classify"}])
        if not added:  # the author went back to an earlier wording: it is judged again, not read again
            self._send_to(item_id, item.revision, "triage")

    def _refresh(self, row: Any, item: Item) -> None:
        """An item came back edited, undeleted, or was found on an official account after being a mention."""
        promoted = _promoted(row, item)
        self._connection.execute(
            update(items)
            .where(items.c.id == row.id)
            .values(
                revision=item.revision,
                gone_at=None,
                channel=item.channel.value if promoted else row.channel,
                attachments=list(item.attachments),
            )
        )
        if promoted and row.revision == item.revision:
            self._send_to(row.id, item.revision, "triage")

    def _send_to(self, item_id: int, revision: str, stage: str) -> None:
        self._connection.execute(
            update(revisions)
            .where(revisions.c.item_id == item_id, revisions.c.revision == revision, revisions.c.awaits.is_(None))
            .values(awaits=stage)
        )

    def _present(self, refs: Iterable[ItemRef]) -> dict[ItemRef, Any]:
        by_platform: dict[str, list[str]] = {}
        for ref in refs:
            by_platform.setdefault(ref.platform, []).append(ref.id)
        if not by_platform:
            return {}
        wanted = or_(
            *(
                and_(items.c.platform == platform, items.c.native_id.in_(ids))
                for platform, ids in by_platform.items()
            )
        )
        rows = self._connection.execute(
            select(
                items.c.id, items.c.platform, items.c.native_id, items.c.revision, items.c.gone_at, items.c.channel
            ).where(items.c.school_id == self._school, wanted)
        )
        return {ItemRef(row.platform, row.native_id): row for row in rows}

    def reject(self, account: Account, found: Sequence[Reject], now: datetime) -> None:
        """Keep records that could not be read, once each, so that nothing seen is lost."""
        rows = []
        for one in found:
            raw = plain(one.raw)
            digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:32]
            rows.append({"account": account.id, "digest": digest, "reason": one.reason, "raw": raw, "seen_at": now})
        self._insert_new(rejects, rows)

    def mark_gone(self, refs: Iterable[ItemRef], now: datetime) -> list[int]:
        """Record that these items no longer exist; the ids of those not known to be gone before."""
        gone = [row.id for row in self._present(refs).values() if row.gone_at is None]
        if gone:
            self._connection.execute(update(items).where(items.c.id.in_(gone)).values(gone_at=now))
        return gone

    def _select(self) -> Select[Any]:
        return (
            select(items, revisions.c.text, revisions.c.raw)
            .join(revisions, and_(revisions.c.item_id == items.c.id, revisions.c.revision == items.c.revision))
            .where(items.c.school_id == self._school)
        )

    def get(self, item_id: int) -> StoredItem:
        """Raises NotFound."""
        row = self._connection.execute(self._select().where(items.c.id == item_id)).first()
        if row is None:
            raise NotFound(f"there is no item {item_id}")
        return as_item(row)

    def as_worded(self, item_id: int, revision: str) -> StoredItem:
        """The item as it read in an earlier wording. Raises NotFound."""
        stored = self.get(item_id)
        row = self._connection.execute(
            select(revisions.c.text, revisions.c.raw).where(
                revisions.c.item_id == item_id, revisions.c.revision == revision
            )
        ).first()
        if row is None:
            raise NotFound(f"item {item_id} never had the revision {revision}")
        return replace(stored, revision=revision, item=replace(stored.item, text=row.text, raw=row.raw))

    def find(self, ref: ItemRef) -> StoredItem | None:
        query = self._select().where(items.c.platform == ref.platform, items.c.native_id == ref.id)
        row = self._connection.execute(query).first()
        return as_item(row) if row else None

    def above(self, item: Item) -> list[Item]:
        """The stored items above `item` in its conversation, topmost first."""
        chain: list[Item] = []
        seen = {item.ref}
        ref = item.parent or item.thread
        while ref is not None and ref not in seen and len(chain) < 20:
            seen.add(ref)
            stored = self.find(ref)
            if stored is None:
                break
            chain.append(stored.item)
            ref = stored.item.parent or stored.item.thread
        return chain[::-1]

    def thread(self, ref: ItemRef) -> list[StoredItem]:
        """The post `ref` and everything stored below it, in order of time."""
        query = (
            self._select()
            .where(items.c.platform == ref.platform, or_(items.c.thread == ref.id, items.c.native_id == ref.id))
            .order_by(items.c.published_at, items.c.id)
        )
        return [as_item(row) for row in self._connection.execute(query)]

    def school_reply_to(self, ref: ItemRef) -> StoredItem | None:
        """The school's earliest reply directly under `ref`, if it has been read."""
        query = (
            self._select()
            .where(
                items.c.platform == ref.platform,
                items.c.parent == ref.id,
                items.c.author_kind == AuthorKind.SCHOOL.value,
            )
            .order_by(items.c.published_at)
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return as_item(row) if row else None

    def threads_of(self, account: str, since: datetime) -> list[ItemRef]:
        """The posts of an account whose conversation had something new since `since`."""
        query = (
            select(items.c.platform, items.c.thread)
            .where(
                items.c.school_id == self._school,
                items.c.account == account,
                items.c.thread.is_not(None),
                items.c.published_at >= since,
            )
            .distinct()
        )
        return sorted(ItemRef(row.platform, row.thread) for row in self._connection.execute(query))

    def search(
        self,
        words: str = "",
        *,
        limit: int = 100,
        before: int | None = None,
        without_restricted: Collection[str] | None = None,
    ) -> list[StoredItem]:
        """Items whose text or author contains `words`, newest first; `before` is an item id to go on from.

        With `without_restricted`, the ids of the rules that restrict, what only some roles may see is left out:
        items of restricted cases, and items without a case that one of these rules matched.
        """
        query = self._select().order_by(items.c.id.desc()).limit(limit)
        if words:
            pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            query = query.where(
                or_(
                    revisions.c.text.ilike(pattern, escape="\\"),
                    items.c.author_name.ilike(pattern, escape="\\"),
                    items.c.author_handle.ilike(pattern, escape="\\"),
                )
            )
        if before is not None:
            query = query.where(items.c.id < before)
        if without_restricted is not None:
            query = query.where(~_restricted(without_restricted))
        return [as_item(row) for row in self._connection.execute(query)]

    def restricted(self, item_ids: Sequence[int], rules: Collection[str]) -> list[int]:
        """Those of these items that only some roles may see; `rules` are the ids of the rules that restrict."""
        query = select(items.c.id).where(
            items.c.school_id == self._school, items.c.id.in_(item_ids), _restricted(rules)
        )
        return list(self._connection.execute(query).scalars())

    def wordings(self, item_id: int) -> list[tuple[datetime, str, str]]:
        """Every wording of an item as (first seen, revision, text), oldest first."""
        query = (
            select(revisions.c.seen_at, revisions.c.revision, revisions.c.text)
            .where(revisions.c.school_id == self._school, revisions.c.item_id == item_id)
            .order_by(revisions.c.id)
        )
        return [(row.seen_at, row.revision, row.text) for row in self._connection.execute(query)]

    def count(self, since: datetime | None = None) -> int:
        """How many items there are, or were detected since then."""
        query = select(func.count()).select_from(items).where(items.c.school_id == self._school)
        if since is not None:
            query = query.where(items.c.detected_at >= since)
        return self._connection.execute(query).scalar_one()

    def count_by_connector(self) -> dict[str, int]:
        query = (
            select(items.c.connector, func.count())
            .where(items.c.school_id == self._school)
            .group_by(items.c.connector)
            .order_by(items.c.connector)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}


def _restricted(rules: Collection[str]) -> ColumnElement[bool]:
    """Whether an item's case is kept for some roles or, where it has none, a rule that restricts matched it."""
    mine = select(cases.c.id).where(cases.c.school_id == items.c.school_id, cases.c.item_id == items.c.id)
    # A restriction that is not set is stored as JSON's null.
    kept = mine.where(cases.c.visible_to.is_not(None), cast(cases.c.visible_to, Text) != "null").exists()
    named = or_(false(), *(cast(verdicts.c.rules, Text).contains(f'"{rule}"') for rule in rules))
    matched = select(verdicts.c.id).where(verdicts.c.item_id == items.c.id, named).exists()
    return or_(kept, and_(~mine.exists(), matched))


def _promoted(row: Any, item: Item) -> bool:
    return row.channel == Channel.MENTION and item.channel is Channel.OFFICIAL


def _item_row(item: Item, account: Account, now: datetime, go_live: datetime) -> dict[str, Any]:
    return {
        "platform": item.ref.platform,
        "native_id": item.ref.id,
        "account": account.id,
        "connector": account.connector,
        "channel": item.channel.value,
        "kind": item.kind.value,
        "author_id": item.author.id,
        "author_handle": item.author.handle,
        "author_name": item.author.display_name,
        "author_kind": item.author.kind.value,
        "url": item.url,
        "published_at": item.published_at,
        "detected_at": now,
        "parent": item.parent.id if item.parent else None,
        "thread": item.thread.id if item.thread else None,
        "lang": item.lang,
        "attachments": list(item.attachments),
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
