"""The desk's own web server."""

import socket
import urllib.request

import pytest

from monitor.domain.errors import ConfigError
from monitor.web.server import DeskServer


async def _app(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})  # type: ignore[operator]


def test_it_answers_as_soon_as_it_has_started_and_no_longer_once_stopped() -> None:
    server = DeskServer(_app, "127.0.0.1", 0)
    server.start()
    assert urllib.request.urlopen(server.url).read() == b"127.0.0.1"
    server.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(server.url)


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is taken by another program.*--listen"):
            DeskServer(_app, "127.0.0.1", port).start()


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 203\.0\.113\.7, port 8080"):
        DeskServer(_app, "203.0.113.7", 8080).start()


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")])
def test_its_address_is_one_that_a_browser_here_can_open(host: str, url: str) -> None:
    assert DeskServer(_app, host, 80).url == url


def test_what_a_proxy_says_of_a_client_is_not_taken_on_trust() -> None:
    server = DeskServer(_app, "127.0.0.1", 0)
    server.start()
    request = urllib.request.Request(server.url, headers={"X-Forwarded-For": "203.0.113.9"})
    assert urllib.request.urlopen(request).read() == b"127.0.0.1"
    server.stop()
