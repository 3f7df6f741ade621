"""Evidence: what is kept of an escalated item (P5)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.domain.item import Item


class Grade(StrEnum):
    """How much of the live page a capture holds. The platform's record and its card are always there."""

    FULL = "full"
    PARTIAL = "partial"
    DELETED = "deleted"
    RECORD_ONLY = "record_only"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFile:
    """One file of a capture, as bytes."""

    name: str
    media_type: str
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What a capturer brings back: the files, how good the live page is, and why."""

    files: tuple[CapturedFile, ...]
    grade: Grade
    reason: str
    captured_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """One file in the vault."""

    name: str
    media_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One capture of one revision of a case's item. `captured_at` is None while it is still wanted."""

    id: int
    case_id: int
    item_id: int
    revision: str
    wanted_at: datetime
    attempts: int
    captured_at: datetime | None
    grade: Grade | None
    reason: str
    manifest_sha256: str | None
    files: tuple[EvidenceFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a capture is made of: the item, the items above it (topmost first), and how the school writes time."""

    school: str
    timezone: str
    item: Item
    thread: tuple[Item, ...]
    detected_at: datetime
    case_id: int
