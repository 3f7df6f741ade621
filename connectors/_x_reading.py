"""One poll or one sweep of an X account: what it has seen so far, and where the next one goes on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors._fields import page
from connectors._queries import batches
from connectors._x import PLATFORM, Found, Reader, first_of, id_of, is_post, newest_of, reference, time_of, totals
from connectors._x_api import OR, QUERY_LIMIT, Api, any_of
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Item, ItemRef, Page, Reject

#: Recent search and its `start_time` reach back 7 days; a margin keeps clocks that differ from refusing us.
SEARCH_REACH = timedelta(days=7) - timedelta(minutes=10)
#: How far the first reading goes back, where X lets it.
FIRST_REACH = timedelta(days=30)
#: What is younger may be missing from a search that works.
_INDEXED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """When a listing last showed anything, and the newest post that it showed then ("": not to be looked up)."""

    read_to: datetime
    newest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """When the school was last seen in it, and up to when it has been searched."""

    joined: datetime
    searched: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """When everything was last asked for, and how far each listing and conversation was read.

    An empty answer proves nothing: only what shows something moves its mark. To ask for the same time again costs
    nothing as long as there is nothing in it.
    """

    asked_at: datetime | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    conversations: Mapping[str, Conversation] = field(default_factory=dict)

    @classmethod
    def load(cls, cursor: str | None) -> "Cursor":
        """A cursor that cannot be read starts again from the beginning: the store deduplicates."""
        try:
            state = json.loads(cursor or "{}")
            return cls(
                asked_at=parse_instant(state["asked_at"]),
                marks={
                    name: Mark(read_to=parse_instant(read_to), newest=str(newest))
                    for name, (read_to, newest) in state["marks"].items()
                },
                conversations={
                    key: Conversation(
                        joined=parse_instant(joined), searched=parse_instant(searched) if searched else None
                    )
                    for key, (joined, searched) in state["conversations"].items()
                },
            )
        except (LookupError, TypeError, ValueError, AttributeError):
            return cls()

    def dump(self) -> str:
        def said(at: datetime | None) -> str | None:
            return format_instant(at) if at else None

        return json.dumps(
            {
                "asked_at": said(self.asked_at),
                "marks": {name: (said(mark.read_to), mark.newest) for name, mark in self.marks.items()},
                "conversations": {
                    key: (said(about.joined), said(about.searched)) for key, about in self.conversations.items()
                },
            }
        )


class Reading:
    """Reads what `api` finds, every record once."""

    def __init__(self, api: Api, reader: Reader, now: datetime) -> None:
        self._api = api
        self._reader = reader
        self._now = now
        self._seen: set[str] = set()
        self._items: dict[ItemRef, Item] = {}
        self._earliest = now - SEARCH_REACH

    def _page(self, found: Found, *, messages: bool = False, **about: Any) -> Page:
        """What is new in `found`."""
        results = self._fresh(found, self._reader.message if messages else self._reader.post)
        return page(results, **about)

    def _fresh(
        self, found: Found, read: Callable[[Any, Found], Item | Reject], *, as_they_are: bool = False
    ) -> list[Item | Reject]:
        """Every record not seen yet, in its newest version; retweets have no words of their own: left out."""
        results = []
        outdated: dict[str, Any] = {}
        for record in found.records:
            first, newest = first_of(record), newest_of(record)
            if first in self._seen:
                continue
            if newest != id_of(record) and is_post(ItemRef(PLATFORM, newest)) and not as_they_are:
                outdated[newest] = record
                continue
            if first:
                self._seen.add(first)
            if not reference(record, "retweeted"):
                results.append(read(record, found))
        self._items |= {result.ref: result for result in results if isinstance(result, Item)}
        for newer in self._api.lookup(outdated):
            results += self._fresh(newer, read, as_they_are=True)
        if outdated:
            # Those that X does not show in their newest version.
            old = replace(found, records=list(outdated.values()))
            results += self._fresh(old, read, as_they_are=True)
        return results

    def _settled(self, item: Item) -> bool:
        """Whether search must show an answer, if it works."""
        at = item.published_at
        return item.parent is not None and at is not None and self._earliest <= at < self._now - _INDEXED_AFTER


class Sweep(Reading):
    """A conversation as it is now."""

    def conversation(self, ref: ItemRef, known: Sequence[ItemRef], *, whole: bool) -> Iterator[Page]:
        """`known` looked up again and, if `whole`, all that search finds. Raises SourceError where X hides some.

        Nothing is gone but what X itself says does not exist. Of what is known and too old to be edited no more is
        asked: its author and pictures would cost more than the post, each day anew.
        """
        if whole:
            for found in self._api.search(any_of([f"conversation_id:{ref.id}"]), self._earliest):
                yield self._page(found)
        searched = set(self._items)
        unseen = [item.id for item in dict.fromkeys([ref, *known]) if is_post(item) and item not in searched]
        aged = {item.id for item in known if (at := time_of(item.id)) and at < self._earliest}
        silent = set(unseen)
        for bare in (False, True):
            for found in self._api.lookup((key for key in unseen if (key in aged) == bare), bare=bare):
                silent -= found.refused.union(*((id_of(record), first_of(record)) for record in found.records))
                gone = [ItemRef(PLATFORM, key) for key in unseen if key in found.missing]
                yield from self._unedited(found, gone) if bare else [self._page(found, gone=gone)]
        hidden = sum(map(self._settled, self._items.values())) if whole and not searched else 0
        if silent or hidden:
            count = hidden or len(silent)
            raise SourceError(f"X answered, but showed none of {count} posts of a conversation; trying again later")
        counted = {top: count for top, count in totals(self._items.values()).items() if whole and top == ref}
        yield Page(totals=counted, rest_until=self._api.rest_until)

    def _unedited(self, found: Found, gone: Sequence[ItemRef]) -> Iterator[Page]:
        """Known posts, looked up bare: counted, and read in full only where there is a newer version."""
        newer = {newest_of(record) for record in found.records} - {id_of(record) for record in found.records}
        same = replace(found, records=[record for record in found.records if newest_of(record) not in newer])
        results = self._fresh(same, self._reader.post)
        yield page([result for result in results if isinstance(result, Reject)], gone=gone)
        for edited in self._api.lookup(key for key in newer if is_post(ItemRef(PLATFORM, key))):
            yield self._page(edited)


class Poll(Reading):
    """Goes on where `cursor` ends, and again over the `overlap` before that.

    `problem` is what a person should know in the end, although everything that could be read was.
    """

    def __init__(self, api: Api, reader: Reader, now: datetime, *, cursor: str | None, overlap: timedelta) -> None:
        super().__init__(api, reader, now)
        self.problem: SourceError | None = None
        self._cursor = cursor
        self._before = Cursor.load(cursor)
        self._overlap = overlap
        self._marks = dict(self._before.marks)
        self._conversations = {
            key: about for key, about in self._before.conversations.items() if about.joined > self._earliest
        }
        #: Conversations that were searched from their beginning to now.
        self._whole: set[str] = set()

    def listing(
        self,
        name: str,
        ask: Callable[[datetime], Iterator[Found]],
        *,
        messages: bool = False,
        reach: timedelta | None = None,
    ) -> Iterator[Page]:
        """What `ask` gives for the time since this listing was last read, as far back as its `reach`."""
        mark = self._before.marks.get(name)
        since = mark.read_to - self._overlap if mark else self._now - FIRST_REACH
        since = max(since, self._now - reach) if reach else since
        shown: list[tuple[datetime, str]] = []
        for found in ask(since):
            ids = map(id_of, found.records)
            shown = sorted([*shown, *((at, key) for key in ids if (at := time_of(key)))])[-1:]
            yield self._page(found, messages=messages, cursor=self._cursor)
        if shown:
            self._marks[name] = Mark(read_to=self._now, newest="" if messages else shown[0][1])
        elif mark:
            self._doubt(mark, since)

    def messages(self) -> Iterator[Page]:
        """Private messages. Where X withholds them for good all else is read, and that is told in the end."""
        try:
            yield from self.listing("messages", self._api.messages, messages=True)
        except SourceError as error:
            if not error.permanent:
                raise
            self.problem = error

    def search(self, query: str) -> Iterator[Page]:
        """What a search finds, as far back as it reaches."""
        return self.listing(f"search {query}", partial(self._api.search, query), reach=SEARCH_REACH)

    def conversations(self) -> Iterator[Page]:
        """What was said in the conversations that the school has joined, from where they were last searched."""
        for item in self._items.values():
            if item.author.kind is AuthorKind.SCHOOL and item.thread and is_post(item.thread):
                about = self._conversations.get(item.thread.id)
                searched = about.searched if about else None
                self._conversations[item.thread.id] = Conversation(joined=self._now, searched=searched)
        groups: dict[datetime | None, list[str]] = {}
        for key, about in sorted(self._conversations.items()):
            groups.setdefault(about.searched, []).append(f"conversation_id:{key}")
        for searched, terms in groups.items():
            since = max(searched - self._overlap, self._earliest) if searched else self._earliest
            for batch in batches(terms, OR, QUERY_LIMIT - len(any_of([]))):
                yield from self._conversation_batch(batch, since, new=searched is None)

    def _conversation_batch(self, terms: Sequence[str], since: datetime, *, new: bool) -> Iterator[Page]:
        ids = {term.partition(":")[2] for term in terms}
        shown = False
        for found in self._api.search(any_of(terms), since):
            shown = shown or bool(found.records)
            yield self._page(found, cursor=self._cursor)
        if shown:
            self._conversations |= {key: replace(self._conversations[key], searched=self._now) for key in ids}
            self._whole |= ids if new else set()
            return
        missed = [
            item
            for item in self._items.values()
            if item.thread
            and item.thread.id in ids
            and self._settled(item)
            and (item.published_at or since) >= since
        ]
        if missed:
            self._mistrust(f"X's search showed none of {len(missed)} replies that X shows elsewhere")

    def last(self) -> Page:
        """The page that moves the cursor: X lists the newest first, so no other can."""
        cursor = Cursor(asked_at=self._now, marks=self._marks, conversations=self._conversations)
        counted = totals(self._items.values())
        return Page(
            cursor=cursor.dump(),
            rejects=self._gap(),
            totals={
                ref: count
                for ref, count in counted.items()
                if ref.id in self._whole and (self._items[ref].published_at or self._earliest) > self._earliest
            },
            rest_until=self._api.rest_until,
        )

    def _doubt(self, mark: Mark, since: datetime) -> None:
        """An empty listing, although what it showed last still exists unedited, is X's failure and no quiet day."""
        at = time_of(mark.newest)
        if at is None or at < since:
            return
        # A newer version may no longer speak of the school.
        shown = [record for found in self._api.lookup([mark.newest], bare=True) for record in found.records]
        if any(newest_of(record) == mark.newest for record in shown):
            self._mistrust("X answered, but its listing did not show even the post that it showed last")

    def _mistrust(self, what: str) -> None:
        self.problem = self.problem or SourceError(f"{what}; the same time is read again at the next poll")

    def _gap(self) -> tuple[Reject, ...]:
        """After a long silence: what no search reaches any more, named once."""
        asked_at = self._before.asked_at
        if asked_at is None or asked_at >= self._earliest:
            return ()
        start, end = format_instant(asked_at), format_instant(self._earliest)
        return (
            Reject(
                raw={"from": start, "to": end},
                reason=f"X's search reaches back 7 days: it was not searched between {start} and {end}. What was "
                "said to the school's own account in that time was read all the same",
            ),
        )
