"""What is kept of an item and how it is graded, whatever the browser brings back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Capture, Grade, Subject
from monitor.evidence.capturer import PageCapturer
from monitor.evidence.page import TALLEST, Blocked, PageShot

MakeSubject = Callable[..., Subject]
NOW = datetime(2026, 7, 14, 20, 46, tzinfo=UTC)


def png(height: int = 900) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (1280).to_bytes(4, "big") + height.to_bytes(4, "big")


class Camera:
    """A Photographer that brings back what it was given."""

    def __init__(self, shot: PageShot | None = None, card: bytes | None = b"card") -> None:
        self.version: str | None = "Chromium 156.0"
        self.opened: list[tuple[str, str]] = []
        self._shot = shot
        self._card = card

    def photograph_page(self, url: str, expect_text: str) -> PageShot:
        self.opened.append((url, expect_text))
        if self._shot is None:
            raise CaptureError("The browser hung and had to be given up")
        return self._shot

    def render_html(self, html: str) -> bytes:
        if self._card is None:
            raise CaptureError("The browser stopped")
        return self._card


def a_shot(
    *,
    image: bytes | None = None,
    status: int | None = 200,
    found: bool = True,
    problem: str = "",
    refused: tuple[str, ...] = (),
) -> PageShot:
    return PageShot(
        png=image,
        final_url="https://www.facebook.com/1002/posts/7",
        status=status,
        text_found=found,
        problem=problem,
        blocked=Blocked(addresses=refused),
    )


def names(capture: Capture) -> list[str]:
    return [file.name for file in capture.files]


def manifest(capture: Capture) -> dict[str, object]:
    content: dict[str, object] = json.loads(capture.files[-1].body)
    return content


def test_a_page_that_shows_the_items_text_is_full(make_subject: MakeSubject) -> None:
    camera = Camera(a_shot(image=png()))
    subject = make_subject()
    capture = PageCapturer(camera).capture(subject, NOW)
    assert capture.grade is Grade.FULL
    assert names(capture) == ["record.json", "card.html", "page.png", "card.png", "manifest.json"]
    assert camera.opened == [(subject.item.url, subject.item.text)]
    assert capture.captured_at == NOW


def test_the_record_is_what_the_platform_sent(make_subject: MakeSubject) -> None:
    raw = {"z": 1, "a": {"text": "half \ud83d of a pair", "list": [None, 1.5]}}
    capture = PageCapturer(None).capture(make_subject(raw=raw), NOW)
    assert json.loads(capture.files[0].body) == raw


def test_the_manifest_covers_every_other_file(make_subject: MakeSubject) -> None:
    capture = PageCapturer(Camera(a_shot(image=png()))).capture(make_subject(), NOW)
    kept = {file.name: file.sha256 for file in capture.files[:-1]}
    listed = manifest(capture)["files"]
    assert isinstance(listed, list)
    assert {file["name"]: file["sha256"] for file in listed} == kept


@pytest.mark.parametrize(
    ("shot", "grade", "reason"),
    [
        (a_shot(image=png(), found=False), Grade.PARTIAL, "the item's text was not found on the page"),
        (a_shot(image=png(TALLEST)), Grade.PARTIAL, "longer than 20,000 pixels"),
        (a_shot(image=png(), status=403), Grade.PARTIAL, "HTTP 403"),
        (a_shot(image=png(), status=404), Grade.DELETED, "HTTP 404"),
        (a_shot(image=None, status=410), Grade.DELETED, "HTTP 410"),
        (a_shot(problem="it did not finish within 15 seconds"), Grade.FAILED, "did not finish within 15 seconds"),
        (a_shot(status=None, refused=("10.0.0.1:80",)), Grade.FAILED, "not public (10.0.0.1:80)"),
    ],
)
def test_a_page_is_graded_by_what_it_shows(
    make_subject: MakeSubject, shot: PageShot, grade: Grade, reason: str
) -> None:
    capture = PageCapturer(Camera(shot)).capture(make_subject(), NOW)
    assert capture.grade is grade
    assert reason in capture.reason
    assert (manifest(capture)["grade"], manifest(capture)["reason"]) == (grade.value, capture.reason)
    assert {"record.json", "card.html", "card.png"} <= set(names(capture))
    assert ("page.png" in names(capture)) == (shot.png is not None)


def test_an_item_without_text_is_never_full(make_subject: MakeSubject) -> None:
    capture = PageCapturer(Camera(a_shot(image=png(), found=True))).capture(make_subject(text=" \n"), NOW)
    assert capture.grade is Grade.PARTIAL


def test_without_a_browser_record_and_card_are_kept(make_subject: MakeSubject) -> None:
    capture = PageCapturer(None).capture(make_subject(), NOW)
    assert capture.grade is Grade.RECORD_ONLY
    assert "no browser" in capture.reason
    assert names(capture) == ["record.json", "card.html", "manifest.json"]
    assert manifest(capture)["browser"] is None


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://a/b", "http://", "http://[::1"],
)
def test_only_web_addresses_are_opened(make_subject: MakeSubject, url: str) -> None:
    camera = Camera(a_shot(image=png()))
    capture = PageCapturer(camera).capture(make_subject(url=url), NOW)
    assert camera.opened == []
    assert capture.grade is Grade.RECORD_ONLY
    assert "card.png" in names(capture)


def test_a_browser_that_cannot_be_had_costs_the_pictures_only(make_subject: MakeSubject) -> None:
    capture = PageCapturer(Camera(shot=None, card=None)).capture(make_subject(), NOW)
    assert capture.grade is Grade.FAILED
    assert "The browser hung" in capture.reason
    assert "the card is kept as HTML only" in capture.reason
    assert names(capture) == ["record.json", "card.html", "manifest.json"]
