"""How YouTube is asked: through the client library, by API key or signed in, each list counted against the quota.

https://developers.google.com/youtube/v3/docs/errors and https://developers.google.com/youtube/v3/determine_quota_cost
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import httplib2  # type: ignore[import-untyped]
import requests
from google.api_core.client_options import ClientOptions
from googleapiclient.discovery import build  # type: ignore[import-untyped]
from googleapiclient.errors import HttpError  # type: ignore[import-untyped]

from connectors._fields import dig, mappings, text
from connectors._http import Answer, ApiSession, Reach, Service, retry_at
from monitor.domain.errors import SourceError

# The library warns of every 403, and comments that are turned off are one, at every sweep.
logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)

#: Where YouTube's day begins.
ZONE = "America/Los_Angeles"
#: What comments ask of a sign-in: https://developers.google.com/youtube/v3/docs/commentThreads/list
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
#: Something is not there, which is no refusal of the account. A channel without videos has no list of them.
ABSENT = {"commentsDisabled", "commentNotFound", "commentThreadNotFound", "playlistNotFound", "videoNotFound"}
DAY_USED_UP = {"quotaExceeded", "dailyLimitExceeded"}
LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
PASSING = {"backendError", "internalError", "processingFailure", "invalidPageToken"}
REFUSALS = {
    "says that our access token (an API key) has expired": {"keyExpired", "API_KEY_EXPIRED"},
    "no longer accepts our access token (an API key)": {"keyInvalid", "API_KEY_INVALID"},
    "no longer renews our access token: the sign-in has expired or was withdrawn": {"invalid_grant"},
    "no longer renews our access token": {"invalid_client", "unauthorized_client"},
    "is not switched on in our Google project": {"accessNotConfigured", "SERVICE_DISABLED"},
    "finds the scope youtube.force-ssl missing": {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
    "bars our API key from this address or API": {"ipRefererBlocked", "API_KEY_IP_ADDRESS_BLOCKED"},
    "says that whoever signed in has no channel": {"youtubeSignupRequired"},
}


class Absent(SourceError):
    """What was asked for is not there."""


class Listing(Protocol):
    """Every page of a listing. Raises Absent, and SourceError where it does not move on."""

    def __call__(self, resource: str, **params: Any) -> Iterator[list[Any]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What signing in brought: an access token, until when it will do, and its scopes; `ends`: the sign-in itself.

    `scopes` is empty and `ends` None where Google does not say; times are UTC.
    """

    token: str
    until: datetime
    scopes: frozenset[str]
    ends: datetime | None


class Api:
    """The Data API for one account, by API key (`token`) or sign-in (`refresh_token` and the client's secrets)."""

    def __init__(
        self, *, service: Service, base_url: str, token_url: str, reach: Reach, secrets: Mapping[str, str]
    ) -> None:
        self.signs_in = "refresh_token" in secrets
        self._service = service
        self._base_url = base_url
        self._token_url = token_url
        self._reach = reach
        self._secrets = secrets
        self._grant: Grant | None = None
        self._units = 0

    @contextmanager
    def open(self, now: datetime) -> Iterator[Listing]:
        """A connection for the length of one poll."""
        with self._session(self._base_url, now) as session:
            if self.signs_in:
                grant = self._grant if self._grant and now < self._grant.until else self.sign_in(now)
                session.auth = _signed("Authorization", f"Bearer {grant.token}")
            else:
                session.auth = _signed("X-Goog-Api-Key", self._secrets["token"])
            transport = _Transport(session)
            yield lambda resource, **params: self._listing(transport, resource, params)

    def spent(self) -> int:
        """The quota units used since this was last asked. Searches have a quota of their own and count as none."""
        units, self._units = self._units, 0
        return units

    def sign_in(self, now: datetime) -> Grant:
        """A new access token: https://developers.google.com/identity/protocols/oauth2/web-server#offline"""
        with self._session(self._token_url, now) as session:
            session.auth = lambda request: request
            form = {"grant_type": "refresh_token", **self._secrets}
            answer = session.request("POST", self._token_url, data=form).json()
        lasts, leave = dig(answer, "expires_in"), dig(answer, "refresh_token_expires_in")
        self._grant = Grant(
            token=text(answer, "access_token"),
            until=now + timedelta(seconds=min(lasts, 3600) - 300 if isinstance(lasts, int) else 0),
            scopes=frozenset(text(answer, "scope").split()),
            ends=now + timedelta(seconds=min(leave, 10**9)) if isinstance(leave, int) and leave > 0 else None,
        )
        return self._grant

    def _session(self, url: str, now: datetime) -> ApiSession:
        host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        return ApiSession(
            service=self._service, base_url=host, token="", reach=self._reach, now=now, judge=self._judge
        )

    @cached_property
    def _library(self) -> Any:
        """The library's methods, from the description of the API that it brings along; nothing is fetched.

        Each request gets a transport of its own: the one given here is never used.
        """
        where = ClientOptions(api_endpoint=f"{self._base_url.rstrip('/')}/")
        return build("youtube", "v3", http=httplib2.Http(), client_options=where, cache_discovery=False)

    def _listing(self, transport: "_Transport", resource: str, params: dict[str, Any]) -> Iterator[list[Any]]:
        token, used = "", {""}
        method = getattr(self._library, resource)().list
        while True:
            self._units += resource != "search"
            try:
                answer = method(pageToken=token or None, **params).execute(http=transport)
            except HttpError:
                lost = f"YouTube lost some {resource} while we read; trying again at the next poll"
                raise Absent(lost) from None
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

    def _judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """YouTube's own reasons first, the HTTP status where there is none that we know."""
        reasons = _reasons(dig(answer.document, "error"))
        if reasons & ABSENT:
            return None
        if reasons & DAY_USED_UP:
            zone = ZoneInfo(ZONE)
            tomorrow = now.astimezone(zone).date() + timedelta(days=1)
            renewed = datetime.combine(tomorrow, time(), zone).astimezone(UTC)
            # Tried again before that, too: somebody may have been granted more.
            return SourceError(
                f"YouTube's daily quota is used up for account {self._service.account}; it is renewed at "
                f"{renewed:%H:%M} UTC. Ask your technician what else uses the same Google project",
                retry_at=min(renewed, now + timedelta(hours=1)),
            )
        if reasons & LIMITS:
            return self._service.busy(retry_at(answer.headers, now))
        for sentence, known in REFUSALS.items():
            if reasons & known:
                return self._service.refused(sentence)
        if reasons & PASSING:
            return SourceError("YouTube is having trouble of its own; trying again at the next poll")
        if answer.status == 401 and self.signs_in and self._grant is not None:
            self._grant = None
            return SourceError("YouTube ended our sign-in early; signing in again at the next poll")
        return self._service.judge(answer, now)


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


def _reasons(error: Any) -> set[str]:
    """All reasons that an error of Google's gives, in its older and its newer form or OAuth's (a mere word)."""
    details = mappings(dig(error, "details"))
    found = {text(one, "reason") for one in (*mappings(dig(error, "errors")), *details)}
    if any("PerDay" in text(one, "metadata", "quota_limit") for one in details):
        found.add("quotaExceeded")
    if "API_KEY_INVALID" in found and "expired" in text(error, "message").lower():
        # Google has no reason of its own for that.
        found.add("keyExpired")
    return found | {error} if isinstance(error, str) else found


def _signed(name: str, value: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """The secret as a header of every request: it stands in no URL and reaches no library."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[name] = value
        return request

    return sign
