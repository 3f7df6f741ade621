"""The Graph API through facebook-sdk, for Facebook and Instagram alike.

What its errors mean: https://developers.facebook.com/docs/graph-api/guides/error-handling
and /docs/graph-api/overview/rate-limiting.
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from pydantic import Field

from connectors._fields import dig, instant, json_or_none, mappings, text
from connectors._http import Answer, ApiSession, Service, retry_at
from connectors._options import ConnectorOptions
from monitor.domain.errors import SourceError

with warnings.catch_warnings():
    # facebook-sdk is of 2018, and today's Python remarks on its escapes.
    warnings.filterwarnings("ignore", "invalid escape sequence")
    import facebook

log = logging.getLogger(__name__)

TOKEN_CODES = frozenset({102, 190})
PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
LIMIT_CODES = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
INVALID_REQUEST = 100
TOKEN_EXPIRED = 463
USAGE_HEADERS = ("x-app-usage", "x-page-usage", "x-business-use-case-usage")
#: Business use cases have limits of their own: those of advertising are not ours.
OUR_USES = ("", "pages", "instagram")
LIMIT_WINDOW = timedelta(hours=1)
#: From this share of a limit on (per cent) we come back later than usual, lest we are refused.
BUSY_SHARE = 90
SHORT_REST = timedelta(minutes=10)

GraphError = facebook.GraphAPIError


class NotPermitted(SourceError):
    """Graph does not permit what was asked, though it accepts the token."""


class GraphOptions(ConnectorOptions):
    """Where the Graph API is, and which version of it is spoken."""

    base_url: str = "https://graph.facebook.com"
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")


class Graph(facebook.GraphAPI):  # type: ignore[misc]
    """facebook-sdk of 2018 made current: it refuses today's versions and would put the token into the URL."""

    session: "_Session"

    def __init__(self, service: Service, version: str, session: "_Session") -> None:
        super().__init__(access_token=None, session=session)
        self.version = version
        self._service = service

    @property
    def rest_until(self) -> datetime | None:
        """Until when (UTC) the answers' usage headers ask us to rest, None while they do not."""
        return self.session.rest_until

    @property
    def spoken(self) -> str:
        """The version in which Graph answered last: a version past its end falls forward in silence."""
        return self.session.spoken

    def listing(
        self, owner: str, edge: str, params: Mapping[str, Any], *, unannounced: bool = False
    ) -> Iterator[list[Any]]:
        """Every page of an edge; `unannounced` where the edge does not say that a next page follows.

        Raises SourceError when the listing does not move on.
        """
        more: dict[str, str] = {}
        used: set[str] = set()
        while True:
            answer = self.get_connections(owner, edge, **params, **more)
            data = dig(answer, "data")
            if not isinstance(data, list):
                raise SourceError(
                    f"{self._service.name} sent no list for {edge} of {owner}; trying again at the next poll"
                )
            yield data
            more = following(answer)
            if unannounced and data and (after := text(answer, "paging", "cursors", "after")):
                more = {"after": after}
            if not more:
                return
            if (mark := json.dumps(more, sort_keys=True)) in used:
                raise SourceError(
                    f"{self._service.name} sent us round in a circle (the same page twice); trying again later"
                )
            used.add(mark)

    def single(self, key: str, fields: str) -> Any:
        """One record by its id, None where Graph says that it does not exist."""
        try:
            return self.get_object(key, fields=fields)
        except GraphError as error:
            if is_missing(error.result):
                return None
            raise

    def look_up(self, key: str, fields: str) -> Any:
        """As `single`, but {} where the record is withheld: that is not deleted."""
        try:
            return self.single(key, fields)
        except NotPermitted:
            return {}


@contextmanager
def connected(service: Service, options: GraphOptions, token: str, now: datetime, whose: str) -> Iterator[Graph]:
    """The API for the length of one poll; `whose` ("the Page 7") is what is missing when all else was found."""
    with _Session(
        options.version,
        service=service,
        base_url=options.base_url,
        token=token,
        reach=options.reach,
        now=now,
        judge=partial(_judge, service),
    ) as session:
        try:
            yield Graph(service, options.version, session)
        except GraphError:
            raise service.refused(f"cannot find {whose}") from None


def is_missing(document: Any) -> bool:
    """Whether Graph says that an object does not exist: a missing permission shares the code, not the type."""
    error = dig(document, "error")
    return (dig(error, "code"), dig(error, "type")) == (INVALID_REQUEST, "GraphMethodException")


def following(answer: Any) -> dict[str, str]:
    """What to add to a request to get the next page, {} on the last.

    Cursors where there are any; some edges page by time and a token instead. `next` itself is never followed: it is
    another's address, and carries the access token.
    """
    address = text(answer, "paging", "next")
    after = text(answer, "paging", "cursors", "after")
    if not address:
        return {}
    if after:
        return {"after": after}
    query = dict(parse_qsl(urlsplit(address).query))
    return {name: query[name] for name in ("after", "until", "since", "offset", "__paging_token") if name in query}


class _Session(ApiSession):
    """Asks no more once the limits are used up, and notices answers of another version than was asked for."""

    def __init__(self, version: str, *, service: Service, now: datetime, **how: Any) -> None:
        super().__init__(service=service, now=now, **how)
        self.spoken = version
        self._spent_until: datetime | None = None

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        if self._spent_until is not None:
            # Calls that are refused count as well, and put off the end of the refusal.
            raise self._service.busy(self._spent_until)
        response = super().request(method, url, *args, **kwargs)
        usages = _usages(response.headers)
        self._spent_until = _spent_until(response.headers, usages, self._now)
        rest = self._spent_until or (self._now + SHORT_REST if _share(usages) >= BUSY_SHARE else None)
        self.rest_until = max(filter(None, (self.rest_until, rest)), default=None)
        spoken = response.headers.get("facebook-api-version", self.spoken)
        if spoken != self.spoken:
            # Fields change with it.
            log.warning("%s answers as %s, not as %s", self._service.name, spoken, self.spoken)
            self.spoken = spoken
        return response


def unseen(records: Sequence[Any], seen: set[str]) -> list[Any]:
    """Those whose id is not in `seen` yet, adding it: a listing that grows while it is read repeats itself."""
    fresh = []
    for record in records:
        key = text(record, "id")
        if key not in seen:
            fresh.append(record)
        if key:
            seen.add(key)
    return fresh


def when(record: Any, name: str) -> datetime:
    """The time (UTC) in a record's field; a record without one counts as new."""
    return instant(text(record, name)) or datetime.max.replace(tzinfo=UTC)


def _judge(service: Service, answer: Answer, now: datetime) -> SourceError | None:
    """Graph's own errors first, the HTTP status where there is none."""
    error = dig(answer.document, "error")
    if not isinstance(error, Mapping):
        return service.judge(answer, now)
    code = error.get("code") if isinstance(error.get("code"), int) else None
    if is_missing(answer.document):
        return None
    if code in TOKEN_CODES:
        expired = ", which has expired" if error.get("error_subcode") == TOKEN_EXPIRED else ""
        return service.refused(f"no longer accepts our access token{expired} (error {code})")
    if code in LIMIT_CODES:
        otherwise = retry_at(answer.headers, now, otherwise=LIMIT_WINDOW)
        return service.busy(_spent_until(answer.headers, _usages(answer.headers), now) or otherwise)
    if code in PERMISSION_CODES or code == INVALID_REQUEST:
        refusal = service.refused(f"does not permit what we asked (error {code})")
        return NotPermitted(str(refusal), permanent=True)
    return SourceError(f"{service.name} is having trouble of its own (error {code}); trying again at the next poll")


def _usages(headers: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """What the usage headers tell, at their top or in lists by business: /docs/graph-api/overview/rate-limiting."""
    told = [json_or_none(headers.get(name, "")) for name in USAGE_HEADERS]
    documents = [document for document in told if isinstance(document, Mapping)]
    listed = [usage for document in documents for value in document.values() for usage in mappings(value)]
    return [*documents, *(usage for usage in listed if text(usage, "type") in OUR_USES)]


def _share(usages: Sequence[Mapping[str, Any]]) -> int:
    """The largest share of a limit that is used up, in per cent."""
    names = ("call_count", "total_time", "total_cputime")
    return max((_whole(usage.get(name)) for usage in usages for name in names), default=0)


def _spent_until(headers: Mapping[str, str], usages: Sequence[Mapping[str, Any]], now: datetime) -> datetime | None:
    """Until when (UTC) a limit is used up, None while none is; at times the minutes to wait are told."""
    minutes = max((_whole(usage.get("estimated_time_to_regain_access")) for usage in usages), default=0)
    if minutes > 0:
        return retry_at({"retry-after": str(minutes * 60)}, now)
    return retry_at(headers, now, otherwise=LIMIT_WINDOW) if _share(usages) >= 100 else None


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
