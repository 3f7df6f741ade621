"""What happens inside the browser for one picture. Runs in the browser's own thread."""

import re
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Frame, Page, Response, Route, WebSocketRoute
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from monitor.evidence.page import TALLEST, VIEWPORT, Blocked, PageShot

CARD_VIEWPORT = (820, 200)

#: How long a page that has loaded may take to show the text that is looked for.
_SETTLE_SECONDS = 3.0
_LOOK_AGAIN_SECONDS = 0.2

#: Everything else is refused: images, films, sounds, fonts, prefetches, pings, icons (FACTS 3).
_FETCHED = frozenset({"document", "stylesheet", "script", "xhr", "fetch"})
#: What names itself a picture, film or sound is refused even where a script or a frame asks for it.
_MEDIA_NAME = re.compile(
    r"\.(apng|avif|bmp|gif|heic|ico|jfif|jpe?g|jxl|png|svgz?|tiff?|webp|"
    r"3gp|avi|flv|m3u8|m4[asv]|mkv|mov|mp[34]|mpe?g|mpd|og[agv]|opus|wav|web[am])$",
    re.IGNORECASE,
)
_READABLE = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
_NET_ERROR = re.compile(r"net::(ERR_[A-Z0-9_]+)")


@dataclass
class _Gate:  # no slots: Playwright hangs its wrappers on the owner of a handler
    """Lets a page fetch what its words need, and counts the rest."""

    media: int = 0
    sockets: int = 0

    def guard(self, context: BrowserContext) -> None:
        context.route(re.compile(""), self._on_request)
        context.route_web_socket(re.compile(""), self._on_socket)

    def _on_request(self, route: Route) -> None:
        asked = route.request
        with suppress(PlaywrightError):  # the page may be gone by now
            path = asked.url.partition("#")[0].partition("?")[0]
            if asked.resource_type in _FETCHED and not _MEDIA_NAME.search(path):
                route.continue_()
            else:
                self.media += 1
                route.abort("blockedbyclient")

    def _on_socket(self, socket: WebSocketRoute) -> None:
        self.sockets += 1
        with suppress(PlaywrightError):
            socket.close(reason="refused")


class _Clock:
    """What is left of a photograph's time, in the milliseconds that the browser's calls take."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self, at_most: float | None = None) -> float:
        seconds = self.end - time.monotonic()
        if at_most is not None:
            seconds = min(seconds, at_most)
        return max(1.0, seconds * 1000)  # 0 would mean no limit at all


def photograph(chromium: Chromium, url: str, expect_text: str, seconds: float) -> PageShot:
    """Open `url` in an empty profile and take its picture, whatever the page does about it, within `seconds`."""
    gate = _Gate()
    clock = _Clock(seconds)
    response: Response | None = None
    png, found, problem, final_url, signed_by = None, False, "", url, ""
    context = chromium.new_context(
        viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]},
        service_workers="block",
        accept_downloads=False,
        locale="en-GB",
        reduced_motion="reduce",
    )
    try:
        gate.guard(context)
        page = context.new_page()
        context.on("page", _close_popup)
        response = page.goto(url, wait_until="domcontentloaded", timeout=clock.left())
        final_url = page.url
        signed_by = _signer(response)
        problem = _why_not_a_page(response)
        if not problem:
            found = _wait_for(page, expect_text, clock)
            png = _picture(page, VIEWPORT[0], clock)
            final_url = page.url
    except PlaywrightTimeout:
        problem = f"it did not finish within {seconds:g} seconds"
    except PlaywrightError as error:
        problem = _in_words(error)
    finally:
        with suppress(PlaywrightError):
            context.close()
    return PageShot(
        png=png,
        final_url=final_url,
        status=response.status if response else None,
        text_found=found,
        problem=problem,
        blocked=Blocked(media=gate.media, sockets=gate.sockets),
        signed_by=signed_by,
    )


def easel(chromium: Chromium) -> Page:
    """A page to draw our own cards on, one after the other: it runs no script and has no network."""
    width, height = CARD_VIEWPORT
    context = chromium.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=False, offline=True
    )
    return context.new_page()


def draw(page: Page, html: str, seconds: float) -> bytes:
    """The picture of `html` on an easel. Raises PlaywrightError."""
    clock = _Clock(seconds)
    page.set_content(html, timeout=clock.left())
    return _picture(page, CARD_VIEWPORT[0], clock)


def contains(page_text: str, text: str) -> bool:
    """Whether `text` stands in `page_text` as words of its own, however either breaks its lines."""
    wanted = _normal(text)
    if not wanted:
        return False
    before = r"(?<!\w)" if wanted[0].isalnum() else ""
    after = r"(?!\w)" if wanted[-1].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, _normal(page_text)) is not None


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _wait_for(page: Page, text: str, clock: _Clock) -> bool:
    """Let the page load, and a little longer while it does not show `text` yet."""
    settle = _Clock(min(_SETTLE_SECONDS, clock.left() / 1000))
    with suppress(PlaywrightTimeout):
        page.wait_for_load_state("load", timeout=settle.left())
    while True:
        if any(contains(_text_of(frame, clock), text) for frame in page.frames):
            return True
        if not _normal(text) or time.monotonic() >= settle.end:
            return False
        page.wait_for_timeout(_LOOK_AGAIN_SECONDS * 1000)


def _text_of(frame: Frame, clock: _Clock) -> str:
    """What a reader sees of a frame's text; nothing where the frame does not answer."""
    try:
        return frame.locator("body").inner_text(timeout=clock.left(at_most=_SETTLE_SECONDS))
    except PlaywrightError:
        return ""


def _picture(page: Page, width: int, clock: _Clock) -> bytes:
    return page.screenshot(
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": TALLEST},
        animations="disabled",
        timeout=clock.left(),
    )


def _close_popup(popup: Page) -> None:
    with suppress(PlaywrightError):
        popup.close()


def _signer(response: Response | None) -> str:
    details = response.security_details() if response else None
    return (details.get("issuer") or "") if details else ""


def _why_not_a_page(response: Response | None) -> str:
    if response is None:
        return "the address led to no page"
    media_type = response.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    return "" if media_type in _READABLE else f"it is no page but {media_type[:60]}"


def _in_words(error: PlaywrightError) -> str:
    """Why a page could not be opened, for a reader who knows no browser's insides."""
    message = error.message
    code = _NET_ERROR.search(message)
    if "Download is starting" in message:
        return "it is a download, not a page"
    if code is None:
        return "the browser stopped while the page was open"
    if code[1] == "ERR_BLOCKED_BY_CLIENT":
        return "it is an image, film or sound, which are never fetched"
    if "CERT" in code[1]:
        return f"its certificate is not valid ({code[1]})"
    return f"it could not be reached ({code[1]})"
