"""A case: one item that somebody has to do something about, and its append-only history."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.domain.clock import format_instant
from monitor.domain.deadline import Deadline
from monitor.domain.errors import TransitionError
from monitor.domain.verdict import Action, Expects


class CaseStatus(StrEnum):
    """Where a case stands. A breach is computed from its deadline, never a status."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    CLOSED = "closed"


class Decision(StrEnum):
    """What a person decided."""

    REPLIED = "replied"
    ACKNOWLEDGED = "acknowledged"
    HIDDEN = "hidden"
    DELETED = "deleted"
    REPORTED = "reported"
    REFERRED = "referred"
    NO_ACTION = "no_action"
    GLANCED = "glanced"


#: From -> the statuses that may follow.
TRANSITIONS: Mapping[CaseStatus, frozenset[CaseStatus]] = {
    CaseStatus.OPEN: frozenset({CaseStatus.ACKNOWLEDGED, CaseStatus.ANSWERED, CaseStatus.CLOSED}),
    CaseStatus.ACKNOWLEDGED: frozenset({CaseStatus.ANSWERED, CaseStatus.CLOSED}),
    CaseStatus.ANSWERED: frozenset({CaseStatus.CLOSED, CaseStatus.OPEN}),
    CaseStatus.CLOSED: frozenset({CaseStatus.OPEN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One obligation, for one item (FACTS 1.2). All times UTC.

    `told` are the roles told at once so far; `raises` counts how often an edit or a second reading made it
    worse. `level` counts the ladder's steps already taken and `next_step_at` says when somebody must be told next.
    `answered_at` is the platform's time of the answer. `found_late`: the item was detected only after its deadline.
    """

    id: int
    school: str
    item_id: int
    action: Action
    severity: int
    rank: int
    status: CaseStatus
    expects: Expects
    rules: tuple[str, ...]
    tell: tuple[str, ...]
    visible_to: tuple[str, ...] | None
    accused: tuple[str, ...]
    opened_at: datetime
    deadline: Deadline | None
    told: tuple[str, ...]
    raises: int
    level: int
    next_step_at: datetime | None
    found_late: bool
    acknowledged_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    assignee: str | None

    def overdue(self, now: datetime) -> bool:
        """Whether the deadline has passed with nothing done in time. A late answer stays late (FACTS 1.5)."""
        if self.deadline is None:
            return False
        done = self.answered_at if self.expects is Expects.ANSWER else (self.answered_at or self.closed_at)
        return done > self.deadline.due_at if done else now >= self.deadline.due_at

    @property
    def waiting(self) -> bool:
        """Whether the clock still runs: acknowledging on the desk does not stop it."""
        running = self.status in (CaseStatus.OPEN, CaseStatus.ACKNOWLEDGED)
        return running and self.deadline is not None and self.answered_at is None


#: From this severity on an answer does not end a case: a person decides that it is over.
NEEDS_DECISION = 4


def check_transition(old: CaseStatus, new: CaseStatus) -> None:
    """Raise TransitionError unless a case may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise TransitionError(f"a case that is {old} cannot become {new}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One line of a case's history: ids, numbers and hashes only, never a comment's text.

    `actor` is "automatic" or who did it. `hash` covers the event and its predecessor's hash.
    """

    case_id: int
    seq: int
    at: datetime
    actor: str
    kind: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


def event_hash(
    *, case_id: int, seq: int, at: datetime, actor: str, kind: str, detail: Mapping[str, Any], previous: str
) -> str:
    """SHA-256 over the event's canonical JSON (sorted keys, no spaces, UTF-8) and the hash before it."""
    body = [case_id, seq, format_instant(at), actor, kind, dict(detail), previous]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
