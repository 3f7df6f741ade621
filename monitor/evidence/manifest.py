"""The manifest: what a capture consists of, and how it came about, in one form of words that hashes the same."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.domain.clock import format_instant
from monitor.domain.evidence import CapturedFile, Grade
from monitor.domain.item import ItemRef

NAME = "manifest.json"
FORMAT = "schoolwatch-manifest-1"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """What a page asked for and did not get.

    `media` counts images, films, sounds and fonts, `sockets` web sockets; `addresses` are the refused attempts to
    reach addresses that are not public, as "host:port (reason)", and `more_addresses` counts those not listed.
    """

    media: int = 0
    sockets: int = 0
    addresses: tuple[str, ...] = ()
    more_addresses: int = 0

    @property
    def total(self) -> int:
        return self.media + self.sockets + len(self.addresses) + self.more_addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """How the live page was had. `viewport` is width and height in CSS pixels, `status` the HTTP status."""

    final_url: str | None = None
    status: int | None = None
    browser: str | None = None
    viewport: tuple[int, int] | None = None
    blocked: Blocked = Blocked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a stranger needs to know of one capture; the files are named, never contained."""

    school: str
    case_id: int
    item: ItemRef
    revision: str
    requested_url: str
    captured_at: datetime
    product: str
    grade: Grade
    reason: str
    page: PageFacts
    files: Sequence[CapturedFile]

    def as_file(self) -> CapturedFile:
        """The manifest as the capture's last file."""
        return CapturedFile(name=NAME, media_type="application/json", body=canonical_json(self._content()))

    def _content(self) -> dict[str, Any]:
        page = self.page
        return {
            "format": FORMAT,
            "school": self.school,
            "case": self.case_id,
            "item": {"platform": self.item.platform, "id": self.item.id},
            "revision": self.revision,
            "requested_url": self.requested_url,
            "final_url": page.final_url,
            "http_status": page.status,
            "captured_at": format_instant(self.captured_at),
            "operator": "automatic",
            "product": self.product,
            "browser": page.browser,
            "viewport": None if page.viewport is None else list(page.viewport),
            "grade": self.grade.value,
            "reason": self.reason,
            "blocked": {
                "total": page.blocked.total,
                "media": page.blocked.media,
                "sockets": page.blocked.sockets,
                "addresses": list(page.blocked.addresses),
                "more_addresses": page.blocked.more_addresses,
            },
            "files": [
                {"name": file.name, "type": file.media_type, "size": len(file.body), "sha256": file.sha256}
                for file in sorted(self.files, key=lambda file: file.name)
            ],
        }


def canonical_json(value: object) -> bytes:
    """`value` as JSON with sorted keys, no spaces, UTF-8: the same value always gives the same bytes.

    Halves of surrogate pairs, which platforms do send and UTF-8 cannot hold, stay written as \\udxxx.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
