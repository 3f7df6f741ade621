"""One reading of a Bluesky account, or of searches: which listings, and what is made of their pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors._bluesky import (
    PLATFORM,
    Records,
    fresh,
    hidden_replies,
    is_post,
    is_words,
    post_uri,
    shown,
    standing,
)
from connectors._bluesky_http import LOOKUP_BATCH, Xrpc
from connectors._completeness import Memory, replies_below
from connectors._fields import dig, instant, page, read, text
from monitor.domain.clock import format_instant
from monitor.domain.item import Item, ItemRef, Page, Reject

REASONS = ("mention", "reply", "quote")
#: Levels of replies asked for at once: many more nest deeper than a JSON parser goes.
DEPTH = 50
Found = tuple[list[Item | Reject], Mapping[ItemRef, int]]
#: Where the posts of a thread stand: what each answers, and how many direct replies Bluesky counts below it.
Posts = dict[str, tuple[str, int]]


class Reading:
    """Reads with one session. `memory` takes note of what comes empty."""

    def __init__(self, xrpc: Xrpc, records: Records, memory: Memory) -> None:
        self._xrpc = xrpc
        self._records = records
        self._memory = memory
        #: The replies that the school has hidden in the threads that were read or, in `_gates`, looked up.
        self._hidden: set[str] = set()
        self._gates: set[str] = set()

    def post_again(self, ref: ItemRef, known: Sequence[ItemRef], whole: bool) -> Iterator[Page]:
        """The thread `ref` if it is `whole` to be read, then every known post looked up that was not there."""
        seen: set[str] = set()
        posts: Posts = {}
        for top in self._starts([ref, *known]) if whole else ():
            for results in self._replies(top, posts):
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
        if self._memory.doubt and any(item.parent == ref for item in beside):
            raise self._memory.doubt

    def conversation_again(self, ref: ItemRef, known: Sequence[ItemRef]) -> Iterator[Page]:
        """All messages of a conversation, and those of `known` that were deleted from it."""
        conversation = self._xrpc.conversation(ref.id.partition(":")[2])
        for views in self._xrpc.messages(text(conversation, "id")):
            deleted = {f"{ref.id}:{text(view, 'id')}" for view in views if not is_words(view)}
            gone = [item for item in known if item.id in deleted]
            yield page(self._messages_in(conversation, views), gone=gone)

    def own_and_addressed(self, since: datetime, everything: bool, messages: bool) -> Iterator[Found]:
        """Own posts, the threads of those since `since`, what was notified, and direct `messages`."""
        threads: dict[str, None] = {}
        for results in self._own(since):
            yield results, {}
            late = [item for item in results if isinstance(item, Item) and (item.published_at or since) >= since]
            threads |= {start: None for item in late for start in self._starts([item.thread or item.ref, item.ref])}
        for uri in threads:
            posts: Posts = {}
            for results in self._replies(uri, posts):
                yield results, {}
            if uri in posts and not posts[uri][0]:
                yield [], {ItemRef(PLATFORM, uri): replies_below(uri, posts)}
        for results in self._notified(None if everything else since):
            yield results, {}
        for conversation in self._xrpc.conversations() if messages else ():
            last = instant(text(conversation, "lastMessage", "sentAt"))
            if last is None or last >= since:
                for views in self._xrpc.messages(text(conversation, "id"), since):
                    yield self._messages_in(conversation, views), {}

    def _own(self, since: datetime) -> Iterator[list[Item | Reject]]:
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
                self._memory.listed("feed", entries, results, self._xrpc.exists, doubt, own=True)
                profile = None if entries else self._xrpc.ask("app.bsky.actor.getProfile", actor=did)
                if (count := text(profile, "postsCount")) not in ("", "0"):
                    self._memory.counted("feed", entries, f"{doubt}, of which it counts {count}")

    def _notified(self, until: datetime | None) -> Iterator[list[Item | Reject]]:
        """Mentions, replies and quotes. Of more of one instant than a page holds, a search finds the mentions."""
        crowd: list[datetime] = []
        method = "app.bsky.notification.listNotifications"
        listing = self._xrpc.listing(method, "notifications", until, crowd, reasons=list(REASONS))
        for number, entries in enumerate(listing):
            self._look_up_hidden(entries)
            # Likes and the like carry no words.
            results = [self._read(entry) for entry in entries if text(entry, "reason") in (*REASONS, "")]
            yield results
            if number == 0:
                doubt = "Bluesky answered, but showed no notifications, though it showed some before"
                self._memory.listed("notifications", entries, results, self._xrpc.exists, doubt)
        for moment in crowd:
            reason = "Bluesky shows only some of the notifications of this instant; a search finds the mentions"
            yield [Reject(raw={"notifications": format_instant(moment)}, reason=reason)]
            for views in self._xrpc.mentions(moment):
                yield [self._read(view) for view in views]

    def _look_up_hidden(self, entries: list[Any]) -> None:
        """Which replies the school has hidden only the first post of their thread tells, and no notification."""
        tops = {text(entry, "record", "reply", "root", "uri") for entry in entries} - self._gates
        own = sorted(top for top in tops if post_uri(top) and top.startswith(f"at://{self._xrpc.did}/"))
        for start in range(0, len(own), LOOKUP_BATCH):
            for view in self._xrpc.look_up(*own[start : start + LOOKUP_BATCH]):
                self._hidden |= hidden_replies(view)
        self._gates.update(own)

    def searches(self, queries: Iterable[str], since: datetime) -> Iterator[Found]:
        """What each of `queries` finds."""
        for query in queries:
            for number, views in enumerate(self._xrpc.search(query, since)):
                results = [self._read(view) for view in views]
                yield results, {}
                if number == 0:
                    doubt = f"Bluesky answered, but its search for {query} found nothing, though it did before"
                    self._memory.listed(query, views, results, self._xrpc.exists, doubt)

    def _starts(self, refs: Sequence[ItemRef]) -> list[str]:
        """Where to read a thread from: its top (the first of `refs`) if that is the school's.

        Of other people's threads only what stands below the school's own words is for it to read.
        """
        own = [ref.id for ref in refs if is_post(ref) and ref.id.startswith(f"at://{self._xrpc.did}/")]
        return own[:1] if own[:1] == [refs[0].id] else own

    def _replies(self, uri: str, posts: Posts) -> Iterator[list[Item | Reject]]:
        """The post `uri` and every reply below it; where an answer stops, its last replies are asked for theirs.

        Adds to `posts` where each stands.
        """
        starts, asked = [uri], {uri}
        while starts:
            answer = self._xrpc.thread(starts.pop(), DEPTH)
            nodes = [] if answer is None else [dig(answer, "thread")]
            self._hidden |= hidden_replies(answer) | hidden_replies(dig(answer, "thread", "post"))
            results = []
            while nodes:
                node = nodes.pop()
                if text(node, "$type").endswith(("#blockedPost", "#notFoundPost")):
                    continue
                view = shown(node)
                results.append(self._read(view))
                replies, key, (parent, count) = dig(node, "replies"), text(view, "uri"), standing(view)
                if post_uri(key):
                    posts[key] = parent, count
                if key == uri and count:
                    doubt = f"Bluesky answered, but showed none of the {count} replies that it counts below a post"
                    self._memory.counted(uri, replies, doubt)
                if isinstance(replies, list) and replies:
                    nodes += reversed(replies)
                elif count and post_uri(key) and key not in asked:
                    starts.append(key)
                    asked.add(key)
            yield results

    def _messages_in(self, conversation: Any, views: list[Any]) -> list[Item | Reject]:
        told = filter(is_words, views)
        return [read(view, lambda record: self._records.message(record, conversation)) for view in told]

    def _read(self, view: Any) -> Item | Reject:
        return read(view, lambda record: self._records.post(record, self._hidden, self._xrpc.now))
