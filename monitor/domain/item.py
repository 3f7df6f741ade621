"""What is read from a platform: items, and pages of them."""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

#: One record as the platform sent it.
Raw = Mapping[str, Any]


class Channel(StrEnum):
    """Where an item was read: on an account of the school's own, or in public elsewhere."""

    OFFICIAL = "official"
    MENTION = "mention"


class ItemKind(StrEnum):
    COMMENT = "comment"
    REPLY = "reply"
    POST = "post"
    REVIEW = "review"
    MESSAGE = "message"


class Visibility(StrEnum):
    """Who sees an item on its platform: everybody, nobody since it was hidden, or nobody until it is approved."""

    PUBLIC = "public"
    HIDDEN = "hidden"
    HELD = "held"


class AuthorKind(StrEnum):
    SCHOOL = "school"
    STAFF = "staff"
    PARENT = "parent"
    PUPIL = "pupil"
    PRESS = "press"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """How a platform names an item: its kind of platform and the platform's own id."""

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote an item, as far as the platform says. Everything may be missing (FACTS 1.9)."""

    id: str = ""
    handle: str = ""
    display_name: str = ""
    kind: AuthorKind = AuthorKind.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A comment, reply, post, review or message as read from a platform at one moment.

    `published_at` is the platform's creation time (UTC), None where it gave none. `parent` is the item this
    one answers; `thread` is the post at the top of the conversation. `raw` is the platform's record as received.
    """

    ref: ItemRef
    channel: Channel
    kind: ItemKind
    author: Author
    text: str
    url: str
    published_at: datetime | None
    parent: ItemRef | None = None
    thread: ItemRef | None = None
    lang: str | None = None
    #: Attachments as facts, one entry each: "photo", or "photo: the words that describe it". Never downloaded.
    attachments: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PUBLIC
    raw: Raw = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.published_at is not None and self.published_at.tzinfo is None:
            raise ValueError(f"{self.ref}: published_at has no time zone")

    @property
    def revision(self) -> str:
        """The hash of the text: an edit is a new revision and is scored again."""
        return hashlib.sha256(unicodedata.normalize("NFC", self.text).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that could not be read as an item: kept raw, counted and shown, never dropped."""

    raw: Any
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page from a platform, and the cursor to store together with it.

    `cursor` is opaque to everybody but the connector that made it. `gone` names items that the platform says
    no longer exist. `totals` is how many comments and replies the platform itself counts below a post. `spent` is
    what asking for this page cost, in the unit of the connector's budget. `rest_until` (UTC): the platform's own
    limits ask us not to come back before.
    """

    items: tuple[Item, ...] = ()
    cursor: str | None = None
    gone: tuple[ItemRef, ...] = ()
    rejects: tuple[Reject, ...] = ()
    totals: Mapping[ItemRef, int] = field(default_factory=dict)
    spent: float = 0
    rest_until: datetime | None = None
