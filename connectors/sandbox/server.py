"""One loopback server for all sandbox platforms, real HTTP, that can be told to misbehave.

`/api/<kind>/…` speaks a platform's own wire format; everything else is pages for a browser.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from connectors.sandbox.filters import BLOCK_PAGES
from connectors.sandbox.listings import Change, Listings, doubled, emptied, turned, with_one_more

log = logging.getLogger(__name__)

HTML = "text/html; charset=utf-8"
#: Above this, a request body is not read at all.
_MAX_BODY = 1_000_000


class Fault(StrEnum):
    """What a platform can be told to do instead of answering well."""

    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_BARE = "rate_limited_bare"  # without a header that says for how long
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"  # a proxy's HTML
    HTML = "html"  # status 200
    TRUNCATED = "truncated"  # status 200, the body ends half way
    SLOW = "slow"  # a byte now and then
    POISONED = "poisoned"  # one record of the page is nonsense
    EXPIRED = "expired"  # the token was good once
    BLOCK_PAGE = "block_page"  # a school's network filter, status 200
    EMPTY = "empty"  # status 200 and nothing in the listing, whatever there is
    DUPLICATED = "duplicated"  # every record of the page twice
    REORDERED = "reordered"  # the page in another order
    CIRCLE = "circle"  # the next page is this page again


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`path` is what follows the platform's prefix; `site` is the server's own address."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    site: str
    page_size: int
    #: Every value of a name that the query gives more than once.
    repeated: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform: its API, its pages (path prefix `site`), and how it goes wrong.

    `refuse` words refusals, `listings` says where an answer holds its records, `nonsense` is a record that is none.
    """

    site: str
    api: Callable[[Request], Answer]
    page: Callable[[Request], Answer]
    refuse: Callable[[Fault, Request], Answer]
    listings: Listings
    nonsense: Any


@dataclass(slots=True, kw_only=True)
class _Plan:
    """A fault for the next `left` requests on paths that contain `path`."""

    fault: Fault
    path: str
    left: int
    #: For a circle: what each path answered first.
    pages: dict[str, Answer] = field(default_factory=dict)


class Server:
    """Serves `platforms` (kind -> Platform) on loopback from its own threads until stopped."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        clock: Callable[[], datetime],
        *,
        port: int = 0,
        page_size: int = 6,
    ) -> None:
        self._platforms = platforms
        self._clock = clock
        self._page_size = page_size
        self._plans: dict[str, list[_Plan]] = {kind: [] for kind in platforms}
        self._blocked = 0
        self._asked: list[tuple[str, str]] = []
        self._lock = Lock()
        self._stopping = Event()
        self._http = _Listener(("127.0.0.1", port), self._handler())
        self._thread: Thread | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def fail(self, kind: str, fault: Fault, times: int, path: str) -> None:
        with self._lock:
            self._plans[kind].append(_Plan(fault=fault, path=path, left=times))

    def recover(self, kind: str) -> None:
        with self._lock:
            self._plans[kind].clear()

    def asked(self) -> list[tuple[str, str]]:
        """Every request so far: method and full path with query."""
        with self._lock:
            return list(self._asked)

    def _answer(self, request: Request) -> tuple[Answer, Fault | None]:
        """The answer, and how to spoil its delivery."""
        if request.path.startswith("/api/"):
            kind, _, rest = request.path.removeprefix("/api/").partition("/")
            platform = self._platforms.get(kind)
            if platform is None:
                return not_found(), None
            request = replace(request, path=f"/{rest}")
            plan = self._next_plan(kind, request.path)
            if plan is None:
                return platform.api(request), None
            return self._spoilt(platform, plan, request), plan.fault
        for platform in self._platforms.values():
            if request.path.startswith(f"/{platform.site}/"):
                return platform.page(replace(request, path=request.path.removeprefix(f"/{platform.site}"))), None
        return not_found(), None

    def _next_plan(self, kind: str, path: str) -> _Plan | None:
        """The first plan that is meant for `path`; this call uses up one request of it."""
        with self._lock:
            for plan in self._plans[kind]:
                if plan.path in path:
                    plan.left -= 1
                    if not plan.left:
                        self._plans[kind].remove(plan)
                    return plan
        return None

    def _spoilt(self, platform: Platform, plan: _Plan, request: Request) -> Answer:
        """What a platform answers under a fault, but for how it is delivered."""
        match plan.fault:
            case Fault.TRUNCATED | Fault.SLOW:
                return platform.api(request)
            case Fault.CIRCLE:
                first = plan.pages.get(request.path) or platform.api(request)
                return plan.pages.setdefault(request.path, first)
            case Fault.HTML:
                told = b"<!doctype html><title>Hello</title><p>Please accept our cookies."
                return Answer(body=told, content_type=HTML)
            case Fault.BAD_GATEWAY:
                told = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
                return Answer(status=502, body=told, content_type=HTML)
            case Fault.BLOCK_PAGE:
                status, headers, html = BLOCK_PAGES[self._blocked % len(BLOCK_PAGES)]
                self._blocked += 1
                return Answer(status=status, headers=headers, body=html, content_type=HTML)
        changes: Mapping[Fault, Change] = {
            Fault.POISONED: with_one_more(platform.nonsense),
            Fault.EMPTY: emptied,
            Fault.DUPLICATED: doubled,
            Fault.REORDERED: turned,
        }
        if change := changes.get(plan.fault):
            answer = platform.api(request)
            return replace(answer, body=platform.listings(answer.body, change))
        return platform.refuse(plan.fault, request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                with server._lock:
                    server._asked.append((self.command, self.path))
                length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
                request = Request(
                    method=self.command,
                    path=unquote(address.path),
                    query=dict(parse_qsl(address.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                    now=server._clock(),
                    site=server.address,
                    page_size=server._page_size,
                    repeated=parse_qs(address.query),
                )
                answer, fault = server._answer(request)
                self._deliver(answer, fault)

            do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

            def _deliver(self, answer: Answer, fault: Fault | None) -> None:
                self.send_response(answer.status)
                body = b"" if answer.status == HTTPStatus.NOT_MODIFIED else answer.body
                headers = {"Content-Type": answer.content_type, "Content-Length": str(len(body)), **answer.headers}
                if self.close_connection:
                    # Unsaid, the client would take the connection for one that it can use again.
                    headers["Connection"] = "close"
                if fault is Fault.TRUNCATED:
                    body = body[: len(body) // 2]
                    del headers["Content-Length"]
                    headers["Connection"] = "close"
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "HEAD":
                    return
                if fault is Fault.SLOW:
                    for position in range(len(body)):
                        if server._stopping.wait(0.1):
                            break
                        self.wfile.write(body[position : position + 1])
                    self.close_connection = True
                else:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                log.debug(format, *args)

        return Handler


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""
        log.debug("the client hung up", exc_info=True)


def json_answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode(), headers=headers or {})


def not_found() -> Answer:
    return Answer(status=404, body=b"<!doctype html><title>Not found</title><h1>Not found</h1>", content_type=HTML)
