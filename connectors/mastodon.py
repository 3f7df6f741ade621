"""Mastodon, read with Mastodon.py.

An official account is read from the notifications of those who mention or quote it, its own posts with the replies
below them, and what stands below its answers elsewhere; a mention account from hashtags and a search. Mastodon
never says that something was edited or deleted: a poll reads again what is recent, and a sweep asks for each known
post that its thread does not show, for a thread hides whom the school muted and the replies to a deleted post.
https://docs.joinmastodon.org/methods/: statuses, accounts, grouped_notifications, timelines, search
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain
from typing import Annotated, Any

import mastodon
from pydantic import Field
from requests import Response

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text, to_text, web_url
from connectors._http import Answer, ApiSession, Service, retry_at
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "mastodon"
#: Followers-only posts and direct messages are nobody's public words; no rule book asks for them yet.
PRIVATE = frozenset({"private", "direct"})
#: A post without replies is not opened again once it is older than the last complete poll by this.
LIVELY = timedelta(days=2)
#: What a server's search finds at most, whatever is asked; as many conversations' beginnings are remembered.
MOST = 10_000
_ID = re.compile(r"[0-9]{1,20}")
_REQUEST = "_Mastodon__api_request"


class Options(ConnectorOptions):
    """`base_url` is the server; an official account has its `handle`, a mention account `hashtags`, a `query`."""

    base_url: str = Field(pattern=r"^https?://[^\s?#]+$")
    handle: str = Field(default="", pattern=r"^(@?\w+(@[\w.-]+)?)?$")
    hashtags: tuple[Annotated[str, Field(pattern=r"^#?\w+$")], ...] = ()
    query: str = Field(default="", max_length=500)
    #: The first poll goes back so far, and every poll reads the school's posts of this time with their replies.
    window_days: float = Field(default=30, gt=0, le=365)
    #: Mentions of this time before the last poll are read again: edited, late, or let through a filter since.
    overlap_days: float = Field(default=7, gt=0, le=90)
    page_size: int = Field(default=40, ge=1, le=40)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one account, or of what is said under hashtags or found by a search. Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not options.handle:
        raise ConfigError(f"account {account.id}: option 'handle' is missing: the school's own name on its server")
    if account.channel is Channel.MENTION and not (options.hashtags or options.query):
        raise ConfigError(f"account {account.id}: options 'hashtags' and 'query' are missing: what to look for")
    return Mastodon(account, options, need_secret(account, secrets, "token"))


class _Session(ApiSession):
    documents = (dict, list)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        # Mastodon.py signs requests itself, and gives an `auth` that does nothing: ours would not be asked.
        kwargs.pop("auth", None)
        return super().request(method, url, *args, **kwargs)


class Client(mastodon.Mastodon):
    """Mastodon.py as far as it asks; what it makes of an answer is left out, so that records stay as received."""

    def _Mastodon__api_request(self, method: str, endpoint: str, params: Any = None, **_: Any) -> Any:
        request = getattr(super(), _REQUEST)
        # It fails on odd limit headers of good answers, so they are left to the session.
        return request(method, endpoint, params or {}, do_ratelimiting=False, return_response_object=True).json()


class Mastodon(Connector):
    """Reads one account, or one set of hashtags and one search."""

    def __init__(self, account: Account, options: Options, token: str) -> None:
        self._account = account
        self._options = options
        self._token = token
        self._official = account.channel is Channel.OFFICIAL
        self._own = {handle.casefold().lstrip("@") for handle in account.handles}
        self._me = ""
        self._tops: dict[str, str] = {}
        self._service = Service(
            name="Mastodon",
            account=account.id,
            remedy="Ask your technician to sign in to the school's Mastodon account, to make a new token under "
            "Preferences, Development with the scopes read:accounts, read:statuses, read:notifications and "
            "read:search, and to put it where the account's `secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        own = ("own posts", "replies", "mentions", "quotes", "what is below the school's answers elsewhere")
        found = [("hashtags", self._options.hashtags), ("search", self._options.query)]
        return Capabilities(
            reads=own if self._official else tuple(name for name, given in found if given),
            edits=True,
            deletions=True,
            notes=(
                "followers-only posts and direct messages are left out",
                "a server knows of other servers' posts only what reached it",
                *(() if self._official else ("search finds authors who allow it, on servers that have one",)),
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """What is new, and everything recent again. Only the last page moves the cursor: the newest comes first."""
        read_to = _read_to(cursor)
        window = now - timedelta(days=self._options.window_days)
        since = read_to - timedelta(days=self._options.overlap_days) if read_to else window
        with self._client(now) as client:
            listing = (
                self._school(client, since, now, read_to) if self._official else self._elsewhere(client, since)
            )
            for results in listing:
                yield page(results, cursor=cursor)
        yield Page(cursor=json.dumps({"read_to": format_instant(now)}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """What stands below `ref`; what is `known` but not shown there is asked for one by one.

        Of a conversation that others began only what concerns the school is read.
        """
        if not _is_ours(ref):
            return
        ids = dict.fromkeys(item.id for item in known if _is_ours(item))
        seen: set[str] = set()
        with self._client(now) as client:
            if self._official:
                self._identify(client)
                top = _ask(client.status, ref.id)
                shown = [] if top is None else [top, *self._context(client, ref.id)[1]]
                if not self._is_us(top):
                    shown = [
                        post for post in shown if _id(post) in ids or self._is_us(post) or self._names_us(post)
                    ]
                yield page(self._read(post, ref.id) for post in _fresh(shown, seen))
            for key in [key for key in ids if key not in seen]:
                post = _ask(client.status, key)
                if post is None:
                    yield Page(gone=(ItemRef(PLATFORM, key),))
                else:
                    yield page(self._read(one, ref.id) for one in _fresh([post], seen))

    @contextmanager
    def _client(self, now: datetime) -> Iterator[Client]:
        with _Session(
            service=self._service,
            base_url=self._options.base_url,
            token=self._token,
            reach=self._options.reach,
            now=now,
            judge=self._judge,
        ) as session:
            try:
                yield Client(
                    api_base_url="https://mastodon.invalid",  # the session knows the real one
                    session=session,
                    request_timeout=self._options.timeout,
                    # Without a version it asks the server for one, and without end when the server is down; it
                    # reads the one that is given only to check calls against it.
                    mastodon_version=Client.get_supported_version(),
                    version_check_mode="created",
                    ratelimit_method="throw",
                    user_agent="Schoolwatch",
                )
            except mastodon.MastodonError as error:
                if _is_missing(error):
                    raise self._service.refused("knows nothing at an address that Mastodon 4.3 has (404)") from None
                # Mastodon.py wraps whatever its session raises.
                cause = error.__context__
                raise (cause if isinstance(cause, SourceError) else self._service.silent(error)) from None

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """What is gone is for the caller to judge; when a limit ends stands in a header of Mastodon's own."""
        if answer.status in (404, 410) and isinstance(answer.document, dict):
            return None
        reset = instant(answer.headers.get("x-ratelimit-reset", ""))
        if answer.status == 429 and reset is not None:
            return self._service.busy(retry_at(answer.headers, now, otherwise=reset - now))
        return self._service.judge(answer, now)

    def _identify(self, client: Client) -> None:
        """Whose token it is: another account's notifications are none of ours. Raises SourceError."""
        if self._me:
            return
        me: Any = client.account_verify_credentials()
        name = self._options.handle.lstrip("@").partition("@")[0]
        if not _id(me) or text(me, "username").casefold() != name.casefold():
            raise self._service.refused(f"says that the access token is not @{name}'s own")
        self._me = _id(me)

    def _school(
        self, client: Client, since: datetime, now: datetime, read_to: datetime | None
    ) -> Iterator[list[Item | Reject]]:
        """Mentions, own posts with their replies, then the answers in conversations that others began."""
        self._identify(client)
        seen: set[str] = set()
        answers: list[Any] = []
        begin = min(since, now - timedelta(days=self._options.window_days))
        settled = (read_to or now) - LIVELY
        own = _older(
            lambda mark: client.account_statuses(
                self._me, exclude_reblogs=True, since_id=begin, max_id=mark, limit=self._options.page_size
            )
        )
        for posts in chain(self._mentions(client, since), own):
            answers += filter(_parent, posts)
            begun = _fresh((post for post in posts if not _parent(post)), seen)
            yield [self._read(post, _id(post)) for post in begun]
            for post in begun:
                if self._is_us(post) and _lively(post, settled):
                    below = self._context(client, _id(post))[1]
                    yield [self._read(one, _id(post)) for one in _fresh(below, seen)]
        for post in _fresh(answers, set(seen)):
            if not self._is_us(post):
                yield [self._read(one, self._top(client, post)) for one in _fresh([post], seen)]
            elif read_to is None or _lively(post, settled):
                below = self._context(client, _id(post))[1]
                yield [self._read(one, self._top(client, post)) for one in _fresh([post, *below], seen)]

    def _mentions(self, client: Client, since: datetime) -> Iterator[list[Any]]:
        """Who mentions or quotes the school, the newest first, those whom the account filters as well.

        Going back by `max_id` to a date misses nothing; `since_id` would give the newest page alone.
        """
        mark: int | None = None
        while True:
            answer = client.grouped_notifications(
                types=["mention", "quote"], include_filtered=True, max_id=mark, limit=self._options.page_size
            )
            groups = mappings(_list(dig(answer, "notification_groups")))
            yield _list(dig(answer, "statuses"))
            dates = [instant(text(group, "latest_page_notification_at")) for group in groups]
            if all(date is not None and date < since for date in dates):
                return
            mark = _onward([text(group, "page_min_id") for group in groups], mark)

    def _elsewhere(self, client: Client, since: datetime) -> Iterator[list[Item | Reject]]:
        """What is said under the hashtags, then what the search finds."""
        seen: set[str] = set()
        query, size = self._options.query, self._options.page_size

        def tagged(tag: str) -> Iterator[list[Any]]:
            return _older(lambda mark: client.timeline_hashtag(tag, since_id=since, max_id=mark, limit=size))

        def searched() -> Iterator[list[Any]]:
            # By offset: here `max_id` means a second, and what else was written in that second would be lost.
            about: dict[str, Any] = {"resolve": False, "result_type": "statuses", "min_id": since, "limit": size}
            start = 0
            while query and start < MOST:
                posts = _list(dig(client.search_v2(query, offset=start, **about), "statuses"))
                yield posts
                # By what came, which may be less than asked for: reading some twice misses none.
                start = start + len(posts) if posts else MOST

        for posts in chain(*(tagged(tag.lstrip("#")) for tag in self._options.hashtags), searched()):
            yield [self._read(post, self._top(client, post)) for post in _fresh(posts, seen)]

    def _context(self, client: Client, key: str) -> tuple[list[Any], list[Any]]:
        """What stands above and below a post; nothing where it has no id, or went while we were reading."""
        answer = _ask(client.status_context, key) if key else None
        if answer is None:
            return [], []
        return _list(dig(answer, "ancestors")), _list(dig(answer, "descendants"))

    def _top(self, client: Client, post: Any) -> str:
        """The post that began the conversation, as far as we may see it; "" where a record has no id."""
        key, parent = _id(post), _parent(post)
        if not key or not parent:
            return key
        if key not in self._tops:
            above = self._context(client, key)[0]
            self._tops = self._tops if len(self._tops) < MOST else {}
            self._tops[key] = next(filter(None, map(_id, above)), parent)
        return self._tops[key]

    def _is_us(self, post: Any) -> bool:
        names = {text(post, "account", "id"), text(post, "account", "acct").casefold()} - {""}
        return not names.isdisjoint({*self._own, self._me})

    def _names_us(self, post: Any) -> bool:
        return any(_id(mention) == self._me for mention in mappings(dig(post, "mentions")))

    def _read(self, record: Any, top: str) -> Item | Reject:
        return read(record, lambda raw: self._item(raw, top))

    def _item(self, record: Raw, top: str) -> Item:
        key, parent = _id(record), _parent(record)
        if not key:
            raise Unreadable("the post has no id")
        ours = self._is_us(record)
        comment = ItemKind.COMMENT if parent == top and not ours else ItemKind.REPLY
        return Item(
            ref=ItemRef(PLATFORM, key),
            channel=self._account.channel,
            kind=comment if parent else ItemKind.POST,
            author=Author(
                id=text(record, "account", "id"),
                handle=text(record, "account", "acct"),
                display_name=text(record, "account", "display_name"),
                kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
            ),
            text=_words(record),
            url=web_url(text(record, "url")) or web_url(text(record, "uri")),
            published_at=instant(text(record, "created_at")),
            parent=ItemRef(PLATFORM, parent) if parent else None,
            thread=ItemRef(PLATFORM, top or key),
            lang=_language(text(record, "language")),
            attachments=tuple(map(_attachment, mappings(dig(record, "media_attachments")))),
            raw=record,
        )


def _older(fetch: Callable[[int | None], Any]) -> Iterator[list[Any]]:
    """Every page of a listing, the newest first, to the first empty one: a page may be short, or lack its `Link`,
    without being the last, for a server filters after counting. Raises SourceError when it does not move on."""
    mark: int | None = None
    while posts := _list(fetch(mark)):
        yield posts
        mark = _onward(map(_id, posts), mark)


def _onward(ids: Iterable[str], mark: int | None) -> int:
    """The oldest of `ids`, from which the next page goes on."""
    following = min((int(key) for key in ids if _ID.fullmatch(key)), default=mark)
    if following is None or (mark is not None and following >= mark):
        raise SourceError("Mastodon sent us round in a circle (the same page twice); trying again later")
    return following


def _ask(call: Callable[[str], Any], key: str) -> Any:
    """One record by its id, None where the server says that it does not exist, or not for us."""
    try:
        return call(key)
    except mastodon.MastodonAPIError as error:
        if _is_missing(error):
            return None
        raise


def _is_missing(error: mastodon.MastodonError) -> bool:
    return error.args[1:2] in ((404,), (410,))


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise SourceError("Mastodon sent something else in place of a list; trying again at the next poll")
    return found


def _fresh(posts: Iterable[Any], seen: set[str]) -> list[Any]:
    """The public ones that were not in `seen`, and now are; what has no id passes, to be rejected visibly."""
    fresh = []
    for post in posts:
        if text(post, "visibility") not in PRIVATE and _id(post) not in seen:
            fresh.append(post)
            seen |= {_id(post)} - {""}
    return fresh


def _lively(post: Any, settled: datetime) -> bool:
    """Whether there may be something new below a post: it has replies, or was written after `settled`."""
    written = instant(text(post, "created_at"))
    return written is None or written > settled or dig(post, "replies_count") != 0


def _is_ours(ref: ItemRef) -> bool:
    """Whether Mastodon itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and _ID.fullmatch(ref.id) is not None


def _id(record: Any, name: str = "id") -> str:
    """A record's id, "" where it has none that Mastodon could have given."""
    key = text(record, name)
    return key if _ID.fullmatch(key) else ""


def _parent(post: Any) -> str:
    return _id(post, "in_reply_to_id")


def _words(record: Raw) -> str:
    """The content warning, which its author wrote as well, the text, and the answers that a vote offers."""
    choices = [text(option, "title") for option in mappings(dig(record, "poll", "options"))]
    parts = [text(record, "spoiler_text").strip(), to_text(text(record, "content")), *choices]
    return "\n".join(filter(None, parts))


def _attachment(media: Raw) -> str:
    """What kind it is, and the alt text that its author gave it."""
    kind, words = text(media, "type") or "attachment", " ".join(text(media, "description").split())
    return f"{'photo' if kind == 'image' else kind}{f': {words}' if words else ''}"


def _language(code: str) -> str | None:
    """An ISO 639-1 code, without the region that some apps add."""
    language = code.partition("-")[0]
    return language if len(language) == 2 else None


def _read_to(cursor: str | None) -> datetime | None:
    try:
        return parse_instant(json.loads(cursor or "{}")["read_to"])
    except (LookupError, TypeError, ValueError):
        return None
