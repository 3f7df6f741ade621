"""The browser's only way out: a forward proxy that connects to public addresses and to nothing else.

A page may lead the browser anywhere: by a redirect, a frame, a script, a name that resolves to the school's own
network. Guards inside the browser do not see redirects (FACTS 3), so every connection is vetted here: the name is
resolved once, each of its addresses must be public, and the connection goes to an address that was vetted, so
that a name which changes its mind between two look-ups gains nothing.

Where the school has a proxy of its own, connections are vetted the same way and then asked of that proxy by name,
since it decides by names; docs/decisions/0009 says what that leaves open.
"""

import http.client
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from urllib.parse import SplitResult, urlsplit

from monitor.evidence.interception import Interception
from monitor.evidence.tunnel import CHUNK, IDLE_SECONDS, MOST_BYTES_BACK, carry
from monitor.evidence.upstream import Upstream
from monitor.evidence.vetting import NotPublic, Resolver, is_public, may_be_public, resolve_name

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
_MOST_BYTES_OUT = 1024 * 1024
_MOST_LISTED = 100

#: Headers between two neighbours, never passed on (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class VettingProxy:
    """A proxy on loopback, for plain HTTP and for CONNECT, from `start()` until `stop()`.

    `allow` holds the "host:port" pairs, as a URL names them, that may be reached though they are not public: the
    sandbox of the demo and of the tests, and nothing else; they are reached directly. `upstream` is the school's
    own proxy. With `interception` the servers' certificates are checked here instead of in the browser.
    """

    def __init__(
        self,
        allow: frozenset[str] = frozenset(),
        *,
        resolve: Resolver | None = None,
        upstream: Upstream | None = None,
        interception: Interception | None = None,
    ) -> None:
        self.interception = interception
        self._allow = allow
        self._resolve = resolve or resolve_name
        self._upstream = upstream
        self._lock = threading.Lock()
        self._refused: list[str] = []
        self._refused_count = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where the browser finds the proxy."""
        assert self._server is not None, "the proxy is not running"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="vetting-proxy", daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take_refused(self) -> tuple[tuple[str, ...], int]:
        """The attempts refused since the last call, as "host:port", and how many more were not listed."""
        with self._lock:
            taken = tuple(self._refused), self._refused_count - len(self._refused)
            self._refused, self._refused_count = [], 0
        return taken

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection, for TLS, to a vetted address of `host`.

        Raises NotPublic, and OSError where nothing answers.
        """
        addresses = self._vetted(host, port, encrypted=True)
        if self._upstream and not self._allowed(host, port):
            return self._upstream.tunnel(_target(host, port))
        return _first_that_answers(host, port, addresses)

    def connect_plain(self, host: str, port: int) -> tuple[socket.socket, Upstream | None]:
        """The same for plain HTTP, and the school's proxy where the connection ends there."""
        addresses = self._vetted(host, port, encrypted=False)
        if self._upstream and not self._allowed(host, port):
            return self._upstream.connect(), self._upstream
        return _first_that_answers(host, port, addresses), None

    def _allowed(self, host: str, port: int) -> bool:
        return _target(host, port) in self._allow

    def _vetted(self, host: str, port: int, *, encrypted: bool) -> Sequence[str]:
        """The addresses of `host`, none where only the school's proxy knows them. Raises NotPublic and OSError."""
        try:
            addresses = self._resolve(host, port)
        except OSError:
            if self._upstream is None:
                raise
            public = may_be_public(host, port, encrypted=encrypted)
            addresses = ()
        else:
            public = self._allowed(host, port) or all(map(is_public, addresses))
        if not public:
            target = _target(host, port)
            self._note_refused(target)
            raise NotPublic(f"{target} is not on a public address")
        return addresses

    def _note_refused(self, target: str) -> None:
        with self._lock:
            self._refused_count += 1
            if len(self._refused) < _MOST_LISTED:
                self._refused.append(target)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: VettingProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks off is daily bread; anything else is worth a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _log.error("the vetting proxy dropped a connection: %s", type(error).__name__, exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection, so that nothing meant for one server can reach another."""

    server: _Server
    timeout = IDLE_SECONDS

    def do_CONNECT(self) -> None:
        try:
            target = urlsplit(f"//{self.path}")
            upstream = self._secured(target.hostname or "", target.port or 443)
        except NotPublic:
            self._answer(403)
        except (OSError, ValueError):
            self._answer(502)
        else:
            with upstream:
                self._answer(200)
                self._carry(upstream)

    def do_GET(self) -> None:
        """Pass on a plain HTTP request. Where that is refused or fails, hang up: a page of ours would be
        photographed as though it were the platform's."""
        try:
            target = urlsplit(self.path)
            if target.scheme != "http" or not target.hostname:
                return
            connection, school = self.server.proxy.connect_plain(target.hostname, target.port or 80)
            with connection:
                self._pass_on(target, connection, school)
        except (NotPublic, OSError, ValueError, http.client.HTTPException):
            return
        finally:
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _secured(self, host: str, port: int) -> socket.socket:
        """A connection to `host`; its certificate is checked, where that is done here."""
        upstream = self.server.proxy.connect(host, port)
        interception = self.server.proxy.interception
        if interception is None:
            return upstream
        try:
            return interception.to_server(upstream, host)
        except (OSError, ValueError):
            upstream.close()
            raise

    def _carry(self, upstream: socket.socket) -> None:
        interception = self.server.proxy.interception
        if interception is None:
            carry(self.connection, upstream)
            return
        with interception.to_browser(self.connection) as browser:
            carry(browser, upstream)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: addresses of pages are evidence, not log lines."""

    def _answer(self, status: int) -> None:
        reason = http.client.responses[status]
        self.wfile.write(f"HTTP/1.1 {status} {reason}\r\n\r\n".encode())
        self.close_connection = True

    def _pass_on(self, target: SplitResult, upstream: socket.socket, school: Upstream | None) -> None:
        """To the server itself, or to the school's proxy, which wants the absolute form (RFC 9112, 3.2.2)."""
        upstream.settimeout(IDLE_SECONDS)
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= _MOST_BYTES_OUT:
            return
        connection = http.client.HTTPConnection("", timeout=IDLE_SECONDS)
        connection.sock = upstream
        path = f"{target.path or '/'}{'?' + target.query if target.query else ''}"
        if school:
            path = f"http://{_target(target.hostname or '', target.port or 80)}{path}"
        connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                connection.putheader(name, value)
        for name, value in school.headers.items() if school else ():
            connection.putheader(name, value)
        connection.putheader("Connection", "close")
        connection.endheaders(self.rfile.read(size) or None)
        with connection.getresponse() as response:
            self._pass_back(response)

    def _pass_back(self, response: http.client.HTTPResponse) -> None:
        head = [f"HTTP/1.1 {response.status} {response.reason}"]
        head += [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
        head += ["Connection: close", "", ""]
        self.wfile.write("\r\n".join(head).encode("latin-1", "replace"))
        _copy(response, self.wfile)


def _copy(source: http.client.HTTPResponse, sink: BufferedIOBase) -> None:
    left = MOST_BYTES_BACK
    while left > 0 and (chunk := source.read1(CHUNK)):
        sink.write(chunk)
        left -= len(chunk)


def _first_that_answers(host: str, port: int, addresses: Sequence[str]) -> socket.socket:
    """A connection to one of the addresses. Raises OSError."""
    failure = OSError(f"{host} has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            failure = error
    raise failure


def _target(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
