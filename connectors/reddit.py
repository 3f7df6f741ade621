"""Reddit through its Data API, read with PRAW; without an app that Reddit has approved, through its Atom feeds.

PRAW signs in (application-only OAuth) and asks; the records are taken as they come: one that its models stumble
over would lose the whole page, its streams drop items, and its way to the end of a thread knows no bound. Listings
are read again from the newest, never from `before`: that shows nothing once the item it names is deleted.
https://www.reddit.com/dev/api and https://support.reddithelp.com/hc/en-us/articles/16160319875092
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import requests
from pydantic import Field

from connectors._fields import Unreadable, page, read, text, web_url
from connectors._http import Answer, Service
from connectors._options import ConnectorOptions, need_secret
from connectors._reddit import (
    BATCH,
    FULLNAME,
    STUBS,
    Ask,
    attachments,
    fresh,
    kind,
    pages,
    records,
    tree,
    vanished,
    words,
    written,
)
from connectors._reddit_http import ApiLine, Closed, FeedLine, reset
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "reddit"
#: Most listings end after about 1,000 entries, whatever came before them.
LISTING_ENDS = 900
#: Threads elsewhere that the school began or joined are read at every poll for so long, by sweeps after that.
FRESH = timedelta(days=2)


class Options(ConnectorOptions):
    """An official account: `subreddit` (the school's own), `user` (its name on Reddit), or both. A mention account:
    `query` (a search for posts, within `subreddit` if given), or `names` to look for in all of `subreddit`."""

    subreddit: str = Field(default="", pattern=r"^([A-Za-z0-9_]{2,21}(\+[A-Za-z0-9_]{2,21})*)?$")
    user: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")
    query: str = Field(default="", max_length=512)
    names: tuple[str, ...] = ()
    #: The Reddit name of whoever registered the app: Reddit wants to know whom to write to.
    contact: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")
    #: True: no app is approved, read the feeds instead.
    feed: bool = False
    base_url: str = "https://oauth.reddit.com"
    #: Where access tokens and feeds come from.
    reddit_url: str = "https://www.reddit.com"
    page_url: str = "https://www.reddit.com"
    #: Posts are listed so far back at every poll, comments as far as the overlap.
    window_days: float = Field(default=30, gt=0, le=365)
    overlap_hours: float = Field(default=24, ge=0, le=720)
    #: The longest that one thread may keep us: each request brings some 100 comments.
    thread_requests: int = Field(default=50, ge=1, le=1000)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one subreddit, one name or one search. Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not (options.subreddit or options.user):
        raise ConfigError(
            f"account {account.id}: give option 'subreddit', 'user' or both: what is the school's own"
        )
    if account.channel is Channel.MENTION and not (options.query or (options.subreddit and options.names)):
        raise ConfigError(
            f"account {account.id}: give option 'query', or 'subreddit' and 'names': what to look for"
        )
    wanted = () if options.feed else ("client_id", "client_secret")
    return Reddit(account, options, {name: need_secret(account, secrets, name) for name in wanted})


class Reddit(Connector):
    """Reads one account or one search."""

    def __init__(self, account: Account, options: Options, secrets: Mapping[str, str]) -> None:
        self._account = account
        self._options = options
        self._secrets = secrets
        self._own = {name.casefold().removeprefix("u/") for name in (*account.handles, options.user) if name}
        self._subreddits = set(options.subreddit.casefold().split("+")) - {""}
        self._official = account.channel is Channel.OFFICIAL
        self._signed_in: tuple[requests.Response, datetime] | None = None
        self._rest_until: datetime | None = None
        self._service = Service(
            name="Reddit",
            account=account.id,
            remedy="Ask your technician to look at the app on reddit.com/prefs/apps and at what the account's "
            "`secrets` point to (docs/connectors.md, Reddit)",
        )

    def capabilities(self) -> Capabilities:
        if self._options.feed:
            refusal = "since June 2026 Reddit refuses its feeds to most readers who are not signed in"
            return Capabilities(
                reads=("newest posts", "newest comments"),
                edits=True,
                deletions=False,
                notes=(refusal, "a feed does not report deletions, nor which comment is answered"),
            )
        ours = ("posts", "comments", "replies", "own posts and comments elsewhere, and answers to them")
        theirs = ("search for posts", "names in the posts and comments of a subreddit")
        return Capabilities(
            reads=ours if self._official else theirs,
            edits=True,
            deletions=True,
            notes=(
                "a listing ends after about 1,000 entries",
                "comments cannot be searched for",
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Posts and comments, the newest first. Only the last page moves the cursor.

        At the first poll, and where a listing ended before it should, every thread of the window is read to its
        end.
        """
        read_to = _read_to(cursor)
        window = now - timedelta(days=self._options.window_days)
        since = read_to - timedelta(hours=self._options.overlap_hours) if read_to else window
        whole = read_to is None
        seen: set[str] = set()
        roots: list[Raw] = []
        with self._reading(now) as ask:
            for path, params in self._listings():
                listed = 0
                for found in pages(ask, path, params, since if path.endswith("comments") else min(since, window)):
                    listed += len(found)
                    new = [record for record in fresh(found, seen) if self._wanted(path, record)]
                    roots += filter(self._leads_on, new)
                    yield self._page(new, cursor)
                whole = whole or listed >= LISTING_ENDS
            earliest = min(since, window) if whole else since - FRESH
            for record in roots:
                if (written(record) or now) >= earliest and (whole or not self._on_our_ground(record)):
                    for found in self._below(ask, record):
                        yield self._page(fresh(found, seen), cursor)
        yield Page(cursor=json.dumps({"read_to": format_instant(now)}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and what is `known` looked up again; then everything below the post if it is ours, else
        what stands below our own comments: the rest of somebody else's thread is other people's own."""
        if self._options.feed or not _is_ours(ref) or not ref.id.startswith("t3_"):
            return
        wanted = [item.id for item in dict.fromkeys(known) if _is_ours(item) and item != ref]
        seen: set[str] = set()
        roots: list[Raw] = []
        with self._reading(now) as ask:
            for start in range(0, len(wanted) or 1, BATCH - 1):
                batch = wanted[start : start + BATCH - 1]
                found = records(ask("GET", "api/info", {"id": ",".join([ref.id, *batch])}), "items")
                given = {text(record, "name") for record in found}
                # What Reddit leaves out is gone only where it did answer: the post itself must be there.
                missing = [ItemRef(PLATFORM, key) for key in batch if key not in given and ref.id in given]
                new = fresh(found, seen)
                roots += filter(self._leads_on, new)
                yield self._page(new, None, missing)
            for record in roots:
                if ref.id in (text(record, "name"), text(record, "link_id")):
                    for found in self._below(ask, record):
                        yield self._page(fresh(found, seen), None)

    def _listings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What to list, newest first: path and parameters."""
        place, user, query = self._options.subreddit, self._options.user, self._options.query
        if place and (self._official or self._options.names):
            yield from ((f"r/{place}/{listing}", {}) for listing in ("new", "comments"))
        if user and self._official:
            yield from ((f"user/{user}/{listing}", {"sort": "new"}) for listing in ("submitted", "comments"))
        if query and not self._official:
            within = {"restrict_sr": "true"} if place else {}
            yield f"r/{place}/search" if place else "search", {"q": query, "sort": "new", "type": "link", **within}

    def _wanted(self, path: str, record: Any) -> bool:
        """Whether a record belongs here: where names are looked for, only what has one. Damaged ones always do."""
        if self._official or path.endswith("search") or not FULLNAME.fullmatch(text(record, "name")):
            return True
        said = words(record).casefold()
        return any(name.casefold() in said for name in self._options.names)

    def _on_our_ground(self, record: Raw) -> bool:
        return text(record, "subreddit").casefold() in self._subreddits

    def _leads_on(self, record: Any) -> bool:
        """Whether what stands below is ours to read: our subreddit's posts, and what we wrote anywhere else."""
        if not self._official or self._options.feed or not isinstance(record, Mapping):
            return False
        if self._on_our_ground(record):
            return text(record, "name").startswith("t3_")
        return self._author(record).kind is AuthorKind.SCHOOL

    def _below(self, ask: Ask, record: Raw) -> Iterator[list[Any]]:
        """What stands below a post or comment; nothing where that is not, or no longer, for us to see."""
        name, post = text(record, "name"), text(record, "link_id")
        with suppress(Closed):
            yield from tree(ask, post or name, name if post else "", self._options.thread_requests)

    @contextmanager
    def _reading(self, now: datetime) -> Iterator[Ask]:
        if self._rest_until is not None and now < self._rest_until:
            raise self._service.busy(self._rest_until)
        options = self._options
        with (FeedLine if options.feed else ApiLine)(
            service=self._service,
            base_url=options.reddit_url if options.feed else options.base_url,
            token="",
            reach=options.reach,
            now=now,
            judge=self._judge,
        ) as line:
            line.reddit_url, line.signed_in = options.reddit_url, self._signed_in
            try:
                yield line.asker(self._agent(), self._secrets)
            finally:
                self._signed_in, self._rest_until = line.signed_in, line.rest_until

    def _agent(self) -> str:
        """Who asks, in the form that Reddit's rules for its API want."""
        contact = self._options.contact or self._options.user
        return f"linux:schoolwatch:1 (by /u/{contact})" if contact else "linux:schoolwatch:1"

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        if answer.status == 429 and self._options.feed:
            return SourceError(
                "Reddit refuses its feeds to readers who are not signed in (429; so since June 2026): account "
                f"{self._account.id} is not being read. Ask your technician to request an app from Reddit "
                "(docs/connectors.md, Reddit); until then, staff can hand in what they see",
                retry_at=reset(answer.headers, now),
            )
        if answer.status == 429:
            return self._service.busy(reset(answer.headers, now))
        if answer.status == 401:
            return self._service.refused("gives us no access token for the app's id and secret (401)")
        if answer.status in (301, 302):
            return self._service.refused(f"knows no subreddit or user of that name ({answer.status})")
        error = self._service.judge(answer, now)
        return Closed(str(error), permanent=True) if answer.status in (403, 404) else error

    def _page(self, found: Iterable[Any], cursor: str | None, gone: Iterable[ItemRef] = ()) -> Page:
        """The records as a page: what was deleted or removed is gone, not an item that says "[deleted]"."""
        kept, stubs = [], list(gone)
        for record in found:
            if FULLNAME.fullmatch(text(record, "name")) and vanished(record):
                stubs.append(ItemRef(PLATFORM, record["name"]))
            else:
                kept.append(record)
        return page(map(self._read, kept), cursor=cursor, gone=stubs)

    def _read(self, record: Any) -> Item | Reject:
        return record if isinstance(record, Reject) else read(record, self._item)

    def _item(self, record: Raw) -> Item:
        name, parent, post = (text(record, field) for field in ("name", "parent_id", "link_id"))
        if not FULLNAME.fullmatch(name):
            raise Unreadable("the record has no id of Reddit's")
        comment = name.startswith("t1_")
        top = post if comment else name
        path = text(record, "permalink")
        address = path if path.startswith("/") else f"/comments/{top[3:]}/_/{name[3:] if comment else ''}"
        return Item(
            ref=ItemRef(PLATFORM, name),
            channel=self._account.channel,
            kind=kind(name, parent),
            author=self._author(record),
            text=words(record),
            url=web_url(self._options.page_url.rstrip("/") + address),
            published_at=written(record),
            parent=ItemRef(PLATFORM, parent) if FULLNAME.fullmatch(parent) else None,
            thread=ItemRef(PLATFORM, top) if FULLNAME.fullmatch(top) else None,
            attachments=attachments(record),
            raw=record,
        )

    def _author(self, record: Raw) -> Author:
        """Nobody for "[deleted]": an account that is no more, or one whose words a moderator removed."""
        name, number = text(record, "author"), text(record, "author_fullname")
        if name in STUBS:
            return Author()
        ours = bool({name.casefold(), number} & (self._own - {""}))
        return Author(
            id=number,
            handle=name,
            display_name=name,
            kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
        )


def _is_ours(ref: ItemRef) -> bool:
    """Whether Reddit itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and FULLNAME.fullmatch(ref.id) is not None


def _read_to(cursor: str | None) -> datetime | None:
    try:
        return parse_instant(json.loads(cursor or "{}")["read_to"])
    except (LookupError, TypeError, ValueError):
        return None
