"""A budget's periods lie in its own zone, and a spent one is told of in words."""

from datetime import UTC, datetime

import pytest

from monitor.domain.account import Budget
from monitor.domain.spending import begins_anew, period, spent_words

MONTH = Budget(unit="US$", cap=50, period="month")
QUOTA = Budget(unit="units", cap=10_000, period="day", zone="America/Los_Angeles")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("budget", "now", "expected", "anew"),
    [
        (MONTH, "2026-11-30T23:59:59", "2026-11", "2026-12-01T00:00"),
        (MONTH, "2026-12-01T00:00:00", "2026-12", "2027-01-01T00:00"),
        (MONTH, "2028-01-31T12:00:00", "2028-01", "2028-02-01T00:00"),
        (QUOTA, "2026-11-18T07:59:00", "2026-11-17", "2026-11-18T08:00"),
        (QUOTA, "2026-11-18T08:00:00", "2026-11-18", "2026-11-19T08:00"),
        # The clocks go back on 1 November: that day has 25 hours.
        (QUOTA, "2026-11-01T07:00:00", "2026-11-01", "2026-11-02T08:00"),
    ],
)
def test_a_period_is_of_the_budgets_own_zone(budget: Budget, now: str, expected: str, anew: str) -> None:
    assert period(budget, at(now)) == expected
    assert begins_anew(budget, at(now)) == at(anew)


def test_a_spent_budget_says_which_limit_how_much_when_it_begins_anew_and_what_to_do() -> None:
    words = spent_words(MONTH, 50.0249, at("2026-11-18T12:00:00"))
    for part in ("month's limit of US$ 50.00", "US$ 50.02 so far", "Tue 1 Dec at 00:00 UTC", "technician"):
        assert part in words
    assert "10,000 units" in spent_words(QUOTA, 10_000, at("2026-11-18T12:00:00"))
