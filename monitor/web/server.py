"""The desk's web server, in a thread of its own beside the stages."""

import errno
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from monitor.domain.errors import ConfigError

_START_SECONDS, _STOP_SECONDS = 15.0, 8.0


class DeskServer:
    """Serves `app` on `host`:`port`; port 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                # The desk asks for the Host it was called by; what a proxy says of it is not taken on trust.
                proxy_headers=False,
                timeout_graceful_shutdown=3,
                limit_concurrency=200,
            )
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the desk."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
        host = everywhere.get(self._host) or (f"[{self._host}]" if ":" in self._host else self._host)
        return f"http://{host}:{self._port}"

    def start(self) -> None:
        """Return once the desk answers. Raises ConfigError where the address cannot be had."""
        listening = _listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="desk", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ConfigError(f"the desk did not start on {self.url}; the log says why")
            time.sleep(0.01)

    def stop(self) -> None:
        """Finish what is being answered and stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} on {host} is taken by another program: stop that one, or give the desk another "
                "address with --listen"
            ) from error
        raise ConfigError(f"the desk cannot listen on {host}, port {port}: {error}") from error
