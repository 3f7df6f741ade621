"""Bluesky (the AT Protocol), read with atproto.

An official account is read from its own posts, the threads below them, and its notifications; a mention account is
one or more searches. Threads are read because not every reply is notified (one right after its parent, one that the
school hid). Listings stand in the order of a date that each author chooses, so that no date says that the rest is
known: a poll reads on past it, and every hour one reads everything. https://docs.bsky.app/docs/category/http-reference
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from atproto import Client, Session, SessionEvent, models
from atproto.exceptions import AtProtocolError
from atproto_client.request import RequestBase, Response
from pydantic import Field

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text
from connectors._http import Answer, ApiSession, Service, retry_at
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "bluesky"
REASONS = ("mention", "reply", "quote")
#: How many entries in a row must be older than wanted before a listing is left.
OVERLAP = 100
LOOKUP_BATCH = 25
#: Levels of replies asked for at once: many more nest deeper than a JSON parser goes.
DEPTH = 50
RECENT = timedelta(days=1)
_POST = re.compile(r"at://(did:[a-z]+:[\w.:%-]+)/app\.bsky\.feed\.post/([\w.~:-]+)")
_KEY_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


class Options(ConnectorOptions):
    """`handle` signs in; `queries` (mention accounts) are searched for one by one: Bluesky's search knows no OR."""

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
    if account.channel is Channel.MENTION and not options.queries:
        raise ConfigError(f"account {account.id}: option 'queries' is missing: what to search Bluesky for")
    return Bluesky(account, options, need_secret(account, secrets, "token"))


class _Stale(SourceError):
    """The session is over: a new one is needed."""


class _Missing(SourceError):
    """There is no such post."""


class _Wire(RequestBase):  # type: ignore[misc]
    """atproto's requests over our own session: the one that it brings limits neither total time nor size."""

    session: ApiSession

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Response:
        # No option is asked for by default, and requests would write it "False".
        asked = {name: value for name, value in (params or {}).items() if value is not False}
        return self._send("GET", url, headers, params=asked)

    def post(self, url: str, content: Any = None, headers: Any = None, **_: Any) -> Response:
        return self._send("POST", url, headers, data=content)

    def _send(self, method: str, url: str, headers: Any, **what: Any) -> Response:
        answer = self.session.request(method, url, headers=self.get_headers(headers), **what)
        return Response(True, answer.status_code, answer.json(), dict(answer.headers))


class _Client(Client):  # type: ignore[misc]
    """atproto's client, which refreshes its session by the poll's clock and stays with the server it was given.

    bsky.social forwards to the account's own ("PDS Entryway"): a school allows one host, and no answer names one.
    """

    now: datetime

    def get_current_time(self) -> datetime:
        return self.now

    def update_base_url(self, base_url: str | None = None) -> None:
        """Nothing."""


class Bluesky(Connector):
    """Reads one account, or searches with its session, which lasts as long as this object."""

    def __init__(self, account: Account, options: Options, password: str) -> None:
        self._account = account
        self._official = account.channel is Channel.OFFICIAL
        self._options = options
        self._password = password
        self._own = {name.lower().lstrip("@") for name in (*account.handles, options.handle)}
        self._did = ""
        self._wire = _Wire()
        self._client = _Client(base_url="https://bsky.social/xrpc", request=self._wire)
        self._client.on_session_change(self._remember)
        self._service = Service(
            name="Bluesky",
            account=account.id,
            remedy="Ask your technician to make a new app password in Bluesky (Settings, Privacy and security, App "
            "passwords; not the account's own password) and to put it where the account's `secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        days = f"{self._options.window_days:g} days"
        return Capabilities(
            reads=("own posts", "replies at any depth", "mentions", "quotes") if self._official else ("search",),
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the last day, and every hour one the last {days}",
                "what people write whom the school blocked, or who blocked it, is not shown to the school",
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """New posts, replies and mentions. Only the last page moves the cursor: Bluesky lists the newest first."""
        read_to, whole = _marks(cursor)
        everything = whole is None or whole <= now - timedelta(hours=1)
        reach = timedelta(days=self._options.window_days) if everything else RECENT
        since = min(now - reach, read_to or now)
        seen: set[str] = set()
        with self._signed_in(now):
            found = self._own_and_addressed(since, everything) if self._official else self._searches(since)
            for results in found:
                yield page(_fresh(results, seen), cursor=cursor)
        marks = {"read_to": now, "whole": now if everything or whole is None else whole}
        yield Page(cursor=json.dumps({name: format_instant(at) for name, at in marks.items()}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The thread `ref` as far as it is the school's, then every known post looked up that was not there.

        Answers to a deleted post still exist, and so does a post that is only behind a block.
        """
        if not _is_ours(ref):
            return
        seen: set[str] = set()
        with self._signed_in(now):
            hidden: set[str] = set()
            for top in self._starts([ref, *known]) if self._official else ():
                for results in self._conversation(top, hidden):
                    yield page(_fresh(results, seen))
            unseen = [item for item in dict.fromkeys([ref, *known]) if _is_ours(item) and item.id not in seen]
            for start in range(0, len(unseen), LOOKUP_BATCH):
                batch = unseen[start : start + LOOKUP_BATCH]
                views = dig(self._ask("app.bsky.feed.getPosts", uris=[item.id for item in batch]), "posts")
                results = [self._read(view) for view in views] if isinstance(views, list) else []
                there = {result.ref for result in results if isinstance(result, Item)}
                gone = [item for item in batch if item not in there and self._is_gone(item.id)]
                yield page(_fresh(results, seen), gone=gone)

    def _own_and_addressed(self, since: datetime, everything: bool) -> Iterator[list[Item | Reject]]:
        """Own posts, the threads of those since `since`, and what was notified."""
        threads: dict[str, None] = {}
        for entries in self._listing("app.bsky.feed.getAuthorFeed", "feed", since, actor=self._did):
            own = [entry for entry in entries if not text(entry, "reason", "$type").endswith("#reasonRepost")]
            results = [self._read(_post(entry)) for entry in own]
            yield results
            late = [item for item in results if isinstance(item, Item) and (item.published_at or since) >= since]
            threads |= {start: None for item in late for start in self._starts([item.thread or item.ref, item.ref])}
        hidden: set[str] = set()
        for uri in threads:
            yield from self._conversation(uri, hidden)
        method, until = "app.bsky.notification.listNotifications", None if everything else since
        for entries in self._listing(method, "notifications", until, reasons=list(REASONS)):
            # Likes and the like carry no words.
            yield [self._read(entry, hidden) for entry in entries if text(entry, "reason") in (*REASONS, "")]

    def _searches(self, since: datetime) -> Iterator[list[Item | Reject]]:
        for query in self._options.queries:
            for views in self._listing("app.bsky.feed.searchPosts", "posts", since, q=query, sort="latest"):
                yield [self._read(view) for view in views]

    def _starts(self, refs: Sequence[ItemRef]) -> list[str]:
        """Where to read a thread from: its top (the first of `refs`) if that is the school's.

        Of other people's threads only what stands below the school's own words is for it to read.
        """
        own = [ref.id for ref in refs if _is_ours(ref) and ref.id.startswith(f"at://{self._did}/")]
        return own[:1] if own[:1] == [refs[0].id] else own

    def _conversation(self, uri: str, hidden: set[str]) -> Iterator[list[Item | Reject]]:
        """The post `uri` and every reply below it; where an answer stops, its last replies are asked for theirs.

        Adds to `hidden` the replies that the school has hidden.
        """
        starts, asked = [uri], {uri}
        while starts:
            answer = self._thread(starts.pop(), DEPTH)
            nodes = [] if answer is None else [dig(answer, "thread")]
            hidden |= _hidden_replies(answer) | _hidden_replies(dig(answer, "thread", "post"))
            results = []
            while nodes:
                node = nodes.pop()
                if text(node, "$type").endswith(("#blockedPost", "#notFoundPost")):
                    continue
                results.append(self._read(_post(node), hidden))
                replies, key = dig(node, "replies"), text(node, "post", "uri")
                if isinstance(replies, list) and replies:
                    nodes += reversed(replies)
                elif text(node, "post", "replyCount") not in ("", "0") and _ref(key) and key not in asked:
                    starts.append(key)
                    asked.add(key)
            yield results

    def _thread(self, uri: str, depth: int) -> Any:
        """The answer about a thread, None where Bluesky says that its first post does not exist."""
        try:
            return self._ask("app.bsky.feed.getPostThread", uri=uri, depth=depth, parent_height=0)
        except _Missing:
            return None

    def _is_gone(self, uri: str) -> bool:
        """Whether a post was deleted: only a thread tells that from one behind a block."""
        answer = self._thread(uri, 0)
        return answer is None or text(answer, "thread", "$type").endswith("#notFoundPost")

    def _listing(self, method: str, name: str, until: datetime | None, **about: Any) -> Iterator[list[Any]]:
        """Pages of a listing to its end, or OVERLAP entries past `until`. Raises SourceError if it stands still."""
        cursor: str | None = None
        used: set[str] = set()
        older = 0
        while True:
            answer = self._ask(method, limit=self._options.page_size, cursor=cursor, **about)
            entries = dig(answer, name)
            if not isinstance(entries, list):
                raise SourceError(f"Bluesky sent no list of {name}; trying again at the next poll")
            yield entries
            for entry in entries:
                older = older + 1 if until is not None and (_sorted_at(entry) or until) < until else 0
            following = text(answer, "cursor")
            if not following or older >= OVERLAP:
                return
            cursor = again if (again := _with_its_equals(following)) not in used else following
            if cursor in used:
                raise SourceError("Bluesky sent us round in a circle (the same page twice); trying again later")
            used.add(cursor)

    @contextmanager
    def _signed_in(self, now: datetime) -> Iterator[None]:
        with ApiSession(
            service=self._service,
            base_url=self._options.base_url.rstrip("/").removesuffix("/xrpc"),
            token="",
            reach=self._options.reach,
            now=now,
            judge=self._judge,
        ) as session:
            # The client sets the header itself; without any auth, requests would take one from ~/.netrc.
            session.auth = lambda request: request
            self._wire.session, self._client.now = session, now
            if not self._did:
                self._sign_in()
            yield

    def _sign_in(self) -> None:
        """A new session. 30 are allowed in 5 minutes, 300 a day (docs.bsky.app, "Rate Limits"): it is kept."""
        try:
            self._client.login(self._options.handle.lstrip("@"), self._password, fetch_bsky_profile=False)
        except (AtProtocolError, AttributeError, TypeError, ValueError) as error:
            raise self._service.silent(error) from None

    def _remember(self, event: SessionEvent, session: Session) -> None:
        self._did = session.did

    def _ask(self, method: str, **params: Any) -> Any:
        """One answer as received: the library's models would refuse a whole page for one record."""
        model = getattr(models, "".join(part[0].upper() + part[1:] for part in method.split("."))).Params(**params)
        for last in (False, True):
            try:
                return self._client.invoke_query(method, params=model, output_encoding="application/json").content
            except _Stale:
                if last:
                    raise
            except AtProtocolError as error:
                self._did = ""
                raise self._service.silent(error) from None
            self._sign_in()
        raise AssertionError

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """XRPC's own errors first (atproto.com/specs/xrpc), the HTTP status where they say no more."""
        error = text(answer.document, "error")
        if answer.status in (400, 401) and error in ("ExpiredToken", "InvalidToken"):
            refusal = self._service.refused(f"no longer accepts our access token ({error})")
            return _Stale(str(refusal), permanent=True)
        if answer.status == 400 and error == "NotFound":
            return _Missing("Bluesky knows no such post")
        if answer.status in (400, 401, 403) and error.startswith("Account"):
            return self._service.refused(f"has closed or suspended the account it was asked about ({error})")
        if answer.status == 429 and (reset := answer.headers.get("ratelimit-reset")):
            return self._service.busy(retry_at({"x-rate-limit-reset": reset}, now))
        return self._service.judge(answer, now)

    def _read(self, view: Any, hidden: Collection[str] = ()) -> Item | Reject:
        return read(view, lambda record: self._item(record, hidden))

    def _item(self, view: Raw, hidden: Collection[str]) -> Item:
        """A post as threads, searches and notifications show it: they agree on what matters."""
        uri, record = text(view, "uri"), dig(view, "record")
        address = _POST.fullmatch(uri)
        if address is None or not isinstance(record, Mapping):
            raise Unreadable("the entry has no address of a post, or no post")
        parent, root = (_ref(text(record, "reply", place, "uri")) for place in ("parent", "root"))
        did, handle = text(view, "author", "did"), text(view, "author", "handle")
        ours = bool(did) and (did == self._did or bool({did.lower(), handle.lower()} & self._own))
        below = ItemKind.COMMENT if parent == root and not ours else ItemKind.REPLY
        return Item(
            ref=ItemRef(PLATFORM, uri),
            channel=self._account.channel,
            kind=below if parent else ItemKind.POST,
            author=Author(
                id=did,
                handle=handle,
                display_name=text(view, "author", "displayName"),
                kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
            ),
            text=text(record, "text"),
            url=f"{self._options.page_url.rstrip('/')}/profile/{address[1]}/post/{address[2]}",
            published_at=_published(view, address[2], self._client.now),
            parent=parent,
            thread=root or ItemRef(PLATFORM, uri),
            lang=_language(dig(record, "langs")),
            attachments=_attachments(dig(record, "embed")),
            raw={"post": view, "hidden": _hidden_by(view, uri in hidden)},
        )


def _marks(cursor: str | None) -> tuple[datetime | None, datetime | None]:
    """When a poll was last made, and one that read everything; a cursor of another form begins again."""
    try:
        state = json.loads(cursor or "{}")
        return parse_instant(state["read_to"]), parse_instant(state["whole"])
    except (LookupError, TypeError, ValueError):
        return None, None


def _fresh(results: Iterable[Item | Reject], seen: set[str]) -> Iterator[Item | Reject]:
    """What was not `seen` yet, which it adds."""
    for result in results:
        if isinstance(result, Reject) or result.ref.id not in seen:
            seen.update([result.ref.id] if isinstance(result, Item) else ())
            yield result


def _post(entry: Any) -> Any:
    """The post in an entry of a feed or thread; the entry itself, to be kept, where there is none."""
    return found if isinstance(found := dig(entry, "post"), Mapping) else entry


def _ref(uri: str) -> ItemRef | None:
    return ItemRef(PLATFORM, uri) if _POST.fullmatch(uri) else None


def _is_ours(ref: ItemRef) -> bool:
    """Whether Bluesky itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and _POST.fullmatch(ref.id) is not None


def _sorted_at(entry: Any) -> datetime | None:
    """The date by which Bluesky sorts an entry: a repost's own, else the post's as its author gave it."""
    return next(filter(None, (instant(text(entry, *at, "indexedAt")) for at in (["reason"], ["post"], []))), None)


def _with_its_equals(cursor: str) -> str:
    """A cursor that is a time (notifications) leaves out what else is of that time: the same, a millisecond on."""
    moment = instant(cursor)
    return cursor if moment is None else format_instant(moment + timedelta(milliseconds=1))


def _published(view: Raw, key: str, now: datetime) -> datetime | None:
    """When a post was written, by the later of two witnesses: a date in the past must not make a comment history.

    Its author chooses `createdAt`, and `indexedAt` is the earlier of that and the arrival; the record's key is made
    of the time, too (atproto.com/specs/tid), in microseconds and 10 bits of its own.
    """
    stated = instant(text(view, "indexedAt")) or instant(text(view, "record", "createdAt"))
    if not re.fullmatch(f"[2-7a-j][{_KEY_DIGITS}]{{12}}", key):
        return stated
    number = sum(_KEY_DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(key)))
    keyed = datetime.fromtimestamp((number >> 10) / 1_000_000, UTC)
    return keyed if stated is None or stated < keyed <= now else stated


def _language(named: Any) -> str | None:
    """The first language that the author's app named, as ISO 639-1."""
    first = str(named[0]) if isinstance(named, list) and named else ""
    return first[:2].lower() if re.fullmatch("[A-Za-z]{2}(-.*)?", first) else None


def _attachments(embed: Any) -> tuple[str, ...]:
    """Kinds of attachments as facts, with the words that describe them; nothing is downloaded."""
    kind = text(embed, "$type").rpartition(".")[2]
    if kind == "recordWithMedia":
        return (*_attachments(dig(embed, "media")), "quote")
    found = mappings(dig(embed, "images")) if kind == "images" else [embed] if kind else []
    name = {"images": "photo", "external": "link", "record": "quote"}.get(kind, kind)
    return tuple(f"{name}: {alt}" if (alt := text(entry, "alt").strip()) else name for entry in found)


def _hidden_replies(of: Any) -> set[str]:
    """The replies that the author of a thread has hidden (app.bsky.feed.threadgate)."""
    found = dig(of, "threadgate", "record", "hiddenReplies")
    return {uri for uri in found if isinstance(uri, str)} if isinstance(found, list) else set()


def _hidden_by(view: Raw, gated: bool) -> list[str]:
    """Why apps hide or cover a post: the school did so itself, or moderators labelled it."""
    labels = [text(label, "val") for label in mappings(dig(view, "labels")) if dig(label, "neg") is not True]
    return ["threadgate"] * gated + [f"label:{value}" for value in labels if value]
