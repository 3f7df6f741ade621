"""The school's own proxy, where that is the only way to the internet (RFC 9110, 9.3.6: CONNECT)."""

import base64
import http.client
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_CONNECT_SECONDS = 10.0
#: A proxy that wants a person to agree to something first, or to sign in, answers with a page.
_LONGEST_HEAD = 64 * 1024


class Upstream:
    """A proxy at `url` ("http://HOST:PORT"), which the school has configured: its own address is not vetted.

    `login` is "user:password", "" where it asks for none (RFC 7617). `headers` are for the proxy alone.
    """

    def __init__(self, url: str, login: str = "") -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        basic = base64.b64encode(login.encode()).decode()
        self.headers: Mapping[str, str] = {"Proxy-Authorization": f"Basic {basic}"} if login else {}

    def connect(self) -> socket.socket:
        """A connection to the proxy itself, for requests in absolute form. Raises OSError."""
        return socket.create_connection((self._host, self._port), timeout=_CONNECT_SECONDS)

    def tunnel(self, target: str) -> socket.socket:
        """A connection through the proxy to `target` ("host:port"). Raises OSError where the proxy makes none."""
        connection = self.connect()
        try:
            told = "".join(f"{name}: {value}\r\n" for name, value in {"Host": target, **self.headers}.items())
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\n{told}\r\n".encode("ascii"))
            _expect_success(connection, target)
        except (OSError, UnicodeError) as error:
            connection.close()
            raise OSError(f"the school's proxy makes no connection to {target}: {error}") from error
        return connection


def _expect_success(connection: socket.socket, target: str) -> None:
    """Read the answer's head and nothing after it: what follows is the other side's own."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte or len(head) >= _LONGEST_HEAD:
            raise OSError("its answer is none")
        head += byte
    status = head.split(b"\r\n", 1)[0].split(b" ")[1:2]
    if not status or not status[0].startswith(b"2"):
        told = status[0].decode("ascii", "replace")[:3] if status else ""
        reason = http.client.responses.get(int(told), "") if told.isdigit() else ""
        raise OSError(f"it answers {told} {reason}".rstrip())
