"""A school's YouTube channel through the YouTube Data API v3, read with google-api-python-client.

Every poll lists the channel's uploads and the comment threads of the last weeks. A thread carries only some of its
replies, and a new reply leaves it at its old place in the list: replies are listed apart wherever their number has
changed, and every few hours the threads are read to the very end.
https://developers.google.com/youtube/v3/docs/commentThreads/list, /comments/list, /playlistItems/list, /errors
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import httplib2  # type: ignore[import-untyped]
import requests
from google.api_core.client_options import ClientOptions
from googleapiclient.discovery import build  # type: ignore[import-untyped]
from googleapiclient.errors import HttpError  # type: ignore[import-untyped]
from pydantic import Field

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text
from connectors._http import Answer, ApiSession, Service, retry_at
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

# The library warns of every 403, and comments that are turned off are one, at every sweep.
logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)

PLATFORM = "youtube"
#: Where YouTube's day begins: https://developers.google.com/youtube/v3/determine_quota_cost
PACIFIC = ZoneInfo("America/Los_Angeles")
#: How often threads are read to the very end, and replies whose number has not changed.
WHOLE_EVERY, REPLIES_EVERY = timedelta(hours=6), timedelta(hours=1)
FORGET_AFTER = timedelta(days=7)
#: Ids in one look-up: the library turns a longer URL into a POST.
LOOKUP_BATCH = 25
#: Something is not there, which is no refusal of the account. A channel without videos has no list of them.
ABSENT = {"commentsDisabled", "commentNotFound", "commentThreadNotFound", "playlistNotFound", "videoNotFound"}
DAY_USED_UP = {"quotaExceeded", "dailyLimitExceeded"}
LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
PASSING = {"backendError", "internalError", "processingFailure", "invalidPageToken"}
REFUSALS = {
    "no longer accepts our access token (an API key)": {"keyInvalid", "keyExpired", "API_KEY_INVALID"},
    "no longer renews our access token": {"invalid_grant", "invalid_client", "unauthorized_client"},
    "is not switched on in our Google project": {"accessNotConfigured", "SERVICE_DISABLED"},
    "finds the scope youtube.force-ssl missing": {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
    "bars our API key from this address or API": {"ipRefererBlocked", "API_KEY_IP_ADDRESS_BLOCKED"},
    "says that whoever signed in has no channel": {"youtubeSignupRequired"},
}
_WORDS: dict[str, Any] = {"maxResults": 100, "textFormat": "plainText"}
#: The form of ids that YouTube itself gives: what staff handed in has others.
_VIDEO, _COMMENT = re.compile(r"[\w-]{11}"), re.compile(r"[\w-]{12,}(\.[\w-]+)?")


class Options(ConnectorOptions):
    """`channel` is the channel's id (UC…) or its @handle; the rest has good defaults."""

    channel: str = Field(pattern=r"^(UC[\w-]{22}|@[\w.·-]{3,60})$")
    base_url: str = "https://youtube.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    page_url: str = "https://www.youtube.com"
    #: Threads without a word since then are left to the sweeps.
    window_days: float = Field(default=30, gt=0, le=365)
    #: What the Google project may spend in a day.
    daily_units: int = Field(default=10_000, ge=1)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one channel, by API key (`token`) or by sign-in (`refresh_token`). Raises ConfigError."""
    names = ("refresh_token", "client_id", "client_secret") if "refresh_token" in secrets else ("token",)
    return YouTube(account, options, {name: need_secret(account, secrets, name) for name in names})


class _Absent(SourceError):
    """What was asked for is not there."""


class _Transport:
    """What the client library sends its requests through, in httplib2's manner."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None
    ) -> tuple[httplib2.Response, bytes]:
        query = parse_qsl(urlsplit(uri).query)
        response = self._session.request(method, uri, params=query, data=body, headers=headers)
        return httplib2.Response({"status": str(response.status_code)}), response.content


class YouTube(Connector):
    """Reads one channel."""

    def __init__(self, account: Account, options: Options, secrets: Mapping[str, str]) -> None:
        self._account = account
        self._options = options
        self._secrets = secrets
        self._owner = "refresh_token" in secrets
        self._own = {name.lower().lstrip("@") for name in account.handles}
        self._channel = ""
        self._access = ("", datetime.min.replace(tzinfo=UTC))
        self._day, self._units = "", 0
        todo = "sign in as the channel once more" if self._owner else "look at the API key in Google's console"
        self._service = Service(
            name="YouTube",
            account=account.id,
            remedy=f"Ask your technician to {todo} (docs/connectors.md, YouTube) and to put it where the account's "
            "`secrets` point",
        )

    def capabilities(self) -> Capabilities:
        hidden = ("comments held for review", "likely spam") if self._owner else ()
        blind = () if self._owner else ("an API key shows no comment that is held for review or likely spam",)
        units = f"{self._options.daily_units:,} quota units a day"
        used = f"{self._units:,} of {units} used on {self._day} (California)" if self._day else units
        return Capabilities(
            reads=("own videos", "comments", "replies", *hidden),
            edits=True,
            deletions=True,
            notes=(
                used,
                "replies hang below the first comment of their thread, whichever of them they answer",
                *blind,
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """Uploads and threads of the window; of all time when that is due and half of the day's quota is left.

        What is older than the window of the first poll is left out, unless somebody answers it. Only the last page
        moves the cursor: YouTube lists the newest first.
        """
        state = _load(cursor)
        since = now - timedelta(days=self._options.window_days)
        since, begin = min(since, state.get("read_to", since)), state.get("begin", since)
        replies, whole_to = state.get("replies", {}), state.get("whole_to")
        seen: set[ItemRef] = set()
        with self._open(now) as http:
            self._units = max(self._units, state.get("spent", {}).get(self._day, 0))
            whole = whole_to is None or now - whole_to >= WHOLE_EVERY
            whole = whole and self._units <= self._options.daily_units / 2
            uploads = self._find_channel(http)
            with suppress(_Absent):
                part = "snippet,contentDetails,status"
                for records in self._listing(http, "playlistItems", playlistId=uploads, part=part, maxResults=50):
                    wanted = [record for record in records if not _before(begin, record)]
                    yield page(_fresh(self._videos(wanted), seen), cursor=cursor)
                    if not whole and records and all(_before(since, record) for record in records):
                        break
            with suppress(_Absent):
                which = {"allThreadsRelatedToChannelId": self._channel}
                for threads in self._threads(http, None if whole else since, **which):
                    found = [one for thread in threads for one in self._thread(http, thread, replies, now, begin)]
                    yield page(_fresh(found, seen), cursor=cursor)
        times = {"begin": begin, "read_to": now, "whole_to": now if whole else whole_to or begin}
        kept = {key: (many, format_instant(at)) for key, (many, at) in replies.items() if now - at < FORGET_AFTER}
        told = {name: format_instant(at) for name, at in times.items()}
        yield Page(cursor=json.dumps({**told, "replies": kept, "spent": {self._day: self._units}}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The video `ref` with all its comments; what is `known` but not listed is looked up by its id.

        A video made private is gone, as for everybody; comments that were turned off are hidden, not deleted.
        """
        if ref.platform != PLATFORM or not _VIDEO.fullmatch(ref.id):
            return
        comments = [one for one in known if one.platform == PLATFORM and _COMMENT.fullmatch(one.id)]
        seen: set[ItemRef] = set()
        with self._open(now) as http, suppress(_Absent):
            records = next(self._listing(http, "videos", part="snippet,status,statistics", id=ref.id))
            if not records or not self._channel:
                # Before no video counts as a deletion, the channel has to be there.
                self._find_channel(http)
            videos = self._videos(records)
            if not videos:
                yield Page(gone=(ref, *comments))
                return
            yield page(_fresh(videos, seen))
            for threads in self._threads(http, None, videoId=ref.id):
                found = [one for thread in threads for one in self._thread(http, thread, {}, now, video=ref.id)]
                yield page(_fresh(found, seen))
            missing = [one.id for one in comments if one not in seen]
            for start in range(0, len(missing), LOOKUP_BATCH):
                ids = missing[start : start + LOOKUP_BATCH]
                left = self._look_up(http, ids)
                there = {text(record, "id") for record in left}
                gone = [ItemRef(PLATFORM, key) for key in ids if key not in there]
                yield page(_fresh([self._comment(record, ref.id) for record in left], seen), gone=gone)

    @contextmanager
    def _open(self, now: datetime) -> Iterator[_Transport]:
        day = now.astimezone(PACIFIC).date().isoformat()
        self._day, self._units = day, self._units if day == self._day else 0
        with self._session(self._options.base_url, now) as session:
            if not self._owner:
                session.auth = _signed("X-Goog-Api-Key", self._secrets["token"])
            else:
                session.auth = _signed("Authorization", f"Bearer {self._signed_in(now)}")
            yield _Transport(session)

    def _session(self, url: str, now: datetime) -> ApiSession:
        host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        reach = self._options.reach
        return ApiSession(service=self._service, base_url=host, token="", reach=reach, now=now, judge=self._judge)

    def _signed_in(self, now: datetime) -> str:
        """An access token: https://developers.google.com/identity/protocols/oauth2/web-server#offline"""
        if now >= self._access[1]:
            with self._session(self._options.token_url, now) as session:
                session.auth = lambda request: request
                form = {"grant_type": "refresh_token", **self._secrets}
                answer = session.request("POST", self._options.token_url, data=form).json()
            lasts = dig(answer, "expires_in")
            until = now + timedelta(seconds=min(lasts, 3600) - 300 if isinstance(lasts, int) else 0)
            self._access = (text(answer, "access_token"), until)
        return self._access[0]

    @cached_property
    def _api(self) -> Any:
        """The library's methods, from the description of the API that it brings along; nothing is fetched.

        Each request gets a transport of its own: the one given here is never used.
        """
        where = ClientOptions(api_endpoint=f"{self._options.base_url.rstrip('/')}/")
        return build("youtube", "v3", http=httplib2.Http(), client_options=where, cache_discovery=False)

    def _listing(self, http: _Transport, resource: str, **params: Any) -> Iterator[list[Any]]:
        """Every page of a listing, each for one unit. Raises _Absent, and SourceError when it does not move on."""
        token, used = "", {""}
        method = getattr(self._api, resource)().list
        while True:
            self._units += 1
            try:
                answer = method(pageToken=token or None, **params).execute(http=http)
            except HttpError:
                lost = f"YouTube lost some {resource} while we read; trying again at the next poll"
                raise _Absent(lost) from None
            items = dig(answer, "items")
            # An empty answer may leave out the list, but says what it is.
            if not isinstance(items, list) and (items is not None or not text(answer, "kind")):
                raise SourceError(f"YouTube sent no list of {resource}; trying again at the next poll")
            yield items or []
            token = text(answer, "nextPageToken")
            if not token:
                return
            if token in used:
                raise SourceError("YouTube sent us round in a circle (the same page twice); trying again later")
            used.add(token)

    def _find_channel(self, http: _Transport) -> str:
        """Finds the channel; the id of its list of uploads. Raises SourceError."""
        wanted = self._options.channel
        by = {"forHandle": wanted} if wanted.startswith("@") else {"id": wanted}
        found = next(self._listing(http, "channels", part="contentDetails", **by))
        self._channel = text(found[0], "id") if found else ""
        if not self._channel:
            raise self._service.refused(f"knows no channel {wanted}")
        if self._account.channel is Channel.OFFICIAL:
            self._own.add(self._channel.lower())
        return text(found[0], "contentDetails", "relatedPlaylists", "uploads")

    def _threads(self, http: _Transport, since: datetime | None, **which: str) -> Iterator[list[Any]]:
        """Threads, newest first, until a whole page was last touched before `since`; the hidden ones apart."""
        for status in (None, "heldForReview", "likelySpam") if self._owner else (None,):
            params = {"part": "snippet,replies", "order": "time", "moderationStatus": status, **_WORDS, **which}
            for threads in self._listing(http, "commentThreads", **params):
                yield threads
                if threads and all(_before(since, dig(one, "snippet", "topLevelComment")) for one in threads):
                    break

    def _thread(
        self,
        http: _Transport,
        thread: Any,
        replies: dict[str, tuple[int, datetime]],
        now: datetime,
        since: datetime | None = None,
        video: str = "",
    ) -> list[Item | Reject]:
        """A thread's first comment and its replies, [] where nothing was said in it since then.

        `replies` remembers how many were listed apart, and when.
        """
        key, top = text(thread, "id"), dig(thread, "snippet", "topLevelComment")
        video = text(thread, "snippet", "videoId") or video
        carried = dig(thread, "replies", "comments")
        below = carried if isinstance(carried, list) else []
        total = dig(thread, "snippet", "totalReplyCount")
        if key and isinstance(total, int) and total > len(below):
            many, at = replies.get(key, (-1, now))
            if many != total or now - at >= REPLIES_EVERY:
                replies[key] = (total, now)
                with suppress(_Absent):
                    for listed in self._listing(http, "comments", parentId=key, part="snippet", **_WORDS):
                        below = [*below, *listed]
        if all(_before(since, one) for one in (top, *below)):
            return []
        first = self._comment(top, video) if top else Reject(raw=thread, reason="the thread has no first comment")
        return [first, *(self._comment(reply, video, key) for reply in below)]

    def _look_up(self, http: _Transport, ids: list[str]) -> list[Raw]:
        """Comments by id. One that is missing may cost the whole request: then each half is asked for."""
        try:
            params = {"part": "snippet", "textFormat": "plainText"}
            return mappings(next(self._listing(http, "comments", id=",".join(ids), **params)))
        except _Absent:
            half = len(ids) // 2
            return [*self._look_up(http, ids[:half]), *self._look_up(http, ids[half:])] if half else []

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """YouTube's own reasons first, the HTTP status where there is none that we know."""
        reasons = _reasons(dig(answer.document, "error"))
        if reasons & ABSENT:
            return None
        if reasons & DAY_USED_UP:
            tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
            renewed = datetime.combine(tomorrow, time(), PACIFIC).astimezone(UTC)
            # Tried again before that, too: somebody may have been granted more.
            return SourceError(
                f"YouTube's daily quota is used up for account {self._account.id} (we counted {self._units:,} of "
                f"{self._options.daily_units:,} units); it is renewed at {renewed:%H:%M} UTC. Ask your technician "
                "what else uses the same Google project",
                retry_at=min(renewed, now + timedelta(hours=1)),
            )
        if reasons & LIMITS:
            return self._service.busy(retry_at(answer.headers, now))
        for sentence, known in REFUSALS.items():
            if reasons & known:
                return self._service.refused(sentence)
        if reasons & PASSING:
            return SourceError("YouTube is having trouble of its own; trying again at the next poll")
        if answer.status == 401 and self._owner:
            self._access = ("", now)
            return SourceError("YouTube ended our sign-in early; signing in again at the next poll")
        return self._service.judge(answer, now)

    def _videos(self, records: Iterable[Any]) -> list[Item | Reject]:
        """Videos that people can see, from the list of uploads or by id; each is a post of the channel's."""
        unseen = ("private", "privacyStatusUnspecified")
        return [read(one, self._video) for one in records if text(one, "status", "privacyStatus") not in unseen]

    def _video(self, record: Raw) -> Item:
        snippet = dig(record, "snippet")
        video = text(record, "contentDetails", "videoId") or text(snippet, "resourceId", "videoId")
        video, shown = video or text(record, "id"), text(record, "contentDetails", "videoPublishedAt")
        if not _VIDEO.fullmatch(video):
            raise Unreadable("the video has no id")
        ref = ItemRef(PLATFORM, video)
        name = text(snippet, "videoOwnerChannelTitle") or text(snippet, "channelTitle")
        return Item(
            ref=ref,
            channel=self._account.channel,
            kind=ItemKind.POST,
            author=self._author(text(snippet, "videoOwnerChannelId") or text(snippet, "channelId"), name),
            text="\n".join(filter(None, (text(snippet, "title"), text(snippet, "description")))),
            url=f"{self._options.page_url.rstrip('/')}/watch?v={video}",
            published_at=instant(shown or text(snippet, "publishedAt")),
            thread=ref,
            lang=text(snippet, "defaultAudioLanguage")[:2] or None,
            attachments=("video",),
            raw=record,
        )

    def _comment(self, record: Any, video: str, thread: str = "") -> Item | Reject:
        """A comment; its `snippet.moderationStatus` in `raw` says whether it is hidden, to the channel's owner."""

        def convert(raw: Raw) -> Item:
            key, snippet = text(raw, "id"), dig(raw, "snippet")
            if not key:
                raise Unreadable("the comment has no id")
            above = text(snippet, "parentId") or thread or (key.partition(".")[0] if "." in key else "")
            post = text(snippet, "videoId") or video
            place = f"watch?v={post}&" if post else f"channel/{text(snippet, 'channelId')}/community?"
            return Item(
                ref=ItemRef(PLATFORM, key),
                channel=self._account.channel,
                kind=ItemKind.REPLY if above else ItemKind.COMMENT,
                author=self._author(text(snippet, "authorChannelId", "value"), text(snippet, "authorDisplayName")),
                text=text(snippet, "textOriginal") or text(snippet, "textDisplay"),
                url=f"{self._options.page_url.rstrip('/')}/{place}lc={key}",
                published_at=instant(text(snippet, "publishedAt")),
                parent=ItemRef(PLATFORM, above or post) if above or post else None,
                thread=ItemRef(PLATFORM, post) if post else None,
                attachments=("photo",) if text(snippet, "imageUrl") else (),
                raw=raw,
            )

        return read(record, convert)

    def _author(self, channel: str, name: str) -> Author:
        """YouTube shows people by their @handle; who closed their channel has neither name nor id."""
        handle = name.removeprefix("@") if name.startswith("@") else ""
        ours = bool({channel.lower(), handle.lower()} & self._own - {""})
        kind = AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN
        return Author(id=channel, handle=handle, display_name=name, kind=kind)


def _load(cursor: str | None) -> dict[str, Any]:
    """Where the first poll began; up to when the window and everything was read; `replies` listed apart (thread ->
    number, when); quota units `spent` (day -> number). {} where it cannot be read: the store deduplicates."""
    try:
        state = json.loads(cursor or "{}")
        times = {name: parse_instant(state[name]) for name in ("begin", "read_to", "whole_to")}
        replies = {key: (int(many), parse_instant(at)) for key, (many, at) in state["replies"].items()}
        return {**times, "replies": replies, "spent": {day: int(units) for day, units in state["spent"].items()}}
    except (LookupError, TypeError, ValueError, AttributeError):
        return {}


def _before(since: datetime | None, record: Any) -> bool:
    """Whether a video or comment appeared and was last edited before `since`; not where it does not say."""
    stated = text(record, "snippet", "updatedAt") or text(record, "contentDetails", "videoPublishedAt")
    last = instant(stated or text(record, "snippet", "publishedAt"))
    return since is not None and last is not None and last < since


def _fresh(results: Iterable[Item | Reject], seen: set[ItemRef]) -> list[Item | Reject]:
    """Those not met before: pages shift while we read, and threads carry replies that are listed apart, too."""
    found: list[Item | Reject] = []
    for result in results:
        if isinstance(result, Item):
            if result.ref in seen:
                continue
            seen.add(result.ref)
        found.append(result)
    return found


def _reasons(error: Any) -> set[str]:
    """All reasons that an error of Google's gives, in its older and its newer form or OAuth's (a mere word)."""
    details = mappings(dig(error, "details"))
    found = {text(one, "reason") for one in (*mappings(dig(error, "errors")), *details)}
    if any("PerDay" in text(one, "metadata", "quota_limit") for one in details):
        found.add("quotaExceeded")
    return found | {error} if isinstance(error, str) else found


def _signed(name: str, value: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """The secret as a header of every request: it stands in no URL and reaches no library."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[name] = value
        return request

    return sign
