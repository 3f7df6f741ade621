"""How a connector talks HTTP: one session for one poll, and one way to say what went wrong.

Every failure is a SourceError whose text a school secretary can act on. The token is added by the session itself,
so that no client library sees it, puts it into a URL or logs it.
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
import urllib3

from connectors._fields import json_or_none
from monitor.domain.clock import utc
from monitor.domain.errors import SourceError

MAX_BYTES = 20_000_000
_CHUNK = 65_536
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A service's answer. `document` is the decoded JSON, None where the body is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a platform is reached from this school: the longest that one answer may take (s), proxy, certificates."""

    timeout: float
    proxy: str = ""
    ca_bundle: Path | None = None

    def client(self, **how: Any) -> httpx.Client:
        """An httpx client that goes this way; the environment's proxies are for `network` to take up."""
        verify = ssl.create_default_context(cafile=self.ca_bundle) if self.ca_bundle else True
        return httpx.Client(timeout=self.timeout, proxy=self.proxy or None, verify=verify, trust_env=False, **how)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who is asked, for which account, and what a person should do when access is refused."""

    name: str
    account: str
    remedy: str

    def silent(self, error: Exception) -> SourceError:
        """No answer, or only part of one."""
        return SourceError(
            f"{self.name} did not answer properly ({type(error).__name__}); trying again at the next poll"
        )

    def damaged(self, body: bytes, host: str) -> SourceError:
        """An answer that is not the data asked for."""
        if looks_like_html(body):
            return SourceError(
                f"{self.name} answered with a web page instead of data; if this lasts, a network filter may be "
                f"blocking {host}: ask your technician to allow it"
            )
        return SourceError(f"{self.name} sent a damaged answer (cut off?); trying again at the next poll")

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
            return self.refused("no longer accepts our access token (401)")
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


def retry_at(
    headers: Mapping[str, str], now: datetime, *, otherwise: timedelta = timedelta(minutes=15)
) -> datetime:
    """When the service lets us come back: X's reset header, else Retry-After (RFC 9110, 10.2.3), else `otherwise`.

    Never before the next minute, and never so late that the 24-hour rule would suffer.
    """
    wanted = _reset(headers.get("x-rate-limit-reset", "")) or _after(headers.get("retry-after", ""), now)
    return min(max(wanted or now + otherwise, now + timedelta(seconds=60)), now + _LONGEST_WAIT)


def looks_like_html(body: bytes) -> bool:
    """Whether a body begins as a web page does."""
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def fetch(
    client: httpx.Client,
    service: Service,
    url: str,
    *,
    timeout: float,
    params: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """What `url` answers within `timeout` seconds, whatever its status. Raises SourceError where it gives none.

    httpx limits neither an answer's size nor its time as a whole.
    """
    ends = time.monotonic() + timeout
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
        raise service.silent(error) from None
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
        self._now = now
        self._judge = judge or service.judge
        #: Until when (UTC) the limits told in the answers' headers ask us to rest, None while they do not.
        self.rest_until: datetime | None = None
        self.trust_env = False
        if reach.proxy:
            self.proxies = {"http": reach.proxy, "https": reach.proxy}
        if reach.ca_bundle:
            self.verify = str(reach.ca_bundle)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests.Session.request, but for the host in `url`. Raises SourceError."""
        kwargs |= {"timeout": self._timeout, "stream": True, "allow_redirects": False}
        try:
            with super().request(method, self._address(str(url)), *args, **kwargs) as response:
                body = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # `from None`: a library's own message may quote the request.
            raise self._service.silent(error) from None
        document = self._check(response, body)
        # requests offers no way to read with a deadline; this is where it keeps a body already read.
        response._content = json.dumps(document).encode()
        # It is JSON, whatever the header says or leaves out: facebook-sdk goes by the header alone.
        response.headers["content-type"] = "application/json"
        return response

    def _address(self, url: str) -> str:
        """Where `url` is asked for: the same path, at the host that was configured."""
        return self._base_url + urlsplit(url).path

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
        # A web page from an API is somebody's in between, whatever its status: a filter's, a proxy's.
        in_between = looks_like_html(body) and answer.status < 500
        error = None if in_between else self._judge(answer, self._now)
        if error is None and not isinstance(document, self.documents):
            error = self._service.damaged(body, urlsplit(self._base_url).netloc)
        if error is not None:
            raise error
        return document


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _reset(value: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _after(value: str, now: datetime) -> datetime | None:
    try:
        return now + timedelta(seconds=int(value))
    except (ValueError, OverflowError):
        pass
    try:
        return utc(parsedate_to_datetime(value))
    except (ValueError, TypeError):
        return None
