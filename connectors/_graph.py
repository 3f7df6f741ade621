"""The Graph API through facebook-sdk, for Facebook and Instagram alike.

What its errors mean: https://developers.facebook.com/docs/graph-api/guides/error-handling
and /docs/graph-api/overview/rate-limiting.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field

from connectors._fields import dig, text
from connectors._http import Answer, ApiSession, Service, retry_at
from connectors._options import ConnectorOptions
from monitor.domain.errors import SourceError

with warnings.catch_warnings():
    # facebook-sdk is of 2018, and today's Python remarks on its escapes.
    warnings.filterwarnings("ignore", "invalid escape sequence")
    import facebook

TOKEN_CODES = frozenset({102, 190})
PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
LIMIT_CODES = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
INVALID_REQUEST = 100
LIMIT_WINDOW = timedelta(hours=1)

GraphError = facebook.GraphAPIError


class GraphOptions(ConnectorOptions):
    """Where the Graph API is, and which version of it is spoken."""

    base_url: str = "https://graph.facebook.com"
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")


class Graph(facebook.GraphAPI):  # type: ignore[misc]
    """facebook-sdk of 2018 made current: it refuses today's versions and would put the token into the URL."""

    def __init__(self, service: Service, version: str, session: ApiSession) -> None:
        super().__init__(access_token=None, session=session)
        self.version = version
        self._service = service

    def listing(self, owner: str, edge: str, params: Mapping[str, Any]) -> Iterator[list[Any]]:
        """Every page of an edge. Raises SourceError when the listing does not move on."""
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


@contextmanager
def connected(service: Service, options: GraphOptions, token: str, now: datetime, whose: str) -> Iterator[Graph]:
    """The API for the length of one poll; `whose` ("the Page 7") is what is missing when all else was found."""
    with ApiSession(
        service=service,
        base_url=options.base_url,
        token=token,
        timeout=options.timeout,
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


def _judge(service: Service, answer: Answer, now: datetime) -> SourceError | None:
    """Graph's own errors first, the HTTP status where there is none."""
    error = dig(answer.document, "error")
    if not isinstance(error, Mapping):
        return service.judge(answer, now)
    code = error.get("code") if isinstance(error.get("code"), int) else None
    if is_missing(answer.document):
        return None
    if code in TOKEN_CODES:
        return service.refused(f"no longer accepts our access token (error {code})")
    if code in LIMIT_CODES:
        return service.busy(retry_at(answer.headers, now, otherwise=LIMIT_WINDOW))
    if code in PERMISSION_CODES or code == INVALID_REQUEST:
        return service.refused(f"does not permit what we asked (error {code})")
    return SourceError(f"{service.name} is having trouble of its own (error {code}); trying again at the next poll")
