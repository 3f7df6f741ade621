"""A budget's months and days, and what to say once it is spent."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.domain.account import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one credential (Account.credential) has cost in a month or day that goes on until `ends_at` (UTC).

    `amount` and `cap` are in `unit`; `period` is "2026-11" or "2026-11-21".
    """

    credential: str
    period: str
    unit: str
    amount: float
    cap: float
    ends_at: datetime

    @property
    def share(self) -> float:
        """How much of the cap is spent: 0.8 is 80 %, and it may pass 1."""
        return self.amount / self.cap if self.cap > 0 else float("inf")

    @property
    def period_words(self) -> str:
        """ "November 2026" or "21 November 2026"."""
        year, month, *day = map(int, self.period.split("-"))
        return f"{'{} '.format(*day) if day else ''}{date(year, month, 1):%B %Y}"

    @property
    def words(self) -> str:
        """ "US$ 16.40 of US$ 20.00"."""
        return f"{_figure(self.amount, self.unit)} of {_figure(self.cap, self.unit)}"


def period(budget: Budget, now: datetime) -> str:
    """The month ("2026-11") or day ("2026-11-21") of the budget's zone that `now` lies in."""
    return f"{_local(budget, now):%Y-%m-%d}" if budget.period == "day" else f"{_local(budget, now):%Y-%m}"


def begins_anew(budget: Budget, now: datetime) -> datetime:
    """When the next month or day of the budget begins (UTC)."""
    midnight = _local(budget, now).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if budget.period == "day":
        following = midnight + timedelta(days=1)
    else:
        following = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following.astimezone(UTC)


def spent_words(budget: Budget, amount: float, now: datetime) -> str:
    """For a secretary: which limit, how much was spent, when it begins anew, and what to do."""
    again = begins_anew(budget, now)
    return (
        f"This {budget.period}'s limit of {_figure(budget.cap, budget.unit)} is spent "
        f"({_figure(amount, budget.unit)} so far), so nothing more is asked for. Reading goes on by itself on "
        f"{again:%a} {again.day} {again:%b} at {again:%H:%M} UTC. If that is too late, ask your technician to "
        "raise the limit in accounts.yaml, and look at the account by hand until then"
    )


def _figure(amount: float, unit: str) -> str:
    """US$ 12.50, but 10,000 units."""
    return f"{unit} {amount:,.2f}" if "$" in unit else f"{amount:,.0f} {unit}"


def _local(budget: Budget, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(budget.zone))
