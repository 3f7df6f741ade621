"""Bluesky (the AT Protocol), read with atproto.

An official account is read from its own posts, the threads below them, its notifications and, where the rule book
allows it, its direct messages; a mention account is one or more searches. Threads are read because not every reply
is notified (one right after its parent, one that the school hid). Listings stand in the order of a date that each
author chooses, so that no date says that the rest is known: a poll reads on past it, and every hour one reads
everything.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from connectors._bluesky import (
    PLATFORM,
    Records,
    fresh,
    hidden_replies,
    is_conversation,
    is_post,
    is_words,
    post_uri,
    shown,
    standing,
)
from connectors._bluesky_http import LOOKUP_BATCH, Xrpc
from connectors._completeness import Memory, replies_below
from connectors._fields import dig, instant, mappings, page, read, text
from connectors._http import Service
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Access, Account, Capabilities, Profile
from monitor.domain.clock import format_instant
from monitor.domain.errors import ConfigError
from monitor.domain.item import Channel, Item, ItemRef, Page, Reject
from monitor.domain.ports import Connector

REASONS = ("mention", "reply", "quote")
#: Levels of replies asked for at once: many more nest deeper than a JSON parser goes.
DEPTH = 50
RECENT = timedelta(days=1)
#: The permission for direct messages, as the page of app passwords calls it.
MESSAGES = "access to your direct messages"
#: The scope of an app password that does not open them.
NO_MESSAGES = "com.atproto.appPass"
Found = tuple[list[Item | Reject], Mapping[ItemRef, int]]
#: Where the posts of a thread stand: what each answers, and how many direct replies Bluesky counts below it.
Posts = dict[str, tuple[str, int]]


class Options(ConnectorOptions):
    """`handle` signs in; `queries` (mention accounts) are searched for one by one: Bluesky's search knows no OR.

    Without `queries`, the school's names are searched for.
    """

    handle: str = Field(pattern=r"^@?([\w-]+\.)+[\w-]+$|^did:[a-z]+:[\w.:%-]+$")
    queries: tuple[Annotated[str, Field(min_length=1, max_length=300)], ...] = Field(default=(), max_length=20)
    #: The server that holds the account; bsky.social stands for all of Bluesky's own.
    base_url: str = "https://bsky.social"
    page_url: str = "https://bsky.app"
    #: How far back every hour's reading goes: posts with their threads, finds of a search.
    window_days: float = Field(default=30, ge=1, le=365)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one Bluesky account or of searches. Raises ConfigError."""
    if account.channel is Channel.MENTION and not _queries(account, options):
        raise ConfigError(
            f"account {account.id}: option 'queries' is missing, and school.yaml names no school: what to search "
            "Bluesky for"
        )
    return Bluesky(account, options, need_secret(account, secrets, "token"))


class Bluesky(Connector):
    """Reads one account, or searches with its session, which lasts as long as this object."""

    def __init__(self, account: Account, options: Options, password: str) -> None:
        self._official = account.channel is Channel.OFFICIAL
        self._wants_messages = self._official and account.private_messages
        self._queries = _queries(account, options)
        self._options = options
        self._records = Records(account, (*account.handles, options.handle), options.page_url)
        self._service = Service(
            name="Bluesky",
            account=account.id,
            remedy="Ask your technician to make a new app password in Bluesky (Settings, Privacy and security, App "
            "passwords; not the account's own password) and to put it where the account's `secrets: token` points",
        )
        self._xrpc = Xrpc(
            self._service, options.handle, password, options.base_url, options.reach, options.page_size
        )

    def capabilities(self) -> Capabilities:
        days = f"{self._options.window_days:g} days"
        own = ("own posts", "replies at any depth", "mentions", "quotes")
        addresses = (self._options.base_url, self._options.page_url)
        return Capabilities(
            reads=(own if self._official else ("search",)) + ("private messages",) * self._wants_messages,
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the last day, and every hour one the last {days}",
                "what people write whom the school blocked, or who blocked it, is not shown to the school",
            ),
            needs=(MESSAGES,) * self._wants_messages,
            hosts=tuple(dict.fromkeys(urlsplit(address).hostname or "" for address in addresses)),
            finds_profiles=True,
        )

    def access(self, now: datetime) -> Access:
        """Whether the account is active and the app password opens direct messages; it ends when it is revoked.

        What it permits stands in the session token alone ("com.atproto.appPass", "…appPassPrivileged"; atproto,
        packages/pds/src/auth-scope.ts, read 2026-11-21).
        """
        with self._signed_in(now):
            session = self._xrpc.ask("com.atproto.server.getSession")
        if dig(session, "active") is False:
            raise self._service.refused(f"says that the account is not active ({text(session, 'status')})")
        own = self._xrpc.scope == "com.atproto.access"
        return Access(
            lacks=(MESSAGES,) if self._wants_messages and not self._may_read_messages else (),
            notes=("this is the account's own password; an app password would do, and can be revoked alone",) * own,
        )

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """The first hundred accounts that Bluesky finds for each name."""
        seen: set[str] = set()
        with self._signed_in(now):
            for name in names:
                answer = self._xrpc.ask("app.bsky.actor.searchActors", q=name, limit=100)
                for profile in map(self._records.profile, mappings(dig(answer, "actors"))):
                    if profile is not None and profile.id not in seen:
                        seen.add(profile.id)
                        yield profile

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """New posts, replies and mentions. Only the last page moves the cursor: Bluesky lists the newest first."""
        read_to, whole, memory = _marks(cursor)
        everything = whole is None or whole <= now - timedelta(hours=1)
        reach = timedelta(days=self._options.window_days) if everything else RECENT
        since = min(now - reach, read_to or now)
        seen: set[str] = set()
        with self._signed_in(now):
            found = (
                self._own_and_addressed(since, everything, memory)
                if self._official
                else self._searches(since, memory)
            )
            for results, totals in found:
                yield page(fresh(results, seen), cursor=cursor, totals=totals)
            rest_until = self._xrpc.rest_until
        if doubt := memory.doubt:
            yield Page(cursor=_cursor(read_to, whole, memory), rest_until=rest_until)
            raise doubt
        yield Page(cursor=_cursor(now, now if everything else whole, memory), rest_until=rest_until)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The thread `ref` as far as it is the school's, then every known post looked up that was not there.

        Answers to a deleted post still exist, and so does a post that is only behind a block.
        """
        with self._signed_in(now):
            if is_post(ref):
                yield from self._post_again(ref, known)
            elif is_conversation(ref) and self._may_read_messages:
                yield from self._conversation_again(ref, known)

    def _post_again(self, ref: ItemRef, known: Sequence[ItemRef]) -> Iterator[Page]:
        seen: set[str] = set()
        hidden: set[str] = set()
        posts: Posts = {}
        memory = Memory(None)
        for top in self._starts([ref, *known]) if self._official else ():
            for results in self._replies(top, hidden, posts, memory):
                yield page(fresh(results, seen))
        told = ref.id in posts
        unseen = [item for item in dict.fromkeys([ref, *known]) if is_post(item) and item.id not in seen]
        beside: list[Item] = []
        for start in range(0, len(unseen), LOOKUP_BATCH):
            batch = unseen[start : start + LOOKUP_BATCH]
            views = self._xrpc.look_up(*(item.id for item in batch))
            posts |= {text(view, "uri"): standing(view) for view in views}
            results = [self._read(view) for view in views]
            there = [result for result in results if isinstance(result, Item)]
            beside += there
            refs = {item.ref for item in there}
            gone = [item for item in batch if item not in refs and self._xrpc.is_gone(item.id)]
            yield page(fresh(results, seen), gone=gone)
        yield Page(totals={ref: replies_below(ref.id, posts)} if told else {}, rest_until=self._xrpc.rest_until)
        # What is behind a block cannot be looked up either: these should have been in the thread.
        if memory.doubt and any(item.parent == ref for item in beside):
            raise memory.doubt

    def _conversation_again(self, ref: ItemRef, known: Sequence[ItemRef]) -> Iterator[Page]:
        conversation = self._xrpc.conversation(ref.id.partition(":")[2])
        for views in self._xrpc.messages(text(conversation, "id")):
            deleted = {f"{ref.id}:{text(view, 'id')}" for view in views if not is_words(view)}
            gone = [item for item in known if item.id in deleted]
            yield page(self._messages_in(conversation, views), gone=gone)

    def _own_and_addressed(self, since: datetime, everything: bool, memory: Memory) -> Iterator[Found]:
        """Own posts, the threads of those since `since`, what was notified, and direct messages."""
        threads: dict[str, None] = {}
        for results in self._own(since, memory):
            yield results, {}
            late = [item for item in results if isinstance(item, Item) and (item.published_at or since) >= since]
            threads |= {start: None for item in late for start in self._starts([item.thread or item.ref, item.ref])}
        hidden: set[str] = set()
        for uri in threads:
            posts: Posts = {}
            for results in self._replies(uri, hidden, posts, memory):
                yield results, {}
            if uri in posts and not posts[uri][0]:
                yield [], {ItemRef(PLATFORM, uri): replies_below(uri, posts)}
        for results in self._notified(None if everything else since, hidden, memory):
            yield results, {}
        for conversation in self._xrpc.conversations() if self._may_read_messages else ():
            last = instant(text(conversation, "lastMessage", "sentAt"))
            if last is None or last >= since:
                for views in self._xrpc.messages(text(conversation, "id"), since):
                    yield self._messages_in(conversation, views), {}

    def _own(self, since: datetime, memory: Memory) -> Iterator[list[Item | Reject]]:
        """The school's own posts; what it only passed on is others'."""
        did = self._xrpc.did
        for number, entries in enumerate(
            self._xrpc.listing("app.bsky.feed.getAuthorFeed", "feed", since, actor=did)
        ):
            own = [entry for entry in entries if not text(entry, "reason", "$type").endswith("#reasonRepost")]
            results = [self._read(shown(entry)) for entry in own]
            yield results
            if number == 0:
                doubt = "Bluesky answered, but showed none of the school's own posts"
                memory.listed("feed", entries, results, self._xrpc.exists, doubt)
                profile = None if entries else self._xrpc.ask("app.bsky.actor.getProfile", actor=did)
                if (count := text(profile, "postsCount")) not in ("", "0"):
                    memory.counted("feed", entries, f"{doubt}, of which it counts {count}")

    def _notified(self, until: datetime | None, hidden: set[str], memory: Memory) -> Iterator[list[Item | Reject]]:
        """Mentions, replies and quotes. Of more of one instant than a page holds, a search finds the mentions."""
        crowd: list[datetime] = []
        method = "app.bsky.notification.listNotifications"
        listing = self._xrpc.listing(method, "notifications", until, crowd, reasons=list(REASONS))
        for number, entries in enumerate(listing):
            # Likes and the like carry no words.
            results = [self._read(entry, hidden) for entry in entries if text(entry, "reason") in (*REASONS, "")]
            yield results
            if number == 0:
                doubt = "Bluesky answered, but showed no notifications, though it showed some before"
                memory.listed("notifications", entries, results, self._xrpc.exists, doubt)
        for moment in crowd:
            reason = "Bluesky shows only some of the notifications of this instant; a search finds the mentions"
            yield [Reject(raw={"notifications": format_instant(moment)}, reason=reason)]
            for views in self._xrpc.mentions(moment):
                yield [self._read(view, hidden) for view in views]

    def _searches(self, since: datetime, memory: Memory) -> Iterator[Found]:
        for query in self._queries:
            for number, views in enumerate(self._xrpc.search(query, since)):
                results = [self._read(view) for view in views]
                yield results, {}
                if number == 0:
                    doubt = f"Bluesky answered, but its search for {query} found nothing, though it did before"
                    memory.listed(query, views, results, self._xrpc.exists, doubt)

    def _starts(self, refs: Sequence[ItemRef]) -> list[str]:
        """Where to read a thread from: its top (the first of `refs`) if that is the school's.

        Of other people's threads only what stands below the school's own words is for it to read.
        """
        own = [ref.id for ref in refs if is_post(ref) and ref.id.startswith(f"at://{self._xrpc.did}/")]
        return own[:1] if own[:1] == [refs[0].id] else own

    def _replies(self, uri: str, hidden: set[str], posts: Posts, memory: Memory) -> Iterator[list[Item | Reject]]:
        """The post `uri` and every reply below it; where an answer stops, its last replies are asked for theirs.

        Adds to `hidden` the replies that the school has hidden, and to `posts` where each stands.
        """
        starts, asked = [uri], {uri}
        while starts:
            answer = self._xrpc.thread(starts.pop(), DEPTH)
            nodes = [] if answer is None else [dig(answer, "thread")]
            hidden |= hidden_replies(answer) | hidden_replies(dig(answer, "thread", "post"))
            results = []
            while nodes:
                node = nodes.pop()
                if text(node, "$type").endswith(("#blockedPost", "#notFoundPost")):
                    continue
                view = shown(node)
                results.append(self._read(view, hidden))
                replies, key, (parent, count) = dig(node, "replies"), text(view, "uri"), standing(view)
                if post_uri(key):
                    posts[key] = parent, count
                if key == uri and count:
                    doubt = f"Bluesky answered, but showed none of the {count} replies that it counts below a post"
                    memory.counted(uri, replies, doubt)
                if isinstance(replies, list) and replies:
                    nodes += reversed(replies)
                elif count and post_uri(key) and key not in asked:
                    starts.append(key)
                    asked.add(key)
            yield results

    @property
    def _may_read_messages(self) -> bool:
        """Whether the rule book and, as far as it says, the app password allow it."""
        return self._wants_messages and self._xrpc.scope != NO_MESSAGES

    def _messages_in(self, conversation: Any, views: list[Any]) -> list[Item | Reject]:
        told = filter(is_words, views)
        return [read(view, lambda record: self._records.message(record, conversation)) for view in told]

    def _read(self, view: Any, hidden: Collection[str] = ()) -> Item | Reject:
        return read(view, lambda record: self._records.post(record, hidden, self._xrpc.now))

    @contextmanager
    def _signed_in(self, now: datetime) -> Iterator[None]:
        with self._xrpc.signed_in(now):
            self._records.did = self._xrpc.did
            yield


def _queries(account: Account, options: Options) -> tuple[str, ...]:
    """What to search for: each of the account's own queries, else each name and handle as an exact phrase."""
    names = dict.fromkeys((*account.names.phrases, *(handle.lstrip("@") for handle in account.names.handles)))
    return options.queries or tuple('"{}"'.format(name.replace('"', " ").strip()) for name in names)


def _marks(cursor: str | None) -> tuple[datetime | None, datetime | None, Memory]:
    """When a poll was last made, one that read everything, and what listings showed; another form begins again."""
    try:
        state = json.loads(cursor or "{}")
    except ValueError:
        state = None
    read_to, whole = instant(text(state, "read_to")), instant(text(state, "whole"))
    return read_to, whole if read_to else None, Memory(dig(state, "listings"))


def _cursor(read_to: datetime | None, whole: datetime | None, memory: Memory) -> str:
    marks = {"read_to": read_to, "whole": whole}
    told = {name: format_instant(at) for name, at in marks.items() if at}
    return json.dumps({**told, "listings": memory.state()})
