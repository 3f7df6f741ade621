"""The response rule (P2): 24 elapsed hours if received on a working day, else by the close of the next one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Nation, load_calendar
from monitor.domain.calendar import Calendar
from monitor.domain.clock import parse_instant
from monitor.domain.deadline import deadline_for, share_of_window
from tests.conftest import ROOT

ENGLAND = load_calendar(ROOT / "config" / "calendar.yaml", "england", "Europe/London", time(17))


def due(received: str, calendar: Calendar = ENGLAND) -> str:
    return deadline_for(parse_instant(received), calendar).due_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-11-18T12:00:00Z", "2026-11-19T12:00:00Z"),  # a Wednesday
        ("2026-11-20T22:00:00Z", "2026-11-21T22:00:00Z"),  # Friday night: the literal rule ends on Saturday
        ("2026-11-21T09:00:00Z", "2026-11-23T17:00:00Z"),  # Saturday: Monday's close
        ("2026-11-22T23:59:00Z", "2026-11-23T17:00:00Z"),  # Sunday's last minute
        ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),  # Monday's first
        ("2026-12-25T10:00:00Z", "2026-12-29T17:00:00Z"),  # Christmas on a Friday; Monday is the day in lieu
        ("2026-04-03T10:00:00Z", "2026-04-07T16:00:00Z"),  # Good Friday: Tuesday's close, in summer time
        ("2026-03-28T10:00:00Z", "2026-03-30T16:00:00Z"),  # the Saturday before the clocks go forward
        ("2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z"),  # 24 elapsed hours on either side of it
        ("2026-10-23T12:00:00+01:00", "2026-10-24T11:00:00Z"),
        ("2026-06-19T23:30:00Z", "2026-06-22T16:00:00Z"),  # in Britain it is Saturday already
    ],
)
def test_when_an_answer_is_due(received: str, expected: str) -> None:
    assert due(received) == expected


def test_the_reason_says_which_day_was_off_and_which_day_counts() -> None:
    because = deadline_for(parse_instant("2026-12-25T10:00:00Z"), ENGLAND).because
    assert because == (
        "received on a day off, Christmas Day (Fri 25 Dec, 10:00): "
        "by the close of the next working day (Tue 29 Dec, 17:00)"
    )


def test_beyond_the_known_bank_holidays_the_reason_warns() -> None:
    because = deadline_for(parse_instant("2029-01-02T10:00:00Z"), ENGLAND).because
    assert "bank holidays are only known up to 31 December 2028" in because


def test_a_closure_of_the_schools_own_counts_as_a_day_off() -> None:
    inset = Calendar(
        zone=ZoneInfo("Europe/London"),
        closes=time(16, 30),
        closures={date(2026, 11, 23): "INSET day"},
        horizon=date(2028, 12, 31),
        version="1",
    )
    assert due("2026-11-21T09:00:00Z", inset) == "2026-11-24T16:30:00Z"
    assert due("2026-11-23T09:00:00Z", inset) == "2026-11-24T16:30:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        deadline_for(datetime(2026, 11, 18, 12), ENGLAND)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("nation", "subdivision"),
    [("england", "ENG"), ("wales", "WLS"), ("scotland", "SCT"), ("northern_ireland", "NIR")],
)
def test_the_shipped_bank_holidays_agree_with_an_independent_list(nation: Nation, subdivision: str) -> None:
    calendar = load_calendar(ROOT / "config" / "calendar.yaml", nation, "Europe/London", time(17))
    expected = holidays.country_holidays("GB", subdiv=subdivision, years=range(2012, 2029))
    assert sorted(calendar.holidays) == sorted(expected)


INSTANTS = st.datetimes(datetime(2012, 1, 1), datetime(2028, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_every_deadline_is_exactly_24_hours_or_a_working_days_close(received: datetime) -> None:
    answer = deadline_for(received, ENGLAND)
    local = ENGLAND.local(answer.due_at)
    if answer.due_at - received != timedelta(hours=24):
        assert local.time() == time(17)
        assert ENGLAND.why_not_working(local.date()) is None
    assert answer.due_at > received


@given(INSTANTS, st.floats(0, 1))
def test_a_share_of_the_window_lies_within_it(received: datetime, share: float) -> None:
    answer = deadline_for(received, ENGLAND)
    assert answer.started_at <= share_of_window(answer, share) <= answer.due_at
