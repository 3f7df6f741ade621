"""A school's professional account on Instagram through the Graph API, read with facebook-sdk.

Every poll lists the account's posts and reads the comments of the latest to the end, and of older ones where
Instagram counts others than last time: comments cannot be asked for by date. Replies are listed apart, comment by
comment. https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference: ig-user/media and
/tags, ig-media/comments, ig-comment/replies.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from pydantic import Field

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text, web_url
from connectors._graph import Graph, GraphError, GraphOptions, NotPermitted, connected, is_missing, unseen
from connectors._http import Service
from connectors._options import need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "instagram"
#: What may be asked of anybody's post that tags the account, and what of the account's own.
TAG_FIELDS = "id,caption,timestamp,permalink,username,media_type,children{id,media_type}"
POST_FIELDS = (
    "id,caption,timestamp,permalink,username,owner,media_type,media_product_type,alt_text,comments_count,"
    "is_comment_enabled,children{id,media_type,alt_text}"
)
REPLY_FIELDS = "id,text,timestamp,username,from,hidden,parent_id"
COMMENT_FIELDS = f"{REPLY_FIELDS},replies.limit(1){{id}}"  # one is enough to know that there are some
COMMENTS_A_PAGE = 50  # Instagram's own limit
_KINDS = {"IMAGE": "photo", "VIDEO": "video", "CAROUSEL_ALBUM": "album"}
Results = Iterator[list[Item | Reject]]
#: A post's comments: how many Instagram counted, and how many it showed.
Count = tuple[int, int]


class Options(GraphOptions):
    """`user` is the id of the professional account (not its name); the rest has good defaults."""

    user: str = Field(pattern=r"^\d+$")
    #: The comments of posts of these days are read by every poll.
    window_days: float = Field(default=30, gt=0, le=365)
    #: Those of posts of these days where Instagram's count of them has changed.
    reach_days: float = Field(default=90, gt=0, le=730)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one professional account. Raises ConfigError."""
    return Instagram(account, options, need_secret(account, secrets, "token"))


class Instagram(Connector):
    """Reads one professional account."""

    def __init__(self, account: Account, options: Options, token: str) -> None:
        self._account = account
        self._options = options
        self._token = token
        self._own = {options.user, *(handle.lower().lstrip("@") for handle in account.handles)}
        self._service = Service(
            name="Instagram",
            account=account.id,
            remedy="Ask your technician to make a new token with instagram_basic, instagram_manage_comments and "
            "pages_read_engagement (docs/connectors.md, Instagram), and to put it where the account's "
            "`secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            reads=("own posts", "comments", "replies", "posts that tag the account"),
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the comments on posts of the last {self._options.window_days:g} days, and where "
                f"their number has changed, of {self._options.reach_days:g} days",
                "mentions in others' comments, captions and stories cannot be read: they reach webhooks only",
                "comments on others' posts, advertisements or age-restricted posts, and of people restricted, are "
                "not given out; where Instagram counts more than it gives, that is listed as unreadable",
                "replies are one level deep: an answer to a reply stands below the same comment",
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Posts, their comments and replies, and posts that tag the account. Only the last page moves the cursor.

        Posts come newest first, but for those pinned above: only a whole page beyond reach ends the list.
        """
        read_to, before = _load(cursor)
        since = min(now - timedelta(days=self._options.window_days), read_to or now)
        reach = min(now - timedelta(days=self._options.reach_days), since)
        counts: dict[str, Count] = {}
        seen: set[str] = set()
        with self._graph(now) as graph:
            params = {"fields": POST_FIELDS, "limit": self._options.page_size}
            for records in graph.listing(self._options.user, "media", params):
                fresh = [record for record in unseen(records, seen) if _when(record) >= reach]
                yield page((self._post(record) for record in fresh), cursor=cursor)
                for post in filter(_id, fresh):
                    told, last = _told(post), before.get(_id(post))
                    if _when(post) >= since or last is None or last[0] != told:
                        comments = _Comments(told=told, last=last)
                        for results in self._comments(graph, post, comments):
                            yield page(results, cursor=cursor)
                        last = None if told is None else (told, len(comments.seen))
                    if last is not None:
                        counts[_id(post)] = last
                if records and all(_when(record) < reach for record in records):
                    break
            for records in self._tags(graph):
                yield page((self._tagged(record) for record in unseen(records, seen)), cursor=cursor)
        yield Page(cursor=json.dumps({"read_to": format_instant(now), "counts": counts}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and all below it; what is `known` but not listed is asked for one by one."""
        if not _is_ours(ref):
            return
        with self._graph(now) as graph:
            post = _single(graph, ref, POST_FIELDS)
            if not _id(post):
                yield from self._not_our_post(graph, ref, known, gone=post is None)
                return
            if not self._is_own(post):
                yield page([self._tagged(post)])
                return
            yield page([self._post(post)])
            comments = _Comments(told=_told(post))
            for results in self._comments(graph, post, comments):
                yield page(results)
            for missing in [item for item in known if _is_ours(item) and item.id not in comments.seen | {ref.id}]:
                record = _single(graph, missing, REPLY_FIELDS)
                found = [self._comment(record, post)] if record else []
                yield page(found, gone=[missing] if record is None else [])

    def _not_our_post(self, graph: Graph, ref: ItemRef, known: Sequence[ItemRef], *, gone: bool) -> Iterator[Page]:
        """A post that cannot be asked for: somebody else's that still tags the account, or one that is gone."""
        for record in chain.from_iterable(self._tags(graph)):
            if _id(record) == ref.id:
                yield page([self._tagged(record)])
                return
        # "Does not exist" may also mean "not for you": prove that the token still reads the account.
        graph.get_object(self._options.user, fields="id")
        if gone:
            yield Page(gone=tuple(dict.fromkeys([ref, *filter(_is_ours, known)])))

    def _graph(self, now: datetime) -> AbstractContextManager[Graph]:
        return connected(self._service, self._options, self._token, now, f"the account {self._options.user}")

    def _tags(self, graph: Graph) -> Iterator[list[Any]]:
        """Posts in which others tagged the account; this edge never says that a next page follows."""
        params = {"fields": TAG_FIELDS, "limit": self._options.page_size}
        yield from graph.listing(self._options.user, "tags", params, unannounced=True)

    def _comments(self, graph: Graph, post: Raw, comments: "_Comments") -> Results:
        """Comments, and the replies of each that has some; of all, where that makes fewer than Instagram counts.

        What is missing at the next poll, too, is reported.
        """
        silent: list[str] = []
        for records in self._edge(graph, _id(post), "comments", COMMENT_FIELDS):
            fresh = unseen(records, comments.seen)
            yield [self._comment(record, post) for record in fresh]
            with_replies = [_id(record) for record in fresh if dig(record, "replies", "data")]
            silent += [_id(record) for record in fresh if _id(record) not in with_replies]
            yield from self._replies(graph, with_replies, post, comments)
        if comments.missing() and not comments.as_before():
            yield from self._replies(graph, silent, post, comments)
        if comments.missing() and comments.as_before():
            reason = (
                f"Instagram counts {comments.told} comments on this post and showed {len(comments.seen)}: it keeps "
                "back those of restricted people; if this is so for all posts, ask whether the app is live"
            )
            facts = {"id": _id(post), "comments_count": comments.told, "shown": len(comments.seen)}
            yield [Reject(raw=facts, reason=reason)]

    def _replies(self, graph: Graph, above: Sequence[str], post: Raw, comments: "_Comments") -> Results:
        for comment in filter(None, above):
            for records in self._edge(graph, comment, "replies", REPLY_FIELDS):
                yield [self._comment(record, post, comment) for record in unseen(records, comments.seen)]

    def _edge(self, graph: Graph, owner: str, edge: str, fields: str) -> Iterator[list[Any]]:
        try:
            yield from graph.listing(owner, edge, {"fields": fields, "limit": COMMENTS_A_PAGE})
        except GraphError as error:
            # The post or comment went while we were reading: the next sweep of its thread reports that.
            if not is_missing(error.result):
                raise

    def _post(self, record: Any) -> Item | Reject:
        """A post that the account lists: the school's own unless it says otherwise."""
        owner, handle = text(record, "owner", "id"), text(record, "username")
        if handle and owner == self._options.user:
            # So that the school's comments are known as such, whatever the register of accounts says.
            self._own.add(handle.lower())
        ours = Author(id=self._options.user, kind=AuthorKind.SCHOOL)
        author = self._author(record) if owner or handle else ours
        return read(record, lambda raw: _item(raw, self._account.channel, author))

    def _tagged(self, record: Any) -> Item | Reject:
        """Somebody's post that tags the account: a mention, whatever the account is read for."""
        return read(record, lambda raw: _item(raw, Channel.MENTION, self._author(raw)))

    def _comment(self, record: Any, post: Raw, above: str = "") -> Item | Reject:
        def convert(raw: Raw) -> Item:
            comment, parent = _id(raw), text(raw, "parent_id") or above
            if not comment:
                raise Unreadable("the comment has no id")
            thread = ItemRef(PLATFORM, _id(post))
            return Item(
                ref=ItemRef(PLATFORM, comment),
                channel=self._account.channel,
                kind=ItemKind.REPLY if parent else ItemKind.COMMENT,
                author=self._author(raw),
                text=text(raw, "text"),
                url=_address(post, comment, parent),
                published_at=instant(text(raw, "timestamp")),
                parent=ItemRef(PLATFORM, parent) if parent else thread,
                thread=thread,
                raw=raw,
            )

        return read(record, convert)

    def _author(self, record: Raw) -> Author:
        """`from` and `username` are missing where the token may not see them."""
        author = text(record, "from", "id") or text(record, "user", "id") or text(record, "owner", "id")
        handle = text(record, "username") or text(record, "from", "username")
        ours = bool({author, handle.lower()} & self._own - {""})
        return Author(id=author, handle=handle, kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN)

    def _is_own(self, post: Raw) -> bool:
        """Whether the account wrote `post`: its owner is told to that owner alone."""
        return not text(post, "username") or self._author(post).kind is AuthorKind.SCHOOL


@dataclass(slots=True, kw_only=True)
class _Comments:
    """What was read of one post's comments, beside what Instagram counts (replies included)."""

    told: int | None
    last: Count | None = None
    seen: set[str] = field(default_factory=set)

    def missing(self) -> bool:
        """Whether Instagram counts more than it showed, or gives no count."""
        return self.told is None or len(self.seen) < self.told

    def as_before(self) -> bool:
        """Whether the last poll ended with just these numbers: no count that lags behind."""
        return self.last == (self.told, len(self.seen))


def _item(raw: Raw, channel: Channel, author: Author) -> Item:
    post = _id(raw)
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


def _single(graph: Graph, ref: ItemRef, fields: str) -> Any:
    """One record, None where there is none, {} where it is withheld: that is not deleted."""
    try:
        return graph.single(ref.id, fields)
    except NotPermitted:
        return {}


def _when(record: Any) -> datetime:
    """A post's time; one without a time counts as new."""
    return instant(text(record, "timestamp")) or datetime.max.replace(tzinfo=UTC)


def _told(post: Raw) -> int | None:
    count = text(post, "comments_count")
    return int(count) if count.isdecimal() and len(count) < 10 else None


def _load(cursor: str | None) -> tuple[datetime | None, dict[str, Count]]:
    """Up to when all was read (UTC), and each post's count then; a cursor of no sense starts from the beginning."""
    try:
        state = json.loads(cursor or "{}")
        counts = {post: (int(told), int(shown)) for post, (told, shown) in state["counts"].items()}
        return parse_instant(state["read_to"]), counts
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None, {}


def _id(record: Any) -> str:
    return text(record, "id")


def _is_ours(ref: ItemRef) -> bool:
    """Whether Instagram itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and ref.id.isdecimal()
