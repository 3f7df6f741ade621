"""How often accounts and conversations are read."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.cadence import LONGEST_PAUSE, Cadence

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
CADENCE = Cadence(poll_every=timedelta(minutes=5), poll_quiet=timedelta(minutes=30), go_live=NOW)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("hours_quiet", "minutes"), [(0, 5), (6, 5), (12, 10), (24, 20), (36, 30), (24 * 365, 30), (-24, 5)]
)
def test_an_account_is_read_ever_more_slowly_the_longer_it_is_quiet(hours_quiet: int, minutes: int) -> None:
    newest = NOW - timedelta(hours=hours_quiet)
    assert CADENCE.next_poll(NOW, newest, busy=False) == NOW + timedelta(minutes=minutes)


def test_an_account_in_which_nothing_was_ever_read_is_quiet() -> None:
    assert CADENCE.next_poll(NOW, None, busy=False) == NOW + timedelta(minutes=30)


def test_an_account_in_which_something_waits_is_active_however_quiet() -> None:
    for newest in (None, NOW - days(30)):
        assert CADENCE.next_poll(NOW, newest, busy=True) == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("age", "every"),
    [
        (days(0), timedelta(minutes=5)),
        (days(1), timedelta(minutes=5)),
        (days(1.01), timedelta(hours=1)),
        (days(7), timedelta(hours=1)),
        (days(7.01), days(1)),
        (days(90), days(1)),
        (days(90.01), None),
    ],
)
def test_a_conversation_is_swept_at_every_poll_then_hourly_then_daily_then_no_more(
    age: timedelta, every: timedelta | None
) -> None:
    assert CADENCE.next_sweep(NOW, NOW - age) == (None if every is None else NOW + every)


def test_pauses_grow_to_half_an_hour_and_chance_takes_a_quarter_off_at_most() -> None:
    for failures, longest in enumerate((5, 10, 20, 30, 30, 30), start=1):
        pause = CADENCE.retry(NOW, "page", failures) - NOW
        assert timedelta(minutes=longest) * 0.75 <= pause <= timedelta(minutes=longest)


def test_accounts_that_failed_together_do_not_come_back_together() -> None:
    assert len({CADENCE.retry(NOW, f"account-{number}", 4) for number in range(50)}) == 50


def test_the_same_failure_waits_as_long_whoever_computes_it() -> None:
    assert CADENCE.retry(NOW, "page", 3) == CADENCE.retry(NOW, "page", 3)


def test_what_only_a_person_can_mend_is_asked_for_seldom_from_the_start() -> None:
    pause = CADENCE.retry(NOW, "page", 1, permanent=True) - NOW
    assert LONGEST_PAUSE * 0.75 <= pause <= LONGEST_PAUSE


def test_thousands_of_failures_are_no_trouble() -> None:
    assert CADENCE.retry(NOW, "page", 100_000) <= NOW + LONGEST_PAUSE
