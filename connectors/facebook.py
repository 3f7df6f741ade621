"""A Facebook Page through the Graph API, read with facebook-sdk.

Every poll lists the Page's posts of the last weeks (its own, visitors', and those that tag it) and reads the
comments of each to the end: Facebook may order comments by rank whatever is asked, so that nothing already known
says that the rest is. https://developers.facebook.com/docs/graph-api/reference/page/feed and /object/comments

Reviews are not read: version 22.0 took recommendations out of the API, which answers with error 12.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from connectors._facebook import (
    COMMENT_FIELDS,
    PLATFORM,
    POST_FIELDS,
    PROFILE_FIELDS,
    TAG_FIELDS,
    Reader,
    profile,
    told,
)
from connectors._fields import mappings, page, text
from connectors._graph import Graph, GraphOptions, connected, unseen, when
from connectors._graph_access import Subject, inspect
from connectors._graph_counts import (
    Below,
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
from connectors._options import hosts_of, need_secret
from monitor.domain.account import Access, Account, Capabilities, Profile
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, Item, ItemRef, Page, Reject
from monitor.domain.ports import Connector

_ID = re.compile(r"\d+(_\d+)?")
#: Where people see a Page.
PAGES = ("www.facebook.com",)


class Options(GraphOptions):
    """`page` is the Page's id; the rest has good defaults."""

    page: str = Field(pattern=r"^\d+$")
    #: For mention accounts, which read somebody else's Page: what to look for, else what the school is called.
    names: tuple[str, ...] = ()
    #: Posts older than this are read by sweeps of their threads, not by every poll.
    window_days: float = Field(default=30, gt=0, le=365)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one Page; the secret `app_token` is optional. Raises ConfigError."""
    return Facebook(account, options, need_secret(account, secrets, "token"), secrets.get("app_token", "").strip())


class Facebook(Connector):
    """Reads one Page: the school's, or what is said of the school on somebody else's."""

    def __init__(self, account: Account, options: Options, token: str, app_token: str = "") -> None:
        self._options = options
        self._token = token
        self._app_token = app_token
        self._elsewhere = account.channel is Channel.MENTION
        names = options.names or (*account.names.phrases, *account.names.handles)
        self._names = tuple(name.casefold() for name in names if name.strip())
        if self._elsewhere and not self._names:
            raise ConfigError(
                f"account {account.id}: another Page is read for what the school is called: list the school's "
                "names in school.yaml, or give option 'names'"
            )
        own = account.handles if self._elsewhere else (options.page, *account.handles)
        self._reader = Reader(channel=account.channel, own=own)
        self._inbox = (
            Inbox(
                platform=PLATFORM,
                service="messenger",
                owner=options.page,
                needs=("pages_messaging", "pages_manage_metadata"),
                channel=account.channel,
                author=self._reader.author,
            )
            if account.private_messages and not self._elsewhere
            else None
        )
        self._service = Service(
            name="Facebook",
            account=account.id,
            remedy="Ask your technician to sign in to Facebook as an administrator of the Page, make a new Page "
            f"token with {', '.join(self._needs) or 'Page Public Content Access'} (docs/connectors.md, "
            "Facebook), and put it where the account's `secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        window = f"every poll reads the posts of the last {self._options.window_days:g} days"
        hosts = hosts_of(self._options.base_url)
        if self._elsewhere:
            return Capabilities(
                reads=("posts and comments on another Page that name the school",),
                edits=True,
                deletions=True,
                notes=(
                    window,
                    "needs an app to which Facebook has granted Page Public Content Access; Facebook has no search "
                    "for posts",
                ),
                hosts=hosts,
                pages=PAGES,
                finds_profiles=bool(self._app_token),
            )
        messages = ("private messages",) if self._inbox else ()
        return Capabilities(
            reads=("own posts", "visitor posts", "posts that tag the Page", "comments", "replies", *messages),
            edits=True,
            deletions=True,
            notes=(
                window,
                "comments under other people's posts that tag the Page cannot be read",
                "reviews cannot be read: Facebook took them out of its API",
                *(("of a conversation, the last 20 messages can be read",) if messages else ()),
            ),
            needs=self._needs,
            hosts=hosts,
            pages=PAGES,
            hidden=True,
        )

    @property
    def _needs(self) -> tuple[str, ...]:
        if self._elsewhere:
            return ()
        messages = self._inbox.needs if self._inbox else ()
        return ("pages_read_engagement", "pages_read_user_content", *messages)

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """All posts of the window and all their comments. Only the last page moves the cursor."""
        memory = Memory.load(cursor)
        window = now - timedelta(days=self._options.window_days)
        since = min(window, memory.read_to or window)
        messages_to = None
        seen: set[str] = set()
        every: list[Below] = []
        with self._graph(now) as graph:
            for records in self._posts(graph, since):
                fresh = unseen(records, seen)
                yield self._page_of_posts(fresh, cursor)
                for post in filter(self._on_our_page, fresh):
                    below = Below(post=_id(post), told=told(post), last=memory.counts.get(_id(post)))
                    every.append(below)
                    for results in self._comments(graph, below, named=self._names_us(post)):
                        yield page(results, cursor=cursor)
            if not every and (
                error := vanished(
                    self._service, graph, memory, TAG_FIELDS, lambda post: when(post, "created_time") >= since
                )
            ):
                raise error
            if self._inbox:
                messages_to = yield from self._inbox.poll(graph, since, memory.messages_to, now, cursor)
            if error := refused(every):
                raise error
            left = Memory(read_to=now, messages_to=messages_to, counts=remembered(every))
            yield Page(cursor=left.dump(), rest_until=graph.rest_until)
        if error := silence(self._service, every):
            raise error

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and all its comments; what is `known` but not listed is asked for one by one."""
        if ref.platform == PLATFORM and is_conversation(ref):
            if self._inbox:
                with self._graph(now) as graph:
                    yield page(self._inbox.thread(graph, ref))
            return
        if not _is_ours(ref):
            return
        with self._graph(now) as graph:
            ours = ref.id.startswith(f"{self._options.page}_")
            post = graph.single(ref.id, POST_FIELDS if ours else TAG_FIELDS)
            if post is None:
                # "Does not exist" may also mean "not for you": prove that the token still reads the Page.
                graph.get_object(self._options.page, fields="id")
                yield Page(gone=tuple(dict.fromkeys([ref, *filter(_is_ours, known)])))
                return
            yield self._page_of_posts([post])
            if not ours:
                return
            below = Below(post=ref.id, told=told(post))
            for results in self._comments(graph, below, named=self._names_us(post)):
                yield page(results)
            others = [item for item in known if _is_ours(item) and item != ref]
            yield from unlisted(graph, below, others, COMMENT_FIELDS, lambda raw: self._reader.comment(raw, ref.id))
            if error := refused([below]) or silence(self._service, [below]):
                raise error

    def access(self, now: datetime) -> Access:
        subject = Subject(
            id=self._options.page,
            words=f"the Page {self._options.page}",
            needs=self._needs,
            scopes_name_it="pages_",
            inbox=self._inbox,
        )
        return inspect(self._service, self._options, self._token, self._app_token, subject, now)

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """Pages that Facebook finds for each name; it lets an app search, and no Page."""
        if not self.capabilities().finds_profiles:
            return
        seen: set[str] = set()
        with connected(self._service, self._options, self._app_token, now, "the search for Pages") as graph:
            for name in names:
                found = next(graph.listing("pages", "search", {"q": name, "fields": PROFILE_FIELDS}))
                yield from (profile(record) for record in mappings(unseen(found, seen)) if _id(record))

    def _graph(self, now: datetime) -> AbstractContextManager[Graph]:
        return connected(self._service, self._options, self._token, now, f"the Page {self._options.page}")

    def _posts(self, graph: Graph, since: datetime) -> Iterator[list[Any]]:
        """The Page's posts, and on the school's own those that tag it; some of these come with both."""
        edges = {"feed": POST_FIELDS} if self._elsewhere else {"feed": POST_FIELDS, "tagged": TAG_FIELDS}
        for edge, fields in edges.items():
            params = {"fields": fields, "since": int(since.timestamp()), "limit": self._options.page_size}
            yield from graph.listing(self._options.page, edge, params)

    def _page_of_posts(self, records: Sequence[Any], cursor: str | None = None) -> Page:
        counted = [(ItemRef(PLATFORM, _id(post)), told(post)) for post in records if self._names_us(post)]
        return page(
            self._wanted((self._reader.post(record) for record in records), named=False),
            cursor=cursor,
            totals={ref: count for ref, count in counted if ref.id and count is not None},
        )

    def _comments(self, graph: Graph, below: Below, *, named: bool) -> Results:
        """Comments and replies alike ("stream"): the default lists top-level comments alone."""
        params = {
            "fields": COMMENT_FIELDS,
            "filter": "stream",
            "order": "chronological",
            "limit": self._options.page_size,
        }

        def listed() -> Results:
            for records in graph.listing(below.post, "comments", params):
                found = [self._reader.comment(record, below.post) for record in records]
                fresh = [result for result in found if isinstance(result, Reject) or _is_new(result, below.seen)]
                yield self._wanted(fresh, named=named)

        return readable(below.post, below, listed())

    def _on_our_page(self, post: Any) -> bool:
        """Whether a post stands on the Page itself: comments elsewhere are not ours to read."""
        return _id(post).startswith(f"{self._options.page}_")

    def _names_us(self, record: Any) -> bool:
        """Whether all below a post concerns the school: on its own Page always, elsewhere where it is named."""
        return not self._elsewhere or self._is_named(text(record, "message"))

    def _is_named(self, words: str) -> bool:
        said = words.casefold()
        return any(name in said for name in self._names)

    def _wanted(self, results: Iterable[Item | Reject], *, named: bool) -> list[Item | Reject]:
        """Of another Page only what names the school, and what stands below a post that is `named`."""
        if not self._elsewhere or named:
            return list(results)
        return [result for result in results if isinstance(result, Reject) or self._is_named(result.text)]


def _is_ours(ref: ItemRef) -> bool:
    """Whether Facebook itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and _ID.fullmatch(ref.id) is not None


def _is_new(item: Item, seen: set[str]) -> bool:
    """Whether an item was not seen before, adding it."""
    new = item.ref.id not in seen
    seen.add(item.ref.id)
    return new


def _id(record: Any) -> str:
    return text(record, "id")
