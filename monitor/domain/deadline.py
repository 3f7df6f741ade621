"""The response rule (P2): when an answer is due, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain.calendar import Calendar
from monitor.domain.clock import utc

#: Changes when the rule itself changes, so that a stored deadline says which rule made it.
RULE_VERSION = "24h-1"
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Stored once, recalculated only as a logged event (FACTS 1.7). Times UTC; `because` is for people."""

    started_at: datetime
    due_at: datetime
    because: str
    rule_version: str
    calendar_version: str


def deadline_for(received: datetime, calendar: Calendar) -> Deadline:
    """When a comment that the platform dates `received` must be answered.

    Received on a working day: 24 elapsed hours later, whatever day that is and across clock changes (added in
    UTC). Received on any other day: when school closes on the next working day.
    """
    started = utc(received)
    local = calendar.local(started)
    day_off = calendar.why_not_working(local.date())
    if day_off is None:
        due = started + WINDOW
        because = f"received on a working day ({_day(local)}): 24 hours"
    else:
        closing_day = calendar.next_working_day(local.date())
        due = calendar.closing(closing_day)
        because = (
            f"received on {_named(day_off)} ({_day(local)}): "
            f"by the close of the next working day ({_day(calendar.local(due))})"
        )
    if local.date() > calendar.horizon:
        because += f"; bank holidays are only known up to {calendar.horizon:%d %B %Y}"
    return Deadline(
        started_at=started,
        due_at=due,
        because=because,
        rule_version=RULE_VERSION,
        calendar_version=calendar.version,
    )


def share_of_window(deadline: Deadline, share: float) -> datetime:
    """The instant at which `share` (0–1) of the window has passed."""
    return deadline.started_at + (deadline.due_at - deadline.started_at) * share


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _named(day_off: str) -> str:
    return day_off if day_off.startswith("a ") else f"a day off, {day_off}"
