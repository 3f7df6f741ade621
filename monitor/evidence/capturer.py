"""What is kept of one item: the platform's record, its card, the live page where it can be had, the manifest."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from monitor import __version__
from monitor.domain.clock import utc
from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Capture, CapturedFile, Grade, Subject
from monitor.evidence.card import render_card
from monitor.evidence.manifest import Manifest, canonical_json
from monitor.evidence.page import TALLEST, PageShot, Photographer

PRODUCT = f"Schoolwatch {__version__}"

_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """What came of the live page."""

    grade: Grade
    reason: str
    shot: PageShot | None = None


class PageCapturer:
    """A Capturer (monitor.domain.ports). Without a browser it keeps the record and the card as HTML.

    Files: record.json and card.html always; card.png and page.png with a browser; manifest.json last.
    """

    def __init__(self, browser: Photographer | None, *, product: str = PRODUCT) -> None:
        self._browser = browser
        self._product = product

    def capture(self, subject: Subject, now: datetime) -> Capture:
        """Keep everything that can be had of `subject`. Nothing about a page or the browser makes this fail."""
        item = subject.item
        card = render_card(subject)
        files = [
            CapturedFile(name="record.json", media_type="application/json", body=canonical_json(item.raw)),
            CapturedFile(name="card.html", media_type="text/html; charset=utf-8", body=card.encode()),
        ]
        live = self._live_page(subject)
        if live.shot is not None and live.shot.png is not None:
            files.append(_png("page.png", live.shot.png))
        reason = live.reason
        if self._browser is not None:
            try:
                files.append(_png("card.png", self._browser.render_html(card)))
            except CaptureError as error:
                reason += f"; the card is kept as HTML only: {error}"
        manifest = Manifest(
            school=subject.school,
            case_id=subject.case_id,
            item=item.ref,
            revision=item.revision,
            requested_url=item.url,
            captured_at=now,
            product=self._product,
            browser=self._browser.version if self._browser else None,
            grade=live.grade,
            reason=reason,
            shot=live.shot,
            files=files,
        )
        return Capture(files=(*files, manifest.as_file()), grade=live.grade, reason=reason, captured_at=utc(now))

    def _live_page(self, subject: Subject) -> _Live:
        """The live page first: it may be gone in a minute, while the record stays as it is."""
        url = subject.item.url
        if self._browser is None:
            return _no_page("no browser is installed here, so the live page was not photographed")
        if not url:
            return _no_page("the platform gave no address for this item")
        if not _is_web_address(url):
            return _no_page("its address is not a web address (http or https), so it was not opened")
        try:
            shot = self._browser.photograph_page(url, subject.item.text)
        except CaptureError as error:
            return _Live(grade=Grade.FAILED, reason=f"the live page was not photographed: {error}")
        grade, reason = judge(shot, subject.item.text)
        return _Live(grade=grade, reason=reason, shot=shot)


def judge(shot: PageShot, text: str) -> tuple[Grade, str]:
    """How good a picture of the live page is, and why in words. Full means: the item's own words are on it."""
    if shot.status in _GONE:
        return Grade.DELETED, f"the platform says that the page is gone (HTTP {shot.status})"
    if shot.png is None:
        reason = f"the live page was not photographed: {shot.problem}"
        if shot.blocked.addresses:
            reason += f"; it leads to addresses that are not public ({', '.join(shot.blocked.addresses[:3])})"
        return Grade.FAILED, reason
    shortfalls = []
    if not text.strip():
        shortfalls.append("the item has no text that could be looked for on the page")
    elif not shot.text_found:
        shortfalls.append("the item's text was not found on the page")
    if shot.cut:
        shortfalls.append(f"the page is longer than {TALLEST:,} pixels and the picture ends there")
    if shot.status is not None and shot.status >= 400:
        shortfalls.append(f"the platform answered with an error (HTTP {shot.status})")
    if shortfalls:
        return Grade.PARTIAL, "; ".join(shortfalls)
    return Grade.FULL, "the whole page, with the item's own text on it"


def _no_page(reason: str) -> _Live:
    return _Live(grade=Grade.RECORD_ONLY, reason=reason)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _png(name: str, body: bytes) -> CapturedFile:
    return CapturedFile(name=name, media_type="image/png", body=body)
