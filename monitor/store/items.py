"""Items and their revisions, as read from the platforms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, or_, select

from monitor.domain.errors import NotFound
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Visibility
from monitor.store.intake import Intake
from monitor.store.tables import cases, items, revisions, verdicts


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


class Items(Intake):
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
        found = self._in_thread(ref)
        query = self._select().join(found, found.c.id == items.c.id).order_by(items.c.published_at, items.c.id)
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
