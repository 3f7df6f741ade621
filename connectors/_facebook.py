"""Facebook's records as items: posts, comments, and Pages that a search finds.

https://developers.facebook.com/docs/graph-api/reference: post, comment and photo; and /documentation/pages-api.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors._fields import Unreadable, dig, instant, mappings, read, text, web_url
from monitor.domain.account import Profile
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Raw, Reject, Visibility

PLATFORM = "facebook"
#: What may be asked of a post that stands elsewhere; it gives no comments, and would refuse a count of them.
TAG_FIELDS = (
    "id,from{id,name},message,created_time,permalink_url,is_hidden,"
    "attachments{media_type,type,title,subattachments{media_type,type,title}}"
)
#: The count is of comments and replies ("stream") and costs no call of its own.
POST_FIELDS = f"{TAG_FIELDS},comments.filter(stream).limit(0).summary(total_count)"
COMMENT_FIELDS = (
    "id,from{id,name},message,created_time,parent{id},permalink_url,is_hidden,attachment{media_type,type,title},"
    "comment_count"
)
PROFILE_FIELDS = "id,name,location,link"
#: Their titles say nothing, or repeat the post.
_PICTURES = frozenset({"photo", "album", "video"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the records of an account on `channel`, whose own ids are `own`."""

    channel: Channel
    own: Collection[str]

    def post(self, record: Any) -> Item | Reject:
        def convert(raw: Raw) -> Item:
            post = text(raw, "id")
            if not post:
                raise Unreadable("the post has no id")
            ref = ItemRef(PLATFORM, post)
            return Item(
                ref=ref,
                channel=self.channel,
                kind=ItemKind.POST,
                author=self.author(raw),
                text=text(raw, "message"),
                url=web_url(text(raw, "permalink_url")),
                published_at=instant(text(raw, "created_time")),
                thread=ref,
                attachments=_attachments(raw),
                visibility=_visibility(raw),
                raw=raw,
            )

        return read(record, convert)

    def comment(self, record: Any, post: str) -> Item | Reject:
        def convert(raw: Raw) -> Item:
            comment, parent = _comment_ids(raw, post)
            if not comment:
                raise Unreadable("the comment has neither an id nor an address that holds one")
            return Item(
                ref=ItemRef(PLATFORM, comment),
                channel=self.channel,
                kind=ItemKind.REPLY if parent else ItemKind.COMMENT,
                author=self.author(raw),
                text=text(raw, "message"),
                url=web_url(text(raw, "permalink_url")),
                published_at=instant(text(raw, "created_time")),
                parent=ItemRef(PLATFORM, parent or post),
                thread=ItemRef(PLATFORM, post),
                attachments=_attachments(raw),
                visibility=_visibility(raw),
                raw=raw,
            )

        return read(record, convert)

    def author(self, record: Raw) -> Author:
        """`from` is missing for people who have not met the app, and always without a Page token."""
        author = text(record, "from", "id")
        return Author(
            id=author,
            display_name=text(record, "from", "name"),
            kind=AuthorKind.SCHOOL if author in self.own else AuthorKind.UNKNOWN,
        )


def told(post: Any) -> int | None:
    """How many comments and replies Facebook counts below a post, None where it does not say."""
    count = dig(post, "comments", "summary", "total_count")
    return count if isinstance(count, int) and 0 <= count < 1_000_000_000 else None


def profile(record: Raw) -> Profile:
    """A Page that a search found. Facebook gives its place, but neither its handle nor what it says of itself."""
    place = (text(record, "location", name) for name in ("street", "city", "country"))
    return Profile(
        platform=PLATFORM,
        id=text(record, "id"),
        handle="",
        name=text(record, "name"),
        about=", ".join(filter(None, place)),
        url=web_url(text(record, "link")),
        raw=record,
    )


def _comment_ids(raw: Raw, post: str) -> tuple[str, str]:
    """A comment's id and its parent comment's ("" for a top-level comment).

    Both also stand in the permalink, which some answers carry without the fields themselves.
    """
    number = post.rpartition("_")[2]
    address = parse_qs(urlsplit(web_url(text(raw, "permalink_url"))).query)
    top = address.get("comment_id", [""])[0]
    reply = address.get("reply_comment_id", [""])[0]
    linked = f"{number}_{reply or top}" if reply or top else ""
    linked_parent = f"{number}_{top}" if reply else ""
    return text(raw, "id") or linked, text(raw, "parent", "id") or linked_parent


def _visibility(record: Raw) -> Visibility:
    return Visibility.HIDDEN if record.get("is_hidden") is True else Visibility.PUBLIC


def _attachments(record: Raw) -> tuple[str, ...]:
    """Attachments as facts, each picture of an album its own; nothing is downloaded.

    A picture's alt text stands on the picture alone, which would cost a call for each at every reading.
    """
    found = [dig(record, "attachment"), *mappings(dig(record, "attachments", "data"))]
    told = [each for entry in found for each in mappings(dig(entry, "subattachments", "data")) or [entry]]
    return tuple(_attachment(entry) for entry in told if entry is not None)


def _attachment(entry: Any) -> str:
    kind = text(entry, "media_type") or text(entry, "type") or "attachment"
    words = "" if kind in _PICTURES else " ".join(text(entry, "title").split())
    return f"{kind}: {words}" if words else kind
