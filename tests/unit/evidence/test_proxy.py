"""The proxy reaches public addresses and the sandbox; everything else gets no connection at all."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from monitor.evidence.proxy import VettingProxy
from monitor.evidence.vetting import Resolver, is_public


class Site:
    """A server on loopback that remembers what it was asked."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.seen: list[dict[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.hits.append(f"{self.command} {self.path}")
                site.seen.append({name.lower(): value for name, value in self.headers.items()})
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"hello"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@contextmanager
def a_proxy(*allowed: str, resolve: Resolver | None = None) -> Iterator[VettingProxy]:
    proxy = VettingProxy(frozenset(allowed), resolve=resolve)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@contextmanager
def connection_to(proxy: VettingProxy) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def fetch(proxy: VettingProxy, url: str) -> bytes:
    with connection_to(proxy) as connection:
        connection.request("GET", url, headers={"Host": "x", "Proxy-Connection": "keep-alive"})
        return connection.getresponse().read()


def tunnel(proxy: VettingProxy, target: str) -> int:
    """The proxy's answer to CONNECT."""
    with connection_to(proxy) as connection:
        connection.request("CONNECT", target)
        return connection.getresponse().status


# fmt: off
NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::1", "2002:a00:1::", "2001:0:7f00:1::1",
]
# fmt: on


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_the_open_internet_does_not_route_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::808:808"])
def test_addresses_that_it_routes_are(address: str) -> None:
    assert is_public(address)


def test_the_sandbox_is_reached_where_it_is_allowed(site: Site) -> None:
    with a_proxy(f"127.0.0.1:{site.port}") as proxy:
        assert fetch(proxy, f"http://127.0.0.1:{site.port}/a?b=c") == b"hello"
        assert proxy.take_refused() == ((), 0)
    assert site.hits == ["GET /a?b=c"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "0x7f000001", "2130706433", "[::1]"]
)
def test_loopback_is_refused_by_whatever_name(site: Site, host: str) -> None:
    with a_proxy() as proxy:
        with pytest.raises(http.client.RemoteDisconnected):
            fetch(proxy, f"http://{host}:{site.port}/")
        assert tunnel(proxy, f"{host}:{site.port}") == 403
        listed, more = proxy.take_refused()
    assert listed == (f"{host.lower()}:{site.port}",) * 2
    assert more == 0
    assert site.hits == []


def test_another_port_of_the_sandboxs_host_is_refused(site: Site) -> None:
    with a_proxy("127.0.0.1:1") as proxy:
        assert tunnel(proxy, f"127.0.0.1:{site.port}") == 403


def test_a_name_with_one_public_and_one_private_address_is_refused(site: Site) -> None:
    with a_proxy(resolve=lambda host, port: ["93.184.215.14", "127.0.0.1"]) as proxy:
        assert tunnel(proxy, f"school.example:{site.port}") == 403
        assert proxy.take_refused() == ((f"school.example:{site.port}",), 0)
    assert site.hits == []


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(site: Site) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with a_proxy(f"rebind.example:{site.port}", resolve=resolve) as proxy:
        assert fetch(proxy, f"http://rebind.example:{site.port}/") == b"hello"
    assert asked == ["rebind.example"]


def test_a_name_that_does_not_resolve_is_no_refusal() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with a_proxy(resolve=resolve) as proxy:
        assert tunnel(proxy, "nowhere.example:443") == 502
        assert proxy.take_refused() == ((), 0)


@pytest.mark.parametrize("target", ["", ":443", "a:99999", "a:b", "[::1:443", "a" * 70 + ".example:443"])
def test_a_target_that_is_none_is_answered_and_harms_nothing(target: str, site: Site) -> None:
    with a_proxy(f"127.0.0.1:{site.port}") as proxy:
        with connection_to(proxy) as connection:
            connection.putrequest("CONNECT", target or "/", skip_host=True)
            connection.endheaders()
            assert connection.getresponse().status in (400, 403, 502)
        assert fetch(proxy, f"http://127.0.0.1:{site.port}/") == b"hello"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "/", "file:///etc/passwd", "http:///x"])
def test_only_absolute_http_addresses_are_passed_on(url: str) -> None:
    with a_proxy() as proxy, pytest.raises(http.client.RemoteDisconnected):
        fetch(proxy, url)


def test_a_tunnel_carries_bytes_both_ways(site: Site) -> None:
    with a_proxy(f"127.0.0.1:{site.port}") as proxy, connection_to(proxy) as connection:
        connection.set_tunnel("127.0.0.1", site.port)
        connection.request("POST", "/through", body=b"a" * 200_000)
        assert connection.getresponse().read() == b"a" * 200_000
    assert site.hits == ["POST /through"]


def test_a_body_is_passed_on_and_headers_for_the_proxy_are_not(site: Site) -> None:
    with a_proxy(f"127.0.0.1:{site.port}") as proxy, connection_to(proxy) as connection:
        connection.request(
            "POST",
            f"http://127.0.0.1:{site.port}/form",
            body=b"q=1",
            headers={"Proxy-Authorization": "Basic eDp5", "Accept-Language": "en-GB"},
        )
        response = connection.getresponse()
        assert response.read() == b"q=1"
        assert response.getheader("Connection") == "close"
    assert "proxy-authorization" not in site.seen[0]
    assert site.seen[0]["accept-language"] == "en-GB"


def test_a_second_request_on_one_connection_goes_nowhere(site: Site) -> None:
    """What is meant for one server must never reach another."""
    first = f"GET http://127.0.0.1:{site.port}/one HTTP/1.1\r\nHost: x\r\n\r\n"
    second = "GET http://10.0.0.1/two HTTP/1.1\r\nHost: y\r\n\r\n"
    with a_proxy(f"127.0.0.1:{site.port}") as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall((first + second).encode())
            while raw.recv(4096):
                pass
    assert site.hits == ["GET /one"]


def test_refusals_beyond_a_hundred_are_counted_and_not_listed() -> None:
    with a_proxy() as proxy:
        for port in range(1, 106):
            tunnel(proxy, f"127.0.0.1:{port}")
        listed, more = proxy.take_refused()
        assert (len(listed), more) == (100, 5)
        assert proxy.take_refused() == ((), 0)


def test_after_stopping_nothing_listens() -> None:
    with a_proxy() as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=2)
