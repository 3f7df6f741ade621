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
from monitor.evidence.page import VIEWPORT, PageShot

NAME = "manifest.json"
FORMAT = "schoolwatch-manifest-1"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a stranger needs to know of one capture; the files are named, never contained.

    `shot` is None where no live page was opened; `browser` and `product` are names with versions.
    """

    school: str
    case_id: int
    item: ItemRef
    revision: str
    requested_url: str
    captured_at: datetime
    product: str
    browser: str | None
    grade: Grade
    reason: str
    shot: PageShot | None
    files: Sequence[CapturedFile]

    def as_file(self) -> CapturedFile:
        """The manifest as the capture's last file."""
        return CapturedFile(name=NAME, media_type="application/json", body=canonical_json(self._content()))

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "school": self.school,
            "case": self.case_id,
            "item": {"platform": self.item.platform, "id": self.item.id},
            "revision": self.revision,
            "requested_url": self.requested_url,
            "captured_at": format_instant(self.captured_at),
            "operator": "automatic",
            "product": self.product,
            "browser": self.browser,
            "grade": self.grade.value,
            "reason": self.reason,
            "page": None if self.shot is None else _page(self.shot),
            "files": [
                {"name": file.name, "type": file.media_type, "size": len(file.body), "sha256": file.sha256}
                for file in sorted(self.files, key=lambda file: file.name)
            ],
        }


def _page(shot: PageShot) -> dict[str, Any]:
    blocked = shot.blocked
    return {
        "final_url": shot.final_url,
        "http_status": shot.status,
        "certificate_signed_by": shot.signed_by or None,
        "viewport": list(VIEWPORT),
        "blocked": {
            "total": blocked.total,
            "media": blocked.media,
            "sockets": blocked.sockets,
            "addresses": list(blocked.addresses),
            "more_addresses": blocked.more_addresses,
        },
    }


def canonical_json(value: object) -> bytes:
    """`value` as JSON with sorted keys, no spaces, UTF-8: the same value always gives the same bytes.

    Halves of surrogate pairs, which platforms do send and UTF-8 cannot hold, stay written as \\udxxx.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
