"""A school's own proxy on loopback: it knows every name, and leads all of them to one server."""

import http.client
import re
import select
import socket
import socketserver
import threading
from types import TracebackType


class SchoolProxy:
    """Passes each request on to 127.0.0.1:`port`, or answers `refuses` to all; notes first lines and logins."""

    def __init__(self, port: int = 0, *, refuses: int = 0) -> None:
        self.asked: list[str] = []
        self.logins: list[str] = []
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return
                    head += line
                first, _, rest = head.partition(b"\r\n")
                proxy.asked.append(first.decode())
                proxy.logins += re.findall(r"(?im)^proxy-authorization: *(.*?)\r$", rest.decode())
                if refuses:
                    self.wfile.write(f"HTTP/1.1 {refuses} {http.client.responses[refuses]}\r\n\r\n".encode())
                    return
                with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
                    if first.startswith(b"CONNECT "):
                        self.wfile.write(b"HTTP/1.1 200 OK\r\nVia: school\r\n\r\n")
                    else:
                        method, target, version = first.split(b" ")
                        path = b"/" + target.removeprefix(b"http://").partition(b"/")[2]
                        server.sendall(b" ".join([method, path, version]) + b"\r\n" + rest)
                    _carry(self.connection, server)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Whoever leaves in the middle of an answer is expected here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "SchoolProxy":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    ends = {one: other, other: one}
    while ready := select.select(list(ends), [], [], 10)[0]:
        for side in ready:
            chunk = side.recv(65536)
            if not chunk:
                return
            ends[side].sendall(chunk)
