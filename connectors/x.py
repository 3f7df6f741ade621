"""X through its API v2, read with tweepy.

An official account is read from its own posts, its mentions, and a search of the conversations it takes part in; a
mention account is a recent search (7 days). X gives an edit a new id (docs.x.com, "Edit posts"): an item keeps the
first id of its chain, so that an edit is a new revision of the same item.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import tweepy
from pydantic import Field

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text
from connectors._http import ApiSession, Service
from connectors._options import ConnectorOptions, need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

# tweepy writes whole answers into its debug log: comments do not belong there.
logging.getLogger("tweepy").setLevel(logging.INFO)

PLATFORM = "x"
#: Recent search and its `start_time` reach back 7 days; a margin keeps clocks that differ from refusing us.
SEARCH_REACH = timedelta(days=7) - timedelta(minutes=10)
LOOKUP_BATCH = 100
QUERY_LIMIT = 512
_EPOCH_MS = 1_288_834_974_657
_SNOWFLAKES_BEGIN = 30_000_000_000

_FIELDS: dict[str, Any] = {
    "expansions": ["author_id", "referenced_tweets.id", "attachments.media_keys"],
    "tweet_fields": [
        "author_id",
        "conversation_id",
        "created_at",
        "edit_history_tweet_ids",
        "lang",
        "note_tweet",
        "referenced_tweets",
    ],
    "user_fields": ["name", "username"],
    "media_fields": ["type"],
}

#: One call of the client, asked for one page: gives the page token, returns the answer.
Fetch = Callable[[str | None], Any]


class Options(ConnectorOptions):
    """`handle` for an official account, `query` (X's search syntax) for mentions; the rest is for tests."""

    handle: str = Field(default="", pattern=r"^@?\w{0,15}$")
    query: str = Field(default="", max_length=QUERY_LIMIT)
    base_url: str = "https://api.x.com"
    page_url: str = "https://x.com"
    #: Mentions turn up late in the timelines: every poll reads this much again.
    overlap_hours: float = Field(default=6, ge=0, le=160)
    page_size: int = Field(default=100, ge=10, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one X account or search. Raises ConfigError."""
    if account.channel is Channel.OFFICIAL and not options.handle:
        raise ConfigError(f"account {account.id}: option 'handle' is missing: the school's own name on X")
    if account.channel is Channel.MENTION and not options.query:
        raise ConfigError(f"account {account.id}: option 'query' is missing: what to search X for")
    return X(account, options, need_secret(account, secrets, "token"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Up to when everything was read, and the conversations that the school takes part in (id -> last seen)."""

    read_to: datetime | None = None
    conversations: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def load(cls, cursor: str | None) -> "_Cursor":
        """A cursor that cannot be read starts again from the beginning: the store deduplicates."""
        try:
            state = json.loads(cursor or "{}")
            return cls(
                read_to=parse_instant(state["read_to"]),
                conversations={key: parse_instant(at) for key, at in state["conversations"].items()},
            )
        except (LookupError, TypeError, ValueError, AttributeError):
            return cls()

    def dump(self) -> str:
        assert self.read_to is not None
        conversations = {key: format_instant(at) for key, at in self.conversations.items()}
        return json.dumps({"read_to": format_instant(self.read_to), "conversations": conversations})


class X(Connector):
    """Reads one account or one search."""

    def __init__(self, account: Account, options: Options, token: str) -> None:
        self._account = account
        self._options = options
        self._token = token
        self._own = {name.lower().lstrip("@") for name in (*account.handles, options.handle) if name}
        self._user_id: str | None = None
        self._service = Service(
            name="X",
            account=account.id,
            remedy="Ask your technician to make a new token in the X developer portal and to put it where the "
            "account's `secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        official = self._account.channel is Channel.OFFICIAL
        return Capabilities(
            reads=("own posts", "mentions", "conversations") if official else ("search",),
            edits=True,
            deletions=True,
            notes=("search reaches back 7 days",),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """New posts, mentions and replies. Only the last page moves the cursor: X lists the newest first."""
        before = _Cursor.load(cursor)
        overlap = timedelta(hours=self._options.overlap_hours)
        since = before.read_to - overlap if before.read_to else now - SEARCH_REACH
        conversations = {key: at for key, at in before.conversations.items() if at > now - SEARCH_REACH}
        seen: set[str] = set()
        with self._client(now) as client:
            for found in self._walk(client, conversations, since, now):
                fresh = [tweet for tweet in found.tweets if _id(tweet) not in seen]
                seen.update(_id(tweet) for tweet in fresh if _id(tweet))
                yield page(self._results(client, replace(found, tweets=fresh)), cursor=cursor)
        yield Page(cursor=_Cursor(read_to=now, conversations=conversations).dump())

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The conversation `ref` as far as search reaches, then every known post looked up again.

        Where the school is only spoken of, the rest of the conversation is other people's own: it is not read.
        """
        if not _is_ours(ref):
            return
        with self._client(now) as client:
            seen: set[str] = set()
            query = f"conversation_id:{ref.id}"
            ours = self._account.channel is Channel.OFFICIAL
            for found in (
                _pages(_search(client, query, now - SEARCH_REACH, self._options.page_size)) if ours else ()
            ):
                results = self._results(client, found)
                seen.update(result.ref.id for result in results if isinstance(result, Item))
                yield page(results)
            wanted = dict.fromkeys([ref, *known])
            unseen = [item.id for item in wanted if _is_ours(item) and item.id not in seen]
            for start in range(0, len(unseen), LOOKUP_BATCH):
                found = _Found.of(client.get_tweets(unseen[start : start + LOOKUP_BATCH], **_FIELDS))
                gone = [ItemRef(PLATFORM, key) for key in unseen if key in found.missing]
                yield page(self._results(client, found), gone=gone)

    def _walk(
        self, client: tweepy.Client, conversations: dict[str, datetime], since: datetime, now: datetime
    ) -> "Iterator[_Found]":
        """Every page of every listing; adds the conversations that the school joins to `conversations`."""
        size = self._options.page_size
        earliest = now - SEARCH_REACH
        searched = max(since, earliest)
        if self._account.channel is Channel.MENTION:
            yield from _pages(_search(client, self._options.query, searched, size))
            return
        user = self._user(client)
        before = set(conversations)
        params = {"start_time": since, "max_results": size, **_FIELDS}
        for found in _pages(
            lambda token: client.get_users_tweets(user, exclude=["retweets"], pagination_token=token, **params)
        ):
            keys = (text(tweet, "conversation_id") for tweet in found.tweets)
            conversations |= {key: now for key in keys if key.isdecimal()}
            yield found
        yield from _pages(lambda token: client.get_users_mentions(user, pagination_token=token, **params))
        for query in _conversation_queries(before):
            yield from _pages(_search(client, query, searched, size))
        for query in _conversation_queries(set(conversations) - before):
            yield from _pages(_search(client, query, earliest, size))

    def _user(self, client: tweepy.Client) -> str:
        if self._user_id is None:
            handle = self._options.handle.lstrip("@")
            self._user_id = text(client.get_user(username=handle), "data", "id")
        if not self._user_id:
            self._user_id = None
            raise SourceError(
                f"X knows no account @{self._options.handle.lstrip('@')}; check `handle` of account "
                f"{self._account.id} in accounts.yaml",
                permanent=True,
            )
        return self._user_id

    @contextmanager
    def _client(self, now: datetime) -> Iterator[tweepy.Client]:
        with ApiSession(
            service=self._service,
            base_url=self._options.base_url,
            token=self._token,
            reach=self._options.reach,
            now=now,
        ) as session:
            client = tweepy.Client(return_type=dict, wait_on_rate_limit=False)
            client.session = session
            yield client

    def _results(self, client: tweepy.Client, found: "_Found") -> list[Item | Reject]:
        """The newest version of every post in `found`; retweets have no words of their own and are left out."""
        ids = {_id(tweet) for tweet in found.tweets}
        current = [tweet for tweet in found.tweets if _newest(tweet) == _id(tweet)]
        superseded = {_newest(tweet) for tweet in found.tweets} - ids
        results = [self._read(tweet, found) for tweet in current if not _reference(tweet, "retweeted")]
        if superseded:
            newer = _Found.of(client.get_tweets(sorted(superseded), **_FIELDS))
            results += [self._read(tweet, newer) for tweet in newer.tweets]
        return results

    def _read(self, tweet: Any, found: "_Found") -> Item | Reject:
        author = found.users.get(text(tweet, "author_id"), {})
        parent = found.posts.get(_reference(tweet, "replied_to"), {})

        def convert(record: Raw) -> Item:
            return self._item(record, author, parent, found.media)

        return read(tweet, convert)

    def _item(self, tweet: Raw, user: Raw, parent: Raw, media: Mapping[str, str]) -> Item:
        if not _id(tweet):
            raise Unreadable("the post has no id")
        first = _first(tweet)
        replied_to = _reference(tweet, "replied_to")
        conversation = text(tweet, "conversation_id")
        author = self._author(text(tweet, "author_id"), user)
        keys = dig(tweet, "attachments", "media_keys")
        return Item(
            ref=ItemRef(PLATFORM, first),
            channel=self._account.channel,
            kind=_kind(replied_to, conversation, author),
            author=author,
            text=_words(tweet),
            url=f"{self._options.page_url.rstrip('/')}/{author.handle or 'i'}/status/{_id(tweet)}",
            published_at=_published(tweet, first),
            parent=ItemRef(PLATFORM, _first(parent) or replied_to) if replied_to else None,
            thread=ItemRef(PLATFORM, conversation) if conversation else None,
            lang=_language(text(tweet, "lang")),
            attachments=tuple(media.get(str(key), "media") for key in keys) if isinstance(keys, list) else (),
            raw={"tweet": tweet, "author": user, "parent": parent},
        )

    def _author(self, author_id: str, user: Raw) -> Author:
        handle = text(user, "username")
        ours = bool({handle.lower(), author_id} & self._own) or author_id == self._user_id
        return Author(
            id=author_id,
            handle=handle,
            display_name=text(user, "name"),
            kind=AuthorKind.SCHOOL if ours and author_id else AuthorKind.UNKNOWN,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One answer, taken apart. X's specification 2.167 renames `tweets` to `posts`: both are read."""

    tweets: Sequence[Any]
    users: Mapping[str, Raw]
    posts: Mapping[str, Raw]
    media: Mapping[str, str]
    missing: frozenset[str]
    next_token: str

    @classmethod
    def of(cls, answer: Any) -> "_Found":
        data = dig(answer, "data")
        included = mappings(dig(answer, "includes", "tweets")) + mappings(dig(answer, "includes", "posts"))
        return cls(
            tweets=data if isinstance(data, list) else [],
            users={text(user, "id"): user for user in mappings(dig(answer, "includes", "users"))},
            posts={_id(tweet): tweet for tweet in included},
            media={
                text(entry, "media_key"): text(entry, "type")
                for entry in mappings(dig(answer, "includes", "media"))
            },
            # A post that we may not see ("not-authorized-for-resource") still exists.
            missing=frozenset(
                text(error, "resource_id") or text(error, "value")
                for error in mappings(dig(answer, "errors"))
                if text(error, "type").endswith("/resource-not-found")
            ),
            next_token=text(answer, "meta", "next_token"),
        )


def _pages(fetch: Fetch) -> Iterator[_Found]:
    """Every page of a listing. Raises SourceError when the listing does not move on."""
    token: str | None = None
    used: set[str] = set()
    while True:
        found = _Found.of(fetch(token))
        yield found
        if not found.next_token:
            return
        if found.next_token in used:
            raise SourceError("X sent us round in a circle (the same page token twice); trying again later")
        used.add(found.next_token)
        token = found.next_token


def _search(client: tweepy.Client, query: str, since: datetime, size: int) -> Fetch:
    return lambda token: client.search_recent_tweets(
        query, start_time=since, max_results=size, next_token=token, **_FIELDS
    )


def _conversation_queries(ids: Iterable[str]) -> Iterator[str]:
    """Searches for the conversations `ids`, as many in each as X's length limit allows."""
    query = ""
    for key in sorted(ids):
        term = f"conversation_id:{key}"
        if query and len(query) + len(term) + 4 > QUERY_LIMIT:
            yield query
            query = ""
        query = f"{query} OR {term}" if query else term
    if query:
        yield query


def _is_ours(ref: ItemRef) -> bool:
    """Whether X itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and ref.id.isdecimal()


def _id(tweet: Any) -> str:
    return text(tweet, "id")


def _history(tweet: Any) -> list[str]:
    ids = dig(tweet, "edit_history_tweet_ids") or dig(tweet, "edit_history_post_ids")
    return [str(entry) for entry in ids] if isinstance(ids, list) and ids else [_id(tweet)]


def _first(tweet: Any) -> str:
    return _history(tweet)[0]


def _newest(tweet: Any) -> str:
    return _history(tweet)[-1]


def _reference(tweet: Any, kind: str) -> str:
    """The id of the post that `tweet` answers ("replied_to") or repeats ("retweeted"), "" for none."""
    references = mappings(dig(tweet, "referenced_tweets")) + mappings(dig(tweet, "referenced_posts"))
    return next((_id(reference) for reference in references if text(reference, "type") == kind), "")


def _words(tweet: Raw) -> str:
    """The whole text: long posts carry it apart, and X escapes three characters as HTML does."""
    escaped = text(tweet, "note_tweet", "text") or text(tweet, "note_post", "text") or text(tweet, "text")
    return escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _published(tweet: Raw, first: str) -> datetime | None:
    """When the first version appeared. An edit's `created_at` is later: ids carry their own time (snowflakes)."""
    stated = instant(text(tweet, "created_at"))
    if stated is not None and _id(tweet) == first:
        return stated
    if not first.isdecimal() or int(first) < _SNOWFLAKES_BEGIN:
        return stated
    try:
        return datetime.fromtimestamp(((int(first) >> 22) + _EPOCH_MS) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return stated


def _kind(replied_to: str, conversation: str, author: Author) -> ItemKind:
    if not replied_to:
        return ItemKind.POST
    if replied_to == conversation and author.kind is not AuthorKind.SCHOOL:
        return ItemKind.COMMENT
    return ItemKind.REPLY


def _language(code: str) -> str | None:
    """An ISO 639-1 code; X also uses `und`, `zxx` and codes of its own (`qme`) for "cannot tell"."""
    return code if len(code) == 2 else None
