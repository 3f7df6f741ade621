"""A case's allowed transitions, and its history that cannot be changed unseen."""

from datetime import UTC, datetime

import pytest

from monitor.domain.case import CaseStatus, check_transition, event_hash
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import TransitionError

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
EVENT = {
    "case_id": 1,
    "seq": 2,
    "at": AT,
    "actor": "automatic",
    "kind": "told",
    "detail": {"new": 1},
    "previous": "ab",
}


def test_a_closed_case_can_only_be_reopened() -> None:
    check_transition(CaseStatus.CLOSED, CaseStatus.OPEN)
    with pytest.raises(TransitionError, match="closed cannot become answered"):
        check_transition(CaseStatus.CLOSED, CaseStatus.ANSWERED)


def test_the_hash_depends_on_every_part_of_an_event() -> None:
    changes = {
        "case_id": 2,
        "seq": 3,
        "at": AT.replace(minute=1),
        "actor": "moderator",
        "kind": "closed",
        "detail": {"new": 2},
        "previous": "cd",
    }
    hashes = {event_hash(**{**EVENT, name: value}) for name, value in changes.items()}  # type: ignore[arg-type]
    assert len(hashes | {event_hash(**EVENT)}) == len(changes) + 1  # type: ignore[arg-type]


def test_the_hash_does_not_depend_on_the_order_of_the_details() -> None:
    one = event_hash(**{**EVENT, "detail": {"a": 1, "b": 2}})  # type: ignore[arg-type]
    assert one == event_hash(**{**EVENT, "detail": {"b": 2, "a": 1}})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-18T12:00:00Z", "2026-11-18T12:00:00Z"),
        ("2026-11-18T12:00:00+01:00", "2026-11-18T11:00:00Z"),
        ("2026-11-18T12:00:00.5Z", "2026-11-18T12:00:00.500000Z"),
    ],
)
def test_instants_are_written_in_utc(text: str, shown: str) -> None:
    assert format_instant(parse_instant(text)) == shown
