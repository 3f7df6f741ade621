"""The browser's only way out: a forward proxy that connects to public addresses and to nothing else.

A page may lead the browser anywhere: by a redirect, a frame, a script, a name that resolves to the school's own
network. Guards inside the browser do not see redirects (FACTS 3), so every connection is vetted here: the name is
resolved once, each of its addresses must be public, and the connection goes to an address that was vetted, so
that a name which changes its mind between two look-ups gains nothing.
"""

import http.client
import ipaddress
import logging
import select
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from urllib.parse import SplitResult, urlsplit

from monitor.domain.errors import MonitorError

_log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 30.0
_CHUNK = 64 * 1024
#: More than any page of text needs; a body without end must not fill the memory.
_MOST_BYTES_BACK = 64 * 1024 * 1024
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
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

#: Every address of a host name and port; raises OSError where it has none.
Resolver = Callable[[str, int], Sequence[str]]


class NotPublic(MonitorError):
    """The address is not a public one."""

    permanent = True


class VettingProxy:
    """A proxy on loopback, for plain HTTP and for CONNECT, from `start()` until `stop()`.

    `allow` holds the "host:port" pairs, as a URL names them, that may be reached though they are not public: the
    sandbox of the demo and of the tests, and nothing else.
    """

    def __init__(self, allow: frozenset[str] = frozenset(), *, resolve: Resolver | None = None) -> None:
        self._allow = allow
        self._resolve = resolve or resolve_name
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
        """A connection to a vetted address of `host`. Raises NotPublic, and OSError where nothing answers."""
        try:
            addresses = self._resolve(host, port)
        except UnicodeError as error:  # what the idna codec says of a label that is no label
            raise OSError(f"{host[:80]!r} is not a host name") from error
        target = _target(host, port)
        if target not in self._allow and not all(is_public(address) for address in addresses):
            self._note_refused(target)
            raise NotPublic(f"{target} is not on a public address")
        failure = OSError(f"{host} has no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
            except OSError as error:
                failure = error
        raise failure

    def _note_refused(self, target: str) -> None:
        with self._lock:
            self._refused_count += 1
            if len(self._refused) < _MOST_LISTED:
                self._refused.append(target)


def resolve_name(host: str, port: int) -> list[str]:
    """Every address of `host`. Raises OSError where the name does not resolve."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def is_public(address: str) -> bool:
    """Whether `address` is one that the open internet routes.

    An IPv4 address behind NAT64 is judged as itself; other ways to dress up an IPv4 address (mapped, 6to4,
    Teredo) are nobody's honest address and not public.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


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
    timeout = _IDLE_SECONDS

    def do_CONNECT(self) -> None:
        try:
            target = urlsplit(f"//{self.path}")
            upstream = self.server.proxy.connect(target.hostname or "", target.port or 443)
        except NotPublic:
            self._answer(403)
        except (OSError, ValueError):
            self._answer(502)
        else:
            with upstream:
                self._answer(200)
                _tunnel(self.connection, upstream)

    def do_GET(self) -> None:
        """Pass on a plain HTTP request. Where that is refused or fails, hang up: a page of ours would be
        photographed as though it were the platform's."""
        try:
            target = urlsplit(self.path)
            if target.scheme != "http" or not target.hostname:
                return
            upstream = self.server.proxy.connect(target.hostname, target.port or 80)
            with upstream:
                self._pass_on(target, upstream)
        except (NotPublic, OSError, ValueError, http.client.HTTPException):
            return
        finally:
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: addresses of pages are evidence, not log lines."""

    def _answer(self, status: int) -> None:
        reason = http.client.responses[status]
        self.wfile.write(f"HTTP/1.1 {status} {reason}\r\n\r\n".encode())
        self.close_connection = True

    def _pass_on(self, target: SplitResult, upstream: socket.socket) -> None:
        upstream.settimeout(_IDLE_SECONDS)
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= _MOST_BYTES_OUT:
            return
        connection = http.client.HTTPConnection("", timeout=_IDLE_SECONDS)
        connection.sock = upstream
        path = f"{target.path or '/'}{'?' + target.query if target.query else ''}"
        connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
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
    left = _MOST_BYTES_BACK
    while left > 0 and (chunk := source.read1(_CHUNK)):
        sink.write(chunk)
        left -= len(chunk)


def _tunnel(client: socket.socket, upstream: socket.socket) -> None:
    """Carry bytes both ways until one side ends, nothing moves for a while, or more came than a page needs."""
    other = {client: upstream, upstream: client}
    left = _MOST_BYTES_BACK
    while left > 0:
        ready, _, _ = select.select([client, upstream], [], [], _IDLE_SECONDS)
        if not ready:
            return
        for side in ready:
            chunk = side.recv(_CHUNK)
            if not chunk:
                return
            other[side].sendall(chunk)
            left -= len(chunk)


def _target(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
