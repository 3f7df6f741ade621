"""The browser that photographs pages: Chromium in a jail, run from one thread of its own.

A page that is photographed is hostile. It reaches the network through the vetting proxy alone, gets no image,
film, sound, font, web socket, service worker or download, starts from an empty profile, and has a few seconds; if
it hangs or crashes the browser, that one photograph fails and the next use starts a fresh browser.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Playwright, sync_playwright

from monitor.domain.errors import CaptureError
from monitor.evidence.find_browser import driver_problem
from monitor.evidence.interception import Interception
from monitor.evidence.page import PageShot
from monitor.evidence.photograph import draw, easel, photograph
from monitor.evidence.proxy import VettingProxy
from monitor.evidence.upstream import Upstream

_LAUNCH_SECONDS = 30.0
#: What a job may overrun its limit by before the browser is killed.
_GRACE_SECONDS = 5.0
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--js-flags=--max-old-space-size=512",  # MiB
    # Images, inline ones too, are neither fetched nor drawn.
    "--blink-settings=imagesEnabled=false",
    # No datagram and no name look-up goes past the proxy.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)

T = TypeVar("T")


class Browser:
    """A browser that starts at first use, stays warm, and goes away after `idle_seconds` without work.

    Safe to use from any thread; jobs are done one after the other. `allow` holds the "host:port" pairs of the
    sandbox (see VettingProxy). `upstream` is the school's own proxy; `certificates` is a file with the authorities
    to trust in place of the usual ones. `sandbox` is Chromium's own jail; the default is to use it unless run as
    root, where it cannot start.
    """

    def __init__(
        self,
        executable: Path,
        *,
        allow: frozenset[str] = frozenset(),
        upstream: Upstream | None = None,
        certificates: Path | None = None,
        page_seconds: float = 15.0,
        idle_seconds: float = 120.0,
        sandbox: bool | None = None,
    ) -> None:
        self.sandbox = os.geteuid() != 0 if sandbox is None else sandbox
        #: Name and version, known once it has run.
        self.version: str | None = None
        self._executable = executable
        self._allow = allow
        self._upstream = upstream
        self._certificates = certificates
        self._page_seconds = page_seconds
        self._idle_seconds = idle_seconds
        self._one_at_a_time = threading.Lock()
        self._session: _Session | None = None
        self._idle: threading.Timer | None = None

    def photograph_page(self, url: str, expect_text: str) -> PageShot:
        """The page at `url` (http or https) as it is now, and whether a reader finds `expect_text` on it.

        What goes wrong with the page is told in the answer; raises CaptureError where no browser can be had.
        """

        def job(session: "_Session") -> PageShot:
            session.proxy.take_refused()  # leftovers of an earlier page
            shot = photograph(session.chromium, url, expect_text, self._page_seconds)
            refused, more = session.proxy.take_refused()
            if session.proxy.interception and shot.signed_by:
                # The browser saw ours.
                shot = replace(shot, signed_by=session.proxy.interception.signer_of(shot.final_url))
            return replace(shot, blocked=replace(shot.blocked, addresses=refused, more_addresses=more))

        return self._do(job)

    def render_html(self, html: str) -> bytes:
        """A PNG of a page of our own making, drawn without scripts and without a network. Raises CaptureError."""
        return self._do(lambda session: draw(session.easel, html, self._page_seconds))

    def close(self) -> None:
        """Stop the browser, if it runs. It starts again when it is used again."""
        with self._one_at_a_time:
            if self._idle is not None:
                self._idle.cancel()
            self._drop_session()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, job: "Callable[[_Session], T]") -> T:
        with self._one_at_a_time:
            if self._idle is not None:
                self._idle.cancel()
            try:
                return self._try(job, again=self._session is not None)
            finally:
                self._idle = threading.Timer(self._idle_seconds, self.close)
                self._idle.daemon = True
                self._idle.start()

    def _try(self, job: "Callable[[_Session], T]", *, again: bool) -> T:
        """Run `job`; `again` in a new browser where the warm one turns out to have died since its last job."""
        try:
            return self._run(job)
        except PlaywrightError as error:
            self._drop_session()
            if not again:
                raise CaptureError(f"The browser stopped: {_first_line(error)}") from error
        return self._try(job, again=False)

    def _run(self, job: "Callable[[_Session], T]") -> T:
        """What the job returns. A browser that does not keep to its own limits is killed, which ends the job."""
        if self._session is None:
            self._session = _Session(self._executable, self._proxy(), self.sandbox)
            self.version = self._session.version
        session = self._session
        future = session.submit(job)
        try:
            return future.result(self._page_seconds + _GRACE_SECONDS)
        except TimeoutError:
            session.kill()
        try:
            return future.result(_GRACE_SECONDS)
        except TimeoutError:
            self._drop_session()  # its thread may be lost; the next use gets another
            raise CaptureError("The browser hung and had to be given up") from None

    def _proxy(self) -> VettingProxy:
        return VettingProxy(
            self._allow,
            upstream=self._upstream,
            interception=Interception(self._certificates) if self._certificates else None,
        )

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


class _Session:
    """One run of Chromium, of its driver and of the proxy, and the only thread that may speak to them."""

    chromium: Chromium
    easel: Page
    version: str

    def __init__(self, executable: Path, proxy: VettingProxy, sandbox: bool) -> None:
        self._executable = executable
        self._sandbox = sandbox
        self._playwright: Playwright | None = None
        self._pid: int | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="browser")
        self.proxy = proxy
        self.proxy.start()
        try:
            self._thread.submit(self._open).result(_LAUNCH_SECONDS + _GRACE_SECONDS)
        except (PlaywrightError, OSError) as error:  # OSError: the driver is missing, or hung (TimeoutError)
            self.close()
            raise CaptureError(f"{executable} does not start as a browser: {_why_no_start(error)}") from error

    def submit(self, job: "Callable[[_Session], T]") -> "Future[T]":
        return self._thread.submit(job, self)

    def kill(self) -> None:
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop everything, politely first."""
        try:
            self._thread.submit(self._shut).result(_GRACE_SECONDS)
        except (PlaywrightError, TimeoutError):
            self.kill()
        self._thread.shutdown(wait=False)
        self.proxy.stop()

    def _open(self) -> None:
        if problem := driver_problem():
            raise OSError(problem)
        self._playwright = sync_playwright().start()
        self.chromium = self._playwright.chromium.launch(
            executable_path=self._executable,
            args=self._flags(),
            chromium_sandbox=self._sandbox,
            proxy={"server": self.proxy.url, "bypass": "<-loopback>"},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=_LAUNCH_SECONDS * 1000,
        )
        self.version = f"Chromium {self.chromium.version}"
        inside = self.chromium.new_browser_cdp_session()
        processes = inside.send("SystemInfo.getProcessInfo")["processInfo"]
        self._pid = next(int(process["id"]) for process in processes if process["type"] == "browser")
        inside.detach()
        self.easel = easel(self.chromium)

    def _flags(self) -> list[str]:
        if self.proxy.interception is None:
            return list(_FLAGS)
        return [*_FLAGS, f"--ignore-certificate-errors-spki-list={self.proxy.interception.fingerprint}"]

    def _shut(self) -> None:
        """Stopping the driver stops the Chromium that it started."""
        if self._playwright is not None:
            self._playwright.stop()


def _why_no_start(error: Exception) -> str:
    if "No usable sandbox" in str(error):
        return "Chromium's own sandbox is not available to this user; allow user namespaces or turn it off"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
