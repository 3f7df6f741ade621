"""How X is asked: through tweepy, page by page, with a count of what that costs."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import tweepy

from connectors._fields import dig, instant, mappings, text
from connectors._http import Answer, ApiSession, Service
from connectors._x import Found, id_of
from monitor.domain.errors import SourceError

# tweepy writes whole answers into its debug log: comments do not belong there.
logging.getLogger("tweepy").setLevel(logging.INFO)

#: The longest search (docs.x.com/x-api/posts/search/introduction, read 2026-11-21).
QUERY_LIMIT = 512
OR = " OR "
LOOKUP_BATCH = 100
#: How many profiles one name may bring: each is paid for.
_PROFILES = 20
#: A turn that begins before midnight may ask after it.
_LONGEST_TURN = timedelta(hours=1)

_USER_FIELDS = ["name", "username"]
_MEDIA_FIELDS = ["alt_text", "type"]
_FIELDS: dict[str, Any] = {
    "expansions": ["author_id", "referenced_tweets.id", "attachments.media_keys"],
    "tweet_fields": [
        "author_id",
        "conversation_id",
        "created_at",
        "edit_history_tweet_ids",
        "lang",
        "note_tweet",
        "public_metrics",
        "referenced_tweets",
    ],
    "user_fields": _USER_FIELDS,
    "media_fields": _MEDIA_FIELDS,
}
_BARE: dict[str, Any] = {"expansions": ["referenced_tweets.id"], "tweet_fields": _FIELDS["tweet_fields"]}
_MESSAGE_FIELDS: dict[str, Any] = {
    "event_types": "MessageCreate",
    "dm_event_fields": ["attachments", "created_at", "dm_conversation_id", "event_type", "id", "sender_id", "text"],
    "expansions": ["sender_id", "attachments.media_keys"],
    "user_fields": _USER_FIELDS,
    "media_fields": _MEDIA_FIELDS,
    "max_results": 100,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US$ for each resource that an answer holds."""

    post: float
    user: float
    media: float
    message: float


class Spending:
    """What X charges: every resource once in a UTC day (docs.x.com/x-api/getting-started/pricing).

    Nothing says that records sent along (authors, posts answered, media) are free: they are counted. After a
    restart the day's resources are counted again, and shortly before midnight those of both days: rather too much
    than too little.
    """

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._paid: dict[date, dict[tuple[str, str], float]] = {}
        #: What was charged and not settled yet, in US$.
        self.due = 0.0

    def settle(self, amount: float) -> None:
        """Of what is due, `amount` has been written down."""
        self.due -= amount

    def charge(self, answer: Any, kind: str, now: datetime, price: float | None = None) -> None:
        """Count an answer whose records are of `kind`, a field of Prices."""
        self._paid = {day: self._paid.get(day, {}) for day in (now.date(), (now + _LONGEST_TURN).date())}
        data = dig(answer, "data")
        for record in data if isinstance(data, list) else [data] if data else []:
            self._add(kind, id_of(record), getattr(self._prices, kind) if price is None else price)
        for user in mappings(dig(answer, "includes", "users")):
            self._add("user", id_of(user), self._prices.user)
        for name in ("tweets", "posts"):
            for post in mappings(dig(answer, "includes", name)):
                self._add("post", id_of(post), self._prices.post)
        for entry in mappings(dig(answer, "includes", "media")):
            self._add("media", text(entry, "media_key"), self._prices.media)

    def _add(self, kind: str, key: str, price: float) -> None:
        for paid in self._paid.values():
            before = paid.get((kind, key), 0.0)
            # Dearer the second time (a search shows what was an own mention before): the difference is due.
            self.due += max(0.0, price - before)
            if key:
                paid[kind, key] = max(price, before)


class Api:
    """X's API v2 as one poll uses it, with own posts and mentions at the price `owned`. Raises SourceError."""

    def __init__(
        self,
        session: ApiSession,
        spending: Spending,
        *,
        page_size: int,
        owned: float,
        signed_in: bool,
        now: datetime,
    ) -> None:
        self.signed_in = signed_in
        self._client = tweepy.Client(return_type=dict, wait_on_rate_limit=False)
        self._client.session = self._session = session
        self._spending = spending
        self._page_size = page_size
        self._owned = owned
        self._now = now

    @property
    def rest_until(self) -> datetime | None:
        """Until when (UTC) X's limits ask us to rest."""
        return self._session.rest_until

    def user_id(self, handle: str) -> str:
        """The number behind a handle, "" where X says that there is none."""
        answer = self._client.get_user(username=handle)
        self._spending.charge(answer, "user", self._now)
        found = text(answer, "data", "id")
        if not found and not mappings(dig(answer, "errors")):
            raise SourceError(f"X answered, but said nothing of account @{handle}; trying again at the next poll")
        return found

    def posts(self, user: str, since: datetime) -> Iterator[Found]:
        """What the user wrote since, retweets apart; X gives the newest 3,200."""
        return self._pages(
            lambda token: self._client.get_users_tweets(
                user,
                exclude=["retweets"],
                start_time=since,
                max_results=self._page_size,
                pagination_token=token,
                **_FIELDS,
            ),
            price=self._owned,
        )

    def mentions(self, user: str, since: datetime) -> Iterator[Found]:
        """What was said to the user since; X gives the newest 800."""
        return self._pages(
            lambda token: self._client.get_users_mentions(
                user, start_time=since, max_results=self._page_size, pagination_token=token, **_FIELDS
            ),
            price=self._owned,
        )

    def search(self, query: str, since: datetime) -> Iterator[Found]:
        """What recent search finds; `since` must lie within the last 7 days."""
        return self._pages(
            lambda token: self._client.search_recent_tweets(
                query, start_time=since, max_results=self._page_size, next_token=token, **_FIELDS
            )
        )

    def messages(self, since: datetime) -> Iterator[Found]:
        """Private messages, received and sent, newest first, until a page holds none since; X gives 30 days."""
        for found in self._pages(
            lambda token: self._client.get_direct_message_events(
                pagination_token=token, user_auth=False, **_MESSAGE_FIELDS
            ),
            kind="message",
        ):
            yield found
            times = [instant(text(event, "created_at")) for event in found.records]
            if times and all(at is not None and at < since for at in times):
                return

    def lookup(self, ids: Iterable[str], *, bare: bool = False) -> Iterator[Found]:
        """The posts with these ids, a hundred at a time; `bare` without authors and pictures, which cost extra."""
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), LOOKUP_BATCH):
            answer = self._client.get_tweets(wanted[start : start + LOOKUP_BATCH], **(_BARE if bare else _FIELDS))
            self._spending.charge(answer, "post", self._now)
            yield Found.of(answer)

    def people(self, name: str) -> list[Mapping[str, Any]]:
        """The users that a search for `name` finds; for those who signed in only."""
        params = {"query": name, "max_results": _PROFILES, "user.fields": "description,name,username"}
        answer = self._client.request("GET", "/2/users/search", params=params).json()
        self._spending.charge(answer, "user", self._now)
        return mappings(dig(answer, "data"))

    def usage(self) -> tuple[str, str]:
        """How many posts the app's project has read this month, and how many it may; free, for app tokens only."""
        answer = self._client.request("GET", "/2/usage/tweets").json()
        return text(answer, "data", "project_usage"), text(answer, "data", "project_cap")

    def _pages(
        self, fetch: Callable[[str | None], Any], *, kind: str = "post", price: float | None = None
    ) -> Iterator[Found]:
        """Every page of a listing: `fetch` takes a page token. Raises SourceError where it does not move on."""
        token: str | None = None
        used: set[str] = set()
        while True:
            answer = fetch(token)
            self._spending.charge(answer, kind, self._now, price)
            found = Found.of(answer)
            yield found
            if not found.records and (counted := dig(answer, "meta", "result_count")):
                raise SourceError(
                    f"X answered, but showed none of the {counted} records that it counts; trying again later"
                )
            if not found.next_token:
                return
            if found.next_token in used:
                raise SourceError("X sent us round in a circle (the same page token twice); trying again later")
            used.add(found.next_token)
            token = found.next_token


def any_of(terms: Iterable[str]) -> str:
    """A search for any of `terms`."""
    return f"({OR.join(terms)})"


def judge(service: Service, answer: Answer, now: datetime) -> SourceError | None:
    """What X's status and its problem's type mean (docs.x.com/x-api/fundamentals/response-codes-and-errors)."""
    kind = text(answer.document, "type").rpartition("/")[2]
    if kind == "usage-capped":
        return _with_remedy(service, "raise the plan, or wait for the next billing month").refused(
            "has given us all the posts of this month's usage cap"
        )
    if answer.status == 402 or kind == "credits":
        return _with_remedy(service, "buy credit there, or raise the spending limit").refused(
            f"reports that our prepaid credit is used up or our spending limit reached ({answer.status})"
        )
    return service.judge(answer, now)


def _with_remedy(service: Service, step: str) -> Service:
    return replace(
        service, remedy=f"Ask your technician to look into X's developer console (console.x.com): {step}"
    )
