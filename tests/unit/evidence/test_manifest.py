"""The manifest names everything, and the same capture always gives the same bytes."""

import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest

from monitor.domain.evidence import CapturedFile, Grade
from monitor.domain.item import ItemRef
from monitor.evidence.manifest import Manifest, canonical_json
from monitor.evidence.page import Blocked, PageShot


def a_manifest(files: list[CapturedFile], shot: PageShot | None = None) -> Manifest:
    return Manifest(
        school="harrowby",
        case_id=17,
        item=ItemRef("x", "99"),
        revision="c11e616c3fde1d76",
        requested_url="https://x.com/a/status/99",
        captured_at=datetime(2026, 7, 14, 21, 41, 7, tzinfo=timezone(timedelta(hours=1))),
        product="Schoolwatch 0.1.0",
        browser="Chromium 156.0",
        grade=Grade.FULL,
        reason="the whole page",
        shot=shot,
        files=files,
    )


RECORD = CapturedFile(name="record.json", media_type="application/json", body=b"{}")
CARD = CapturedFile(name="card.html", media_type="text/html", body=b"<p>")


def test_each_file_is_named_with_its_type_size_and_hash() -> None:
    content = json.loads(a_manifest([RECORD, CARD]).as_file().body)
    assert content["files"] == [
        {"name": "card.html", "type": "text/html", "size": 3, "sha256": hashlib.sha256(b"<p>").hexdigest()},
        {"name": "record.json", "type": "application/json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()},
    ]


def test_the_order_of_files_does_not_change_the_hash() -> None:
    assert a_manifest([RECORD, CARD]).as_file() == a_manifest([CARD, RECORD]).as_file()


def test_one_changed_byte_changes_the_hash() -> None:
    changed = CapturedFile(name="record.json", media_type="application/json", body=b"[]")
    assert a_manifest([RECORD]).as_file().sha256 != a_manifest([changed]).as_file().sha256


def test_the_time_of_capture_is_utc() -> None:
    assert json.loads(a_manifest([]).as_file().body)["captured_at"] == "2026-07-14T20:41:07Z"


def test_what_the_page_was_refused_is_counted_and_listed() -> None:
    shot = PageShot(
        png=None,
        final_url="https://x.com/login",
        status=200,
        text_found=False,
        problem="",
        blocked=Blocked(media=3, sockets=1, addresses=("10.0.0.1:80",), more_addresses=2),
    )
    page = json.loads(a_manifest([], shot).as_file().body)["page"]
    assert page["final_url"] == "https://x.com/login"
    assert page["blocked"] == {
        "total": 7,
        "media": 3,
        "sockets": 1,
        "addresses": ["10.0.0.1:80"],
        "more_addresses": 2,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"text": "Ünïcode 🔪\n"}, '{"text":"Ünïcode 🔪\\n"}'),
        ({"half": "a\ud83db"}, '{"half":"a\\ud83db"}'),
    ],
)
def test_canonical_json_is_sorted_tight_and_utf_8(value: object, text: str) -> None:
    assert canonical_json(value).decode("utf-8") == text
    assert json.loads(canonical_json(value)) == value
