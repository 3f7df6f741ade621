"""Reddit through its Data API, read with PRAW; without an app that Reddit has approved, through its Atom feeds.

PRAW signs in (application-only OAuth, or as a moderator) and asks; the records are taken as they come: one that its
models stumble over would lose the whole page, its streams drop items, and its way to the end of a thread knows no
bound. Listings are read again from the newest, never from `before`: that shows nothing once the item it names is
deleted. https://www.reddit.com/dev/api and https://support.reddithelp.com/hc/en-us/articles/16160319875092
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from connectors import _queries
from connectors._fields import dig, mappings, text
from connectors._http import Service
from connectors._options import ConnectorOptions, need_secret
from connectors._reddit import FULLNAME, PLATFORM, Reader, counted, vanished, visibility, words, written
from connectors._reddit_http import Api, Closed
from connectors._reddit_listings import BATCH, Ask, fresh, look_up, pages, records, tree
from monitor.domain.account import Access, Account, Capabilities, Profile
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemRef, Page, Raw, Visibility
from monitor.domain.ports import Connector

#: Most listings end after about 1,000 entries, whatever came before them.
LISTING_ENDS = 900
#: Threads elsewhere that the school began or joined are read at every poll for so long, by sweeps after that.
FRESH = timedelta(days=2)
LONGEST_QUERY = 512


class Options(ConnectorOptions):
    """An official account: `subreddit` (the school's own), `user` (its name on Reddit), or both. A mention account:
    `query` (a search for posts, within `subreddit` if given), or `names` to look for in all of `subreddit`; without
    either, the school's names, everywhere in posts and in `subreddit` in comments, too."""

    subreddit: str = Field(default="", pattern=r"^([A-Za-z0-9_]{2,21}(\+[A-Za-z0-9_]{2,21})*)?$")
    user: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")
    query: str = Field(default="", max_length=LONGEST_QUERY)
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
    """A reader of one subreddit, name or search; as a moderator with a `refresh_token`. Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not (options.subreddit or options.user):
        raise ConfigError(
            f"account {account.id}: give option 'subreddit', 'user' or both: what is the school's own"
        )
    own = options.query or (options.subreddit and options.names)
    if account.channel is Channel.MENTION and not (own or account.names.phrases or account.names.handles):
        raise ConfigError(
            f"account {account.id}: give option 'query', or 'subreddit' and 'names', or the school's names in "
            "school.yaml (`mentions`): what to look for"
        )
    wanted = ["client_id", "client_secret", *(["refresh_token"] if "refresh_token" in secrets else [])]
    wanted = [] if options.feed else wanted
    return Reddit(account, options, {name: need_secret(account, secrets, name) for name in wanted})


class Reddit(Connector):
    """Reads one account or one search."""

    def __init__(self, account: Account, options: Options, secrets: Mapping[str, str]) -> None:
        self._account = account
        self._options = options
        own = {name.casefold().removeprefix("u/") for name in (*account.handles, options.user) if name}
        self._reader = Reader(account.channel, options.page_url, own)
        self._subreddits = set(options.subreddit.casefold().split("+")) - {""}
        self._official = account.channel is Channel.OFFICIAL
        #: Whom Reddit shows what moderators see, and the school's messages.
        self._moderator = self._official and "refresh_token" in secrets
        self._messages = self._moderator and account.private_messages
        self._queries, self._names = ([options.query] if options.query else []), options.names
        if not self._official and not (options.query or options.names):
            self._queries = [*_queries.for_names(account, " OR ", LONGEST_QUERY)]
            self._names = (*account.names.phrases, *(name.lstrip("@") for name in account.names.handles))
        service = Service(
            name="Reddit",
            account=account.id,
            remedy="Ask your technician to look at the app on reddit.com/prefs/apps and at what the account's "
            "`secrets` point to (docs/connectors.md, Reddit)",
        )
        self._api = Api(
            service=service,
            base_url=options.reddit_url if options.feed else options.base_url,
            reddit_url=options.reddit_url,
            reach=options.reach,
            contact=options.contact or options.user,
            secrets={} if options.feed else secrets,
        )

    def capabilities(self) -> Capabilities:
        options = self._options
        addresses = (*(() if options.feed else (options.base_url,)), options.reddit_url)
        hosts = tuple(dict.fromkeys(urlsplit(address).hostname or "" for address in addresses))
        pages = (urlsplit(options.page_url).hostname or "",)
        if options.feed:
            refusal = "since June 2026 Reddit refuses its feeds to most readers who are not signed in"
            return Capabilities(
                reads=("newest posts", "newest comments"),
                edits=True,
                deletions=False,
                notes=(refusal, "a feed does not report deletions, nor which comment is answered"),
                hosts=hosts,
                pages=pages,
            )
        ours = ["posts", "comments", "replies", "own posts and comments elsewhere, and answers to them"]
        ours += ["what filters hold back and moderators removed"] if self._moderator else []
        ours += ["private messages"] if self._messages else []
        theirs = ["search for posts", "names in the posts and comments of a subreddit"]
        notes = ["a listing ends after about 1,000 entries", "comments cannot be searched for"]
        if self._official and not self._moderator:
            notes.append("without a moderator's sign-in, what was removed or is held back is not shown")
        return Capabilities(
            reads=tuple(ours if self._official else theirs),
            edits=True,
            deletions=True,
            notes=tuple(notes),
            needs=self._scopes(),
            hosts=hosts,
            pages=pages,
            finds_profiles=True,
        )

    def access(self, now: datetime) -> Access:
        """The scopes that a moderator's sign-in lacks, and the subreddits that it does not moderate.

        https://www.reddit.com/dev/api#GET_r_{subreddit}_about; an app that acts for nobody is told nothing.
        """
        if not self._moderator:
            return Access()
        places = sorted(self._subreddits)
        with self._api.open(now) as ask:
            about = {place: ask("GET", f"r/{place}/about", {}) for place in places}
            if not about:
                ask("GET", f"user/{self._options.user}/about", {})
        granted = self._api.scopes
        lacks = [scope for scope in self._scopes() if granted and scope not in granted]
        moderated = [place for place in places if dig(about[place], "data", "user_is_moderator") is True]
        lacks += [f"moderator of r/{place}" for place in places if place not in moderated]
        return Access(lacks=tuple(lacks))

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """Subreddits and users that a search for each name finds: two requests a name."""
        if self._options.feed:
            return
        seen: set[str] = set()
        with self._api.open(now) as ask:
            for name in names:
                for what in ("subreddits", "users"):
                    found = records(ask("GET", f"{what}/search", {"q": name, "limit": 25}), what)
                    for profile in map(self._reader.profile, mappings(found)):
                        if profile.handle and profile.id not in seen:
                            seen.add(profile.id)
                            yield profile

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Posts and comments, the newest first. Only the last page moves the cursor.

        At the first poll, and where a listing ended before it should, every thread of the window is read to its
        end. `totals` are told where that was done: Reddit counts what was removed, too, and only a thread itself
        shows how much of it that is.
        """
        read_to, newest = _load(cursor)
        window = now - timedelta(days=self._options.window_days)
        since = read_to - timedelta(hours=self._options.overlap_hours) if read_to else window
        whole = read_to is None
        seen: set[str] = set()
        talked: set[str] = set()
        roots: list[Raw] = []
        with self._api.open(now) as ask:
            for path, params in self._listings():
                listed, last = 0, newest.pop(path, "")
                for found in pages(ask, path, params, since if path.endswith("comments") else min(since, window)):
                    listed += len(found)
                    first = next(filter(FULLNAME.fullmatch, (text(record, "name") for record in found)), "")
                    if first and not path.endswith("search"):
                        newest.setdefault(path, first)
                    new = [record for record in fresh(found, seen) if self._wanted(path, record)]
                    roots += filter(self._leads_on, new)
                    talked |= _talked_below(new)
                    yield self._reader.page(new, cursor)
                if last and not listed:
                    self._expect_gone(ask, path, last)
                whole = whole or listed >= LISTING_ENDS
            for found in self._withheld(ask, window):
                yield self._reader.page(fresh(found, seen), cursor)
            earliest = min(since, window) if whole else since - FRESH
            for record in roots:
                if (written(record) or now) >= earliest and (whole or not self._on_our_ground(record)):
                    yield from self._below(ask, record, seen, talked, cursor)
        memory = {"read_to": format_instant(now), "newest": newest}
        yield Page(cursor=json.dumps(memory), rest_until=self._api.rest_until)

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and what is `known` looked up again; then everything below the post if it is ours, else
        what stands below our own comments: the rest of somebody else's thread is other people's own."""
        if self._options.feed or not _is_ours(ref) or not ref.id.startswith("t3_"):
            return
        wanted = [item.id for item in dict.fromkeys(known) if _is_ours(item) and item != ref]
        seen: set[str] = set()
        talked: set[str] = set()
        roots: list[Raw] = []
        with self._api.open(now) as ask:
            for start in range(0, len(wanted) or 1, BATCH - 1):
                batch = wanted[start : start + BATCH - 1]
                found = look_up(ask, [ref.id, *batch])
                given = {text(record, "name") for record in found}
                # What Reddit leaves out is gone only where it did answer: the post itself must be there.
                missing = [ItemRef(PLATFORM, key) for key in batch if key not in given and ref.id in given]
                new = fresh(found, seen)
                roots += filter(self._leads_on, new)
                talked |= _talked_below(new)
                yield self._reader.page(new, None, missing)
            for record in roots:
                if ref.id in (text(record, "name"), text(record, "link_id")):
                    yield from self._below(ask, record, seen, talked, None)
        yield Page(rest_until=self._api.rest_until)

    def _listings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What to list, newest first: path and parameters."""
        place, user = self._options.subreddit, self._options.user
        if place and (self._official or self._names):
            yield from ((f"r/{place}/{listing}", {}) for listing in ("new", "comments"))
        if self._official:
            yield from (
                (f"user/{user}/{listing}", {"sort": "new"}) for listing in ("submitted", "comments") if user
            )
            return
        within = {"restrict_sr": "true"} if place and self._options.query else {}
        for query in self._queries:
            path = f"r/{place}/search" if within else "search"
            yield path, {"q": query, "sort": "new", "type": "link", **within}

    def _withheld(self, ask: Ask, reach: datetime) -> Iterator[list[Any]]:
        """What the public is not shown; nothing where the sign-in does not permit that, which access() tells."""
        place = self._options.subreddit if self._moderator else ""
        queues = [f"r/{place}/about/{queue}" for queue in ("modqueue", "spam")] if place else []
        for path in (*queues, *(["message/inbox"] if self._messages else [])):
            with suppress(Closed):
                for found in pages(ask, path, {}, reach):
                    # Answers and mentions stand in the inbox as well, without their posts.
                    yield [one for one in found if path in queues or not text(one, "name").startswith("t1_")]

    def _wanted(self, path: str, record: Any) -> bool:
        """Whether a record belongs here: where names are looked for, only what has one. Damaged ones always do."""
        if self._official or path.endswith("search") or not FULLNAME.fullmatch(text(record, "name")):
            return True
        said = words(record).casefold()
        return any(name.casefold() in said for name in self._names)

    def _on_our_ground(self, record: Raw) -> bool:
        return text(record, "subreddit").casefold() in self._subreddits

    def _leads_on(self, record: Any) -> bool:
        """Whether what stands below is ours to read: our subreddit's posts, and what we wrote anywhere else."""
        if not self._official or self._options.feed or not isinstance(record, Mapping):
            return False
        if self._on_our_ground(record):
            return text(record, "name").startswith("t3_")
        return self._reader.author(record).kind is AuthorKind.SCHOOL

    def _below(self, ask: Ask, record: Raw, seen: set[str], talked: set[str], cursor: str | None) -> Iterator[Page]:
        """What stands below a post or comment; nothing where that is not, or no longer, for us to see.

        Then how many comments Reddit counts below a post, less those that are shown as removed. Raises SourceError
        where nothing is shown below a post in `talked`.
        """
        name, post = text(record, "name"), text(record, "link_id")
        shown: dict[str, bool] = {}
        with suppress(Closed):
            for found in tree(ask, post or name, name if post else "", self._options.thread_requests):
                below = [one for one in found if isinstance(one, Mapping)]
                shown |= {text(one, "name"): vanished(one) == "removed" for one in below}
                yield self._reader.page(fresh(found, seen), cursor)
            count = None if post or not FULLNAME.fullmatch(name) else counted(record)
            if not shown and name in talked:
                none = f"Reddit answered, but showed none of the {count or 'known'} comments below a post"
                raise SourceError(f"{none}; trying again at the next poll")
            if count is not None:
                left = max(count - sum(shown.values()), 0)
                yield Page(cursor=cursor, totals={ItemRef(PLATFORM, name): left})

    def _expect_gone(self, ask: Ask, path: str, last: str) -> None:
        """Raises SourceError for an empty listing if what stood there `last` is still to be seen."""
        left = [] if self._options.feed else mappings(look_up(ask, [last]))
        public = [one for one in left if not vanished(one) and visibility(one) is Visibility.PUBLIC]
        if public or self._options.feed:
            raise SourceError(
                f"Reddit answered, but listed nothing in {path}, where there was something; trying again at the "
                "next poll"
            )

    def _scopes(self) -> tuple[str, ...]:
        return ("history", *(["privatemessages"] if self._messages else []), "read") if self._moderator else ()


def _talked_below(found: Iterable[Any]) -> set[str]:
    """The posts below which one of the records stands for everybody to see."""
    said = (one for one in mappings([*found]) if text(one, "name").startswith("t1_"))
    return {text(one, "link_id") for one in said if not vanished(one) and visibility(one) is Visibility.PUBLIC}


def _is_ours(ref: ItemRef) -> bool:
    """Whether Reddit itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and FULLNAME.fullmatch(ref.id) is not None


def _load(cursor: str | None) -> tuple[datetime | None, dict[str, str]]:
    """Up to when was read, and what each listing began with. Nothing where it cannot be read."""
    try:
        state = json.loads(cursor or "{}")
        newest = dig(state, "newest")
        kept = {path: text(newest, path) for path in newest} if isinstance(newest, Mapping) else {}
        return parse_instant(state["read_to"]), {
            path: name for path, name in kept.items() if FULLNAME.fullmatch(name)
        }
    except (LookupError, TypeError, ValueError):
        return None, {}
