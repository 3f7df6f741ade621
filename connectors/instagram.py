"""A school's professional account on Instagram through the Graph API, read with facebook-sdk.

Every poll lists the account's posts and reads the comments of the latest to the end, and of older ones where
Instagram counts others than last time: comments cannot be asked for by date. Replies are listed apart, comment by
comment. https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference: ig-user/media and
/tags, ig-media/comments, ig-comment/replies.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from pydantic import Field

from connectors._fields import dig, page, text
from connectors._graph import Graph, GraphOptions, connected, unseen, when
from connectors._graph_access import Subject, inspect
from connectors._graph_counts import (
    Below,
    Count,
    Memory,
    Results,
    readable,
    refused,
    remembered,
    silence,
    unlisted,
    vanished,
)
from connectors._graph_messages import Inbox, is_conversation
from connectors._http import Service
from connectors._instagram import COMMENT_FIELDS, PLATFORM, POST_FIELDS, REPLY_FIELDS, TAG_FIELDS, Reader, told
from connectors._options import hosts_of, need_secret
from monitor.domain.account import Access, Account, Capabilities
from monitor.domain.item import Channel, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

COMMENTS_A_PAGE = 50  # Instagram's own limit


class Options(GraphOptions):
    """`user` is the id of the professional account (not its name); the rest has good defaults."""

    user: str = Field(pattern=r"^\d+$")
    #: The comments of posts of these days are read by every poll.
    window_days: float = Field(default=30, gt=0, le=365)
    #: Those of posts of these days where Instagram's count of them has changed.
    reach_days: float = Field(default=90, gt=0, le=730)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one professional account; the secret `app_token` is optional. Raises ConfigError."""
    return Instagram(account, options, need_secret(account, secrets, "token"), secrets.get("app_token", "").strip())


class Instagram(Connector):
    """Reads one professional account, or (a mention account) no more than the posts that tag it."""

    def __init__(self, account: Account, options: Options, token: str, app_token: str = "") -> None:
        self._options = options
        self._token = token
        self._app_token = app_token
        self._tags_only = account.channel is Channel.MENTION
        self._reader = Reader(options.user, account.channel, account.handles)
        self._inbox = (
            Inbox(
                platform=PLATFORM,
                service="instagram",
                owner="me",
                needs=("instagram_manage_messages", "pages_manage_metadata"),
                channel=account.channel,
                author=self._reader.author,
            )
            if account.private_messages and not self._tags_only
            else None
        )
        self._service = Service(
            name="Instagram",
            account=account.id,
            remedy=f"Ask your technician to make a new token with {', '.join(self._needs)} "
            "(docs/connectors.md, Instagram), and to put it where the account's `secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        mentions, messages = ("posts that tag the account",), ("private messages",) if self._inbox else ()
        return Capabilities(
            reads=mentions if self._tags_only else ("own posts", "comments", "replies", *mentions, *messages),
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the comments on posts of the last {self._options.window_days:g} days, and where "
                f"their number has changed, of {self._options.reach_days:g} days",
                "mentions in others' comments, captions and stories cannot be read: they reach webhooks only; "
                "Instagram has no search for words",
                "comments on others' posts, advertisements or age-restricted posts, and of people restricted, are "
                "not given out; where Instagram counts more than it gives, that is listed as unreadable",
                "replies are one level deep: an answer to a reply stands below the same comment",
                *(("of a conversation, the last 20 messages can be read",) if messages else ()),
            ),
            needs=self._needs,
            hosts=hosts_of(self._options.base_url),
            pages=("www.instagram.com",),
            hidden=not self._tags_only,
        )

    @property
    def _needs(self) -> tuple[str, ...]:
        messages = self._inbox.needs if self._inbox else ()
        return ("instagram_basic", "instagram_manage_comments", "pages_read_engagement", *messages)

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Posts, their comments and replies, and posts that tag us. Only the last page moves the cursor."""
        memory = Memory.load(cursor)
        window = now - timedelta(days=self._options.window_days)
        since = min(window, memory.read_to or window)
        messages_to = None
        counts: dict[str, Count] = {}
        seen: set[str] = set()
        read: list[Below] = []
        with self._graph(now) as graph:
            for records in self._posts(graph, min(now - timedelta(days=self._options.reach_days), since), seen):
                yield self._page_of_posts(records, cursor)
                for post in filter(_id, records):
                    below = Below(post=_id(post), told=told(post), last=memory.counts.get(_id(post)))
                    if when(post, "timestamp") >= since or _may_have_changed(below):
                        read.append(below)
                        for results in self._comments(graph, post, below):
                            yield page(results, cursor=cursor)
                    elif below.last is not None:
                        counts[below.post] = below.last
            if not seen and (error := vanished(self._service, graph, memory, "id", lambda post: True)):
                raise error
            for records in self._tags(graph):
                yield page((self._reader.tagged(record) for record in unseen(records, seen)), cursor=cursor)
            if self._inbox:
                messages_to = yield from self._inbox.poll(graph, since, memory.messages_to, now, cursor)
            if error := refused(read):
                raise error
            left = Memory(read_to=now, messages_to=messages_to, counts=counts | remembered(read))
            yield Page(cursor=left.dump(), rest_until=graph.rest_until)
        if error := silence(self._service, read):
            raise error

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and all below it; what is `known` but not listed is asked for one by one."""
        if ref.platform == PLATFORM and is_conversation(ref):
            if self._inbox:
                with self._graph(now) as graph:
                    yield page(self._inbox.thread(graph, ref))
            return
        if not _is_ours(ref):
            return
        with self._graph(now) as graph:
            post = graph.look_up(ref.id, POST_FIELDS)
            if not _id(post):
                yield from self._not_our_post(graph, ref, known, gone=post is None)
                return
            if not self._reader.is_own(post):
                yield page([self._reader.tagged(post)])
                return
            yield self._page_of_posts([post])
            below = Below(post=ref.id, told=told(post))
            for results in self._comments(graph, post, below):
                yield page(results)
            others = [item for item in known if _is_ours(item) and item != ref]
            yield from unlisted(graph, below, others, REPLY_FIELDS, lambda raw: self._reader.comment(raw, post))
            if error := refused([below]) or silence(self._service, [below]):
                raise error

    def access(self, now: datetime) -> Access:
        subject = Subject(
            id=self._options.user,
            words=f"the account {self._options.user}",
            needs=self._needs,
            scopes_name_it="instagram_",
            inbox=self._inbox,
        )
        return inspect(self._service, self._options, self._token, self._app_token, subject, now)

    def _not_our_post(self, graph: Graph, ref: ItemRef, known: Sequence[ItemRef], *, gone: bool) -> Iterator[Page]:
        """A post that cannot be asked for: somebody else's that still tags the account, or one that is gone."""
        for record in chain.from_iterable(self._tags(graph)):
            if _id(record) == ref.id:
                yield page([self._reader.tagged(record)])
                return
        # "Does not exist" may also mean "not for you": prove that the token still reads the account.
        graph.get_object(self._options.user, fields="id")
        if gone:
            yield Page(gone=tuple(dict.fromkeys([ref, *filter(_is_ours, known)])))

    def _graph(self, now: datetime) -> AbstractContextManager[Graph]:
        return connected(self._service, self._options, self._token, now, f"the account {self._options.user}")

    def _posts(self, graph: Graph, reach: datetime, seen: set[str]) -> Iterator[list[Any]]:
        """The account's posts since `reach`, each once.

        They come newest first, but for those pinned above: only a whole page beyond reach ends the list.
        """
        if self._tags_only:
            return
        params = {"fields": POST_FIELDS, "limit": self._options.page_size}
        for records in graph.listing(self._options.user, "media", params):
            yield [record for record in unseen(records, seen) if when(record, "timestamp") >= reach]
            if records and all(when(record, "timestamp") < reach for record in records):
                return

    def _page_of_posts(self, records: Sequence[Any], cursor: str | None = None) -> Page:
        counted = [(ItemRef(PLATFORM, _id(post)), told(post)) for post in records]
        return page(
            map(self._reader.post, records),
            cursor=cursor,
            totals={ref: count for ref, count in counted if ref.id and count is not None},
        )

    def _tags(self, graph: Graph) -> Iterator[list[Any]]:
        """Posts in which others tagged the account; this edge never says that a next page follows."""
        params = {"fields": TAG_FIELDS, "limit": self._options.page_size}
        yield from graph.listing(self._options.user, "tags", params, unannounced=True)

    def _comments(self, graph: Graph, post: Raw, below: Below) -> Results:
        """Comments, and the replies of each that has some; of all, where that makes fewer than Instagram counts.

        What is missing at the next poll, too, is reported.
        """
        silent: list[str] = []
        yield from readable(below.post, below, self._listed(graph, post, below, silent))
        if below.missing() and not below.as_before():
            yield from self._replies(graph, silent, post, below)
        if below.told is not None and below.missing() and below.as_before():
            reason = (
                f"Instagram counts {below.told} comments on this post and showed {len(below.seen)}: it keeps "
                "back those of restricted people; if this is so for all posts, ask whether the app is live"
            )
            facts = {"id": below.post, "comments_count": below.told, "shown": len(below.seen)}
            yield [Reject(raw=facts, reason=reason)]

    def _listed(self, graph: Graph, post: Raw, below: Below, silent: list[str]) -> Results:
        """Comments and the replies that they speak of; those that speak of none are added to `silent`."""
        for records in _edge(graph, below.post, "comments", COMMENT_FIELDS):
            fresh = unseen(records, below.seen)
            yield [self._reader.comment(record, post) for record in fresh]
            with_replies = [_id(record) for record in fresh if dig(record, "replies", "data")]
            silent += [_id(record) for record in fresh if _id(record) not in with_replies]
            yield from self._replies(graph, with_replies, post, below)

    def _replies(self, graph: Graph, above: Sequence[str], post: Raw, below: Below) -> Results:
        def below_comment(comment: str) -> Results:
            for records in _edge(graph, comment, "replies", REPLY_FIELDS):
                yield [self._reader.comment(record, post, comment) for record in unseen(records, below.seen)]

        for comment in filter(None, above):
            yield from readable(comment, below, below_comment(comment))


def _edge(graph: Graph, owner: str, edge: str, fields: str) -> Iterator[list[Any]]:
    return graph.listing(owner, edge, {"fields": fields, "limit": COMMENTS_A_PAGE})


def _may_have_changed(below: Below) -> bool:
    """Whether Instagram's count below an old post is another than last time, is not told, or was not made good."""
    if below.last is None or below.told is None:
        return True
    counted, shown = below.last
    return counted != below.told or (counted > 0 and shown == 0)


def _is_ours(ref: ItemRef) -> bool:
    """Whether Instagram itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and ref.id.isdecimal()


def _id(record: Any) -> str:
    return text(record, "id")
