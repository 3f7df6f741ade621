"""Instagram's records as items: posts, posts that tag the account, comments and replies.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference: ig-media and ig-comment.
"""

from typing import Any

from connectors._fields import Unreadable, dig, instant, mappings, read, text, web_url
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Raw, Reject, Visibility

PLATFORM = "instagram"
#: What may be asked of anybody's post that tags the account, and what of the account's own.
TAG_FIELDS = "id,caption,timestamp,permalink,username,media_type,children{id,media_type}"
POST_FIELDS = (
    "id,caption,timestamp,permalink,username,owner,media_type,media_product_type,alt_text,comments_count,"
    "is_comment_enabled,children{id,media_type,alt_text}"
)
REPLY_FIELDS = "id,text,timestamp,username,from,hidden,parent_id"
COMMENT_FIELDS = f"{REPLY_FIELDS},replies.limit(1){{id}}"  # one is enough to know that there are some
_KINDS = {"IMAGE": "photo", "VIDEO": "video", "CAROUSEL_ALBUM": "album"}


class Reader:
    """Reads the records of the account `user` on `channel`; it learns from its posts what the account is called."""

    def __init__(self, user: str, channel: Channel, handles: tuple[str, ...]) -> None:
        self._user = user
        self._channel = channel
        self._own = {user, *(handle.lower().lstrip("@") for handle in handles)}

    def post(self, record: Any) -> Item | Reject:
        """A post that the account lists: the school's own unless it says otherwise."""
        owner, handle = text(record, "owner", "id"), text(record, "username")
        if handle and owner == self._user:
            # So that the school's comments are known as such, whatever the register of accounts says.
            self._own.add(handle.lower())
        ours = Author(id=self._user, kind=AuthorKind.SCHOOL)
        author = self.author(record) if owner or handle else ours
        return read(record, lambda raw: _post(raw, self._channel, author))

    def tagged(self, record: Any) -> Item | Reject:
        """Somebody's post that tags the account: a mention, whatever the account is read for."""
        return read(record, lambda raw: _post(raw, Channel.MENTION, self.author(raw)))

    def comment(self, record: Any, post: Raw, above: str = "") -> Item | Reject:
        def convert(raw: Raw) -> Item:
            comment, parent = text(raw, "id"), text(raw, "parent_id") or above
            if not comment:
                raise Unreadable("the comment has no id")
            thread = ItemRef(PLATFORM, text(post, "id"))
            return Item(
                ref=ItemRef(PLATFORM, comment),
                channel=self._channel,
                kind=ItemKind.REPLY if parent else ItemKind.COMMENT,
                author=self.author(raw),
                text=text(raw, "text"),
                url=_address(post, comment, parent),
                published_at=instant(text(raw, "timestamp")),
                parent=ItemRef(PLATFORM, parent) if parent else thread,
                thread=thread,
                visibility=Visibility.HIDDEN if raw.get("hidden") is True else Visibility.PUBLIC,
                raw=raw,
            )

        return read(record, convert)

    def author(self, record: Raw) -> Author:
        """`from` and `username` are missing where the token may not see them."""
        author = text(record, "from", "id") or text(record, "user", "id") or text(record, "owner", "id")
        handle = text(record, "username") or text(record, "from", "username")
        ours = bool({author, handle.lower()} & self._own - {""})
        return Author(id=author, handle=handle, kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN)

    def is_own(self, post: Raw) -> bool:
        """Whether the account wrote `post`: its owner is told to that owner alone."""
        return not text(post, "username") or self.author(post).kind is AuthorKind.SCHOOL


def told(post: Any) -> int | None:
    """How many comments and replies Instagram counts below a post, None where it does not say."""
    count = text(post, "comments_count")
    return int(count) if count.isdecimal() and len(count) < 10 else None


def _post(raw: Raw, channel: Channel, author: Author) -> Item:
    post = text(raw, "id")
    if not post:
        raise Unreadable("the post has no id")
    ref = ItemRef(PLATFORM, post)
    return Item(
        ref=ref,
        channel=channel,
        kind=ItemKind.POST,
        author=author,
        text=text(raw, "caption"),
        url=web_url(text(raw, "permalink")),
        published_at=instant(text(raw, "timestamp")),
        thread=ref,
        attachments=tuple(map(_attachment, mappings(dig(raw, "children", "data")) or [raw])),
        raw=raw,
    )


def _attachment(media: Raw) -> str:
    """What kind it is, and the alt text that its author gave it; nothing is downloaded."""
    told, words = text(media, "media_type"), " ".join(text(media, "alt_text").split())
    kind = _KINDS.get(told, told.lower() or "attachment")
    return f"{kind}: {words}" if words else kind


def _address(post: Raw, comment: str, parent: str) -> str:
    """Where people see a comment: Graph gives the post's address only, and the website's goes on like this."""
    permalink = web_url(text(post, "permalink")).rstrip("/")
    if not permalink:
        return ""
    return f"{permalink}/c/{parent}/r/{comment}/" if parent else f"{permalink}/c/{comment}/"
