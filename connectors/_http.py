"""How a connector talks HTTP: one session for one poll, and one way to say what went wrong.

Every failure is a SourceError whose text a school secretary can act on. The token is added by the session itself,
so that no client library sees it, puts it into a URL or logs it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
import urllib3

from connectors._fields import json_or_none
from connectors._filters import in_between, looks_like_html
from connectors._limits import rest_until, retry_at
from connectors._network import PROXY_REFUSES, Reach, why
from monitor.domain.errors import SourceError

__all__ = ["Answer", "ApiSession", "Reach", "Service", "fetch", "looks_like_html", "rest_until", "retry_at"]

MAX_BYTES = 20_000_000
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A service's answer. `document` is the decoded JSON, None where the body is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who is asked, for which account, and what a person should do when access is refused."""

    name: str
    account: str
    remedy: str

    def silent(self, error: Exception, *, proxied: bool = False) -> SourceError:
        """No answer, or only part of one."""
        return SourceError(f"{self.name} {why(error, proxied=proxied)}; trying again at the next poll")

    def damaged(self, body: bytes, host: str) -> SourceError:
        """An answer that is not the data asked for."""
        answer = Answer(status=200, headers={}, body=body)
        if error := self.intercepted(answer, host):
            return error
        if looks_like_html(body):
            return SourceError(
                f"{self.name} answered with a web page instead of data; if this lasts, a network filter may be "
                f"blocking {host}: ask your technician to allow it"
            )
        return SourceError(f"{self.name} sent a damaged answer (cut off?); trying again at the next poll")

    def intercepted(self, answer: Answer, host: str) -> SourceError | None:
        """Whether the network answered in the place of `host`: its proxy, its filter, its sign-in page."""
        if answer.status == 407:
            return SourceError(f"{self.name} {PROXY_REFUSES}; trying again at the next poll")
        if (between := in_between(answer.status, answer.headers, answer.body, host)) is None:
            return None
        return SourceError(
            f"{self.name} cannot be read: {between} answered in its place with a web page of its own. Ask your "
            f"technician to allow {host} for this server; `schoolwatch check --hosts` prints all that is needed"
        )

    def refused(self, reason: str) -> SourceError:
        """Access was refused for good: a person must act."""
        return SourceError(f"{self.name} {reason} for account {self.account}. {self.remedy}", permanent=True)

    def busy(self, retry_at: datetime) -> SourceError:
        """Too many requests."""
        return SourceError(
            f"{self.name} asks us to slow down; reading goes on at {retry_at:%H:%M} UTC", retry_at=retry_at
        )

    def judge(self, answer: Answer, now: datetime) -> SourceError | None:
        """What an HTTP status means, None where it is a success."""
        status = answer.status
        if 200 <= status < 300:
            return None
        if status == 401:
            return self.refused("no longer accepts our access token: it has expired or was withdrawn (401)")
        if status == 402:
            return self.refused("reports that its prepaid credit is used up (402)")
        if status == 403:
            return self.refused("does not permit reading this (403)")
        if status == 429:
            return self.busy(retry_at(answer.headers, now))
        if status in (404, 410):
            return self.refused(f"knows nothing at the address asked ({status})")
        if status >= 500:
            wait = answer.headers.get("retry-after")
            return SourceError(
                f"{self.name} is having trouble of its own ({status}); trying again at the next poll",
                retry_at=retry_at(answer.headers, now) if wait else None,
            )
        return SourceError(f"{self.name} did not accept our request ({status})", permanent=400 <= status < 500)


def fetch(
    client: httpx.Client,
    service: Service,
    url: str,
    *,
    reach: Reach,
    params: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """What `url` answers within `reach.timeout` seconds, whatever its status.

    httpx limits neither an answer's size nor its time as a whole. Raises SourceError where there is no answer;
    whether it is the service's own, `Service.intercepted` says.
    """
    ends = time.monotonic() + reach.timeout
    body = b""
    try:
        with client.stream("GET", url, params=params, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise SourceError(f"{service.name} sent more than {MAX_BYTES // 1_000_000} MB at once")
                if time.monotonic() > ends:
                    raise service.silent(TimeoutError())
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # `from None`: a library's own message may quote the request.
        raise service.silent(error, proxied=bool(reach.proxy)) from None
    return Answer(status=response.status_code, headers=response.headers, body=body)


class ApiSession(requests.Session):
    """The connection to one JSON API for the length of one poll, to be handed to a client library.

    It sends every request to `base_url` with the token in a header, takes no redirect, limits size and total time,
    and raises SourceError for whatever is not a usable answer. `judge` may read a service's own error format.
    """

    #: What the JSON of a usable answer may be.
    documents: tuple[type, ...] = (dict,)

    def __init__(
        self,
        *,
        service: Service,
        base_url: str,
        token: str,
        reach: Reach,
        now: datetime,
        judge: Callable[[Answer, datetime], SourceError | None] | None = None,
    ) -> None:
        super().__init__()
        self.auth = _Bearer(token)
        self._service = service
        self._base_url = base_url.rstrip("/")
        self._timeout = reach.timeout
        self._proxied = bool(reach.proxy)
        self._now = now
        self._judge = judge or service.judge
        #: Until when (UTC) the limits told in the answers' headers ask us to rest, None while they do not.
        self.rest_until: datetime | None = None
        reach.lead(self)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests.Session.request, but for the host in `url`. Raises SourceError."""
        kwargs |= {"timeout": self._timeout, "stream": True, "allow_redirects": False}
        try:
            with super().request(method, self._address(str(url)), *args, **kwargs) as response:
                body = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # `from None`: a library's own message may quote the request.
            raise self._service.silent(error, proxied=self._proxied) from None
        self._rest(response.headers)
        document = self._check(response, body)
        # requests offers no way to read with a deadline; this is where it keeps a body already read.
        response._content = json.dumps(document).encode()
        # It is JSON, whatever the header says or leaves out: facebook-sdk goes by the header alone.
        response.headers["content-type"] = "application/json"
        return response

    def _address(self, url: str) -> str:
        """Where `url` is asked for: the same path, at the host that was configured."""
        return self._base_url + urlsplit(url).path

    def _rest(self, headers: Mapping[str, str]) -> None:
        """Of several limits the one that ends last counts."""
        if until := rest_until(headers, self._now):
            self.rest_until = max(until, self.rest_until or until)

    def _read(self, response: requests.Response) -> bytes:
        ends = time.monotonic() + self._timeout
        body = b""
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                raise SourceError(f"{self._service.name} sent more than {MAX_BYTES // 1_000_000} MB at once")
            if time.monotonic() > ends:
                raise self._service.silent(TimeoutError())
        return body

    def _check(self, response: requests.Response, body: bytes) -> Any:
        """The decoded answer, clean. Raises SourceError for whatever is none."""
        document = json_or_none(body)
        answer = Answer(status=response.status_code, headers=response.headers, body=body, document=document)
        host = urlsplit(self._base_url).netloc
        error = None if isinstance(document, dict | list) else self._service.intercepted(answer, host)
        # A web page from an API is somebody's in between, whatever its status: a filter's, a proxy's.
        if error is None and not (looks_like_html(body) and answer.status < 500):
            error = self._judge(answer, self._now)
        if error is None and not isinstance(document, self.documents):
            error = self._service.damaged(body, host)
        if error is not None:
            raise error
        return document


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
