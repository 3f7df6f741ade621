"""A school's YouTube channel, and videos of others about the school, through the YouTube Data API v3.

An official account lists the channel's uploads and the comment threads of the last weeks at every poll. A thread
carries only some of its replies, and a new reply leaves it at its old place in the list: replies are listed apart
wherever their number has changed, and every few hours the threads are read to the very end. A mention account
searches for videos, as often as its share of the day's searches allows; what is said below them is read by sweeps.
https://developers.google.com/youtube/v3/docs/commentThreads/list, /comments/list, /playlistItems/list, /search/list
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from connectors import _queries
from connectors import _youtube_comments as comments
from connectors._fields import mappings, page, text
from connectors._http import Service
from connectors._options import ConnectorOptions, need_secret
from connectors._youtube import COMMENT, PLATFORM, VIDEO, Reader, before, fresh, totals, video_id
from connectors._youtube_http import SCOPE, ZONE, Absent, Api, Listing
from monitor.domain.account import Access, Account, Budget, Capabilities, Profile
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Channel, Item, ItemRef, Page, Reject, Visibility
from monitor.domain.ports import Connector

#: How often threads are read to the very end at most.
WHOLE_EVERY = timedelta(hours=6)
#: The part of a day's quota that reading to the very end may take.
WHOLE_SHARE = 0.5
FORGET_AFTER = timedelta(days=7)
#: A search finds some videos only days after they appeared.
SEARCH_LAG, LONGEST_QUERY = timedelta(days=3), 300
DAY = timedelta(days=1)


class Options(ConnectorOptions):
    """`channel` is the school's channel, as its id (UC…) or its @handle. A mention account searches for `query`, or
    for the school's names, and leaves that channel's videos out."""

    channel: str = Field(default="", pattern=r"^(UC[\w-]{22}|@[\w.·-]{3,60})?$")
    query: str = Field(default="", max_length=LONGEST_QUERY)
    base_url: str = "https://youtube.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    page_url: str = "https://www.youtube.com"
    #: Threads without a word since then are left to the sweeps; the first search goes so far back.
    window_days: float = Field(default=30, gt=0, le=365)
    #: What the Google project may spend in a day.
    daily_units: int = Field(default=10_000, ge=1)
    #: How many of the Google project's searches in a day (100, as a rule) this mention account may make.
    daily_searches: int = Field(default=48, ge=1)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one channel or search, by API key (`token`) or sign-in (`refresh_token`). Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not options.channel:
        raise ConfigError(f"account {account.id}: give option 'channel': the school's own, as its id or @handle")
    names = ("refresh_token", "client_id", "client_secret") if "refresh_token" in secrets else ("token",)
    return YouTube(account, options, {name: need_secret(account, secrets, name) for name in names})


class YouTube(Connector):
    """Reads one channel, or what one search finds."""

    def __init__(self, account: Account, options: Options, secrets: Mapping[str, str]) -> None:
        self._account = account
        self._options = options
        self._official = account.channel is Channel.OFFICIAL
        self._queries: list[str] = []
        if not self._official:
            self._queries = [options.query] if options.query else [*_queries.for_names(account, "|", LONGEST_QUERY)]
        own = (name.lower().lstrip("@") for name in account.handles)
        self._reader = Reader(account.channel, options.page_url, own)
        self._channel = ""
        renew = "sign in as the channel once more"
        todo = renew if "refresh_token" in secrets else "look at the API key in Google's console"
        self._service = Service(
            name="YouTube",
            account=account.id,
            remedy=f"Ask your technician to {todo} (docs/connectors.md, YouTube) and to put it where the account's "
            "`secrets` point",
        )
        self._api = Api(
            service=self._service,
            base_url=options.base_url,
            token_url=options.token_url,
            reach=options.reach,
            secrets=secrets,
        )
        #: Nobody else is shown what is held back.
        self._owner = self._api.signs_in and self._official

    def capabilities(self) -> Capabilities:
        options = self._options
        addresses = (options.base_url, *([options.token_url] if self._api.signs_in else []))
        flat = "replies hang below the first comment of their thread, whichever of them they answer"
        if self._official:
            hidden = ("comments held for review", "likely spam") if self._owner else ()
            reads: tuple[str, ...] = ("own videos", "comments", "replies", *hidden)
            notes: tuple[str, ...] = ("an API key shows no comment that is held for review or likely spam",)
        else:
            reads = ("search for videos", "comments and replies below them")
            notes = (f"searches {options.daily_searches} times a day at most", "comments cannot be searched for")
        return Capabilities(
            reads=reads,
            edits=True,
            deletions=True,
            notes=(flat, *(() if self._owner else notes)),
            needs=(SCOPE,) if self._api.signs_in else (),
            hosts=tuple(dict.fromkeys(urlsplit(address).hostname or "" for address in addresses)),
            pages=(urlsplit(options.page_url).hostname or "",),
            budget=Budget(unit="units", cap=options.daily_units, period="day", zone=ZONE),
            finds_profiles=True,
        )

    def access(self, now: datetime) -> Access:
        """The scope that a sign-in lacks, and when it ends where leave was given for a time only.

        https://developers.google.com/identity/protocols/oauth2/web-server#offline; of an API key nothing is told.
        """
        if not self._api.signs_in:
            return Access()
        grant = self._api.sign_in(now)
        return Access(
            ends={"the sign-in": grant.ends} if grant.ends else {},
            lacks=(SCOPE,) if grant.scopes and SCOPE not in grant.scopes else (),
        )

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        """Channels that a search for each name finds: one of the day's searches and one unit for each name."""
        seen: set[str] = set()
        with self._api.open(now) as ask:
            for name in names:
                hits = next(ask("search", q=f'"{name}"', part="snippet", type="channel", maxResults=25))
                ids = dict.fromkeys(text(hit, "id", "channelId") for hit in hits)
                new = [key for key in ids if key and key not in seen]
                seen.update(new)
                found = mappings(next(ask("channels", part="snippet", id=",".join(new)))) if new else []
                yield from (self._reader.profile(record) for record in found if text(record, "id"))

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """The channel's videos and comments, or the videos that a search finds.

        Only the last page moves the cursor: YouTube lists the newest first.
        """
        return self._read(cursor, now) if self._official else self._search(cursor, now)

    def _read(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Uploads and threads of the window; of all time where that is due.

        What is older than the window of the first poll is left out, unless somebody answers it.
        """
        state = _load(cursor)
        since = now - timedelta(days=self._options.window_days)
        since, begin = min(since, state.get("read_to", since)), state.get("begin", since)
        replies, whole_to, cost = state.get("replies", {}), state.get("whole_to"), state.get("whole_units", 0)
        every = max(WHOLE_EVERY, DAY * (cost / (self._options.daily_units * WHOLE_SHARE)))
        whole = whole_to is None or now - whole_to >= every
        seen: set[ItemRef] = set()
        newest, units, counted = "", 0.0, 0
        with self._api.open(now) as ask:
            uploads = self._find_channel(ask, state.get("newest", ""))
            with suppress(Absent):
                part = "snippet,contentDetails,status"
                for records in ask("playlistItems", playlistId=uploads, part=part, maxResults=50):
                    if not (records or newest):
                        self._expect_gone(ask, state.get("newest", ""))
                    newest = newest or next(filter(VIDEO.fullmatch, map(video_id, records)), "")
                    wanted = [record for record in records if not before(begin, record)]
                    told = totals(comments.look_up_videos(ask, map(video_id, wanted), "statistics"))
                    # What the owner alone is shown is added by the sweeps, which read all of it.
                    found = self._page(self._reader.videos(wanted), seen, cursor, {} if self._owner else told)
                    yield found
                    units, counted = units + found.spent, counted + sum(told.values())
                    if not whole and records and all(before(since, record) for record in records):
                        break
            with suppress(Absent):
                which = {"allThreadsRelatedToChannelId": self._channel}
                for threads in self._threads(ask, None if whole else since, counted, which):
                    said = [comments.thread(ask, self._reader, one, replies, now, begin) for one in threads]
                    found = self._page(chain.from_iterable(said), seen, cursor)
                    yield found
                    units += found.spent
        times = {"begin": begin, "read_to": now, "whole_to": now if whole else whole_to or begin}
        kept = {key: (many, format_instant(at)) for key, (many, at) in replies.items() if now - at < FORGET_AFTER}
        memory: dict[str, Any] = {name: format_instant(at) for name, at in times.items()}
        memory |= {"replies": kept, "newest": newest, "whole_units": units if whole else cost}
        yield Page(cursor=json.dumps(memory), spent=self._api.spent())

    def _search(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Videos of others, whenever a search is due: so seldom that a day's searches suffice."""
        state = _load_search(cursor)
        last, calls = state.get("searched_to"), state.get("calls", 0)
        if last is not None and now - last < DAY * (calls / self._options.daily_searches):
            yield Page(cursor=cursor)
            return
        since = last - SEARCH_LAG if last else now - timedelta(days=self._options.window_days)
        seen: set[ItemRef] = set()
        calls = 0
        with self._api.open(now) as ask:
            if self._options.channel:
                self._find_channel(ask)
            for query in self._queries:
                how = {"part": "snippet", "type": "video", "order": "date", "safeSearch": "none", "maxResults": 50}
                for hits in ask("search", q=query, publishedAfter=format_instant(since), **how):
                    calls += 1
                    # A hit's own words are shortened.
                    keys = [text(hit, "id", "videoId") for hit in hits]
                    records = comments.look_up_videos(ask, keys)
                    theirs = [one for one in records if text(one, "snippet", "channelId") != self._channel]
                    nameless = [
                        Reject(raw=hit, reason="the search result names no video")
                        for hit, key in zip(hits, keys, strict=True)
                        if not VIDEO.fullmatch(key)
                    ]
                    yield self._page([*self._reader.videos(theirs), *nameless], seen, cursor, totals(theirs))
        memory = {"searched_to": format_instant(now), "calls": calls}
        yield Page(cursor=json.dumps(memory), spent=self._api.spent())

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The video `ref` with all its comments; what is `known` but not listed is looked up by its id.

        A video made private is gone, as for everybody; comments that were turned off are hidden, not deleted.
        YouTube counts what is published: `totals` has besides what the owner was shown.
        """
        if ref.platform != PLATFORM or not VIDEO.fullmatch(ref.id):
            return
        ours = [one for one in known if one.platform == PLATFORM and COMMENT.fullmatch(one.id)]
        seen: set[ItemRef] = set()
        with self._api.open(now) as ask, suppress(Absent):
            records = comments.look_up_videos(ask, [ref.id])
            if not records:
                uploads = self._find_channel(ask) if self._options.channel else ""
                records = comments.look_again(ask, ref.id, uploads)
            if self._options.channel and not self._channel:
                self._find_channel(ask, ref.id)
            videos = self._reader.videos(records)
            if not videos:
                yield Page(gone=(ref, *ours), spent=self._api.spent())
                return
            told, unseen = totals(records), 0
            yield self._page(videos, seen, None)
            for threads in self._threads(ask, None, told.get(ref, 0), {"videoId": ref.id}):
                said = [comments.thread(ask, self._reader, one, {}, now, video=ref.id) for one in threads]
                read = self._page(chain.from_iterable(said), seen, None)
                unseen += sum(item.visibility is not Visibility.PUBLIC for item in read.items)
                yield read
            listed = next((one.id for one in seen if COMMENT.fullmatch(one.id)), "")
            missing = [one.id for one in ours if one not in seen]
            for start in range(0, len(missing), comments.COMMENT_BATCH):
                ids = missing[start : start + comments.COMMENT_BATCH]
                left = comments.look_up(ask, ids, listed)
                there = {text(record, "id") for record in left}
                gone = [ItemRef(PLATFORM, key) for key in ids if key not in there]
                # The owner was shown all that is published or held back: what is in no list was rejected.
                untold = Visibility.HIDDEN if self._owner else Visibility.PUBLIC
                found = [self._reader.comment(record, ref.id, untold=untold) for record in left]
                read = self._page(found, seen, None, gone=gone)
                unseen += sum(item.visibility is not Visibility.PUBLIC for item in read.items)
                yield read
            yield Page(totals={key: count + unseen for key, count in told.items()}, spent=self._api.spent())

    def _threads(
        self, ask: Listing, since: datetime | None, counted: int, which: Mapping[str, str]
    ) -> Iterator[list[Any]]:
        return comments.threads(ask, since, owner=self._owner, counted=counted, which=which)

    def _page(
        self,
        results: Iterable[Item | Reject],
        seen: set[ItemRef],
        cursor: str | None,
        told: Mapping[ItemRef, int] | None = None,
        gone: Iterable[ItemRef] = (),
    ) -> Page:
        return page(fresh(results, seen), cursor=cursor, gone=gone, totals=told, spent=self._api.spent())

    def _expect_gone(self, ask: Listing, newest: str) -> None:
        """Raises SourceError where nothing was shown although the video that was the newest is still there."""
        if comments.look_up_videos(ask, [newest], "status"):
            none = "YouTube answered, but showed no video of the channel, although there are some"
            raise SourceError(f"{none}; trying again at the next poll")

    def _find_channel(self, ask: Listing, newest: str = "") -> str:
        """Finds the school's channel; the id of its list of uploads. Raises SourceError, for a while only if the
        `newest` of its videos known is still there."""
        wanted = self._options.channel
        by = {"forHandle": wanted} if wanted.startswith("@") else {"id": wanted}
        found = next(ask("channels", part="contentDetails", **by))
        self._channel = text(found[0], "id") if found else ""
        if not self._channel:
            self._expect_gone(ask, newest)
            raise self._service.refused(f"knows no channel {wanted}")
        self._reader.own.add(self._channel.lower())
        return text(found[0], "contentDetails", "relatedPlaylists", "uploads")


def _load(cursor: str | None) -> dict[str, Any]:
    """Where the first poll began; up to when the window and everything was read, and the units that this took;
    `replies` listed apart; the `newest` video's id. {} where it cannot be read: the store deduplicates."""
    try:
        state = json.loads(cursor or "{}")
        times = {name: parse_instant(state[name]) for name in ("begin", "read_to", "whole_to")}
        replies = {key: (int(many), parse_instant(at)) for key, (many, at) in state["replies"].items()}
        memory = {"replies": replies, "whole_units": float(state.get("whole_units", 0))}
        return {**times, **memory, "newest": text(state, "newest")}
    except (LookupError, TypeError, ValueError, AttributeError):
        return {}


def _load_search(cursor: str | None) -> dict[str, Any]:
    """Up to when was searched, and how many searches that took. {} where it cannot be read."""
    try:
        state = json.loads(cursor or "{}")
        return {"searched_to": parse_instant(state["searched_to"]), "calls": int(state["calls"])}
    except (LookupError, TypeError, ValueError, AttributeError):
        return {}
