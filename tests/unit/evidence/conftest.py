"""A comment that has everything a card or capture must cope with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.domain.evidence import Subject
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef

WRITTEN = datetime(2026, 7, 14, 20, 41, 7, tzinfo=UTC)

MakeSubject = Callable[..., Subject]


@pytest.fixture
def make_subject() -> MakeSubject:
    """Builds a Subject; keyword arguments replace fields of its item, `thread` gives the items above."""

    def make(thread: tuple[Item, ...] = (), **fields: Any) -> Subject:
        item: dict[str, Any] = {
            "ref": ItemRef("facebook", "1002_7"),
            "channel": Channel.OFFICIAL,
            "kind": ItemKind.COMMENT,
            "author": Author(id="31", handle="dan.w", display_name="Dan W"),
            "text": "He had better watch his back on Friday",
            "url": "https://www.facebook.com/1002/posts/7",
            "published_at": WRITTEN,
            "raw": {"id": "1002_7", "message": "He had better watch his back on Friday"},
        }
        return Subject(
            school="Harrowby Road Academy",
            timezone="Europe/London",
            item=Item(**(item | fields)),
            thread=thread,
            detected_at=datetime(2026, 7, 14, 20, 45, tzinfo=UTC),
            case_id=17,
        )

    return make
