"""Working days of a school."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.domain.clock import utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which days the school works, and when its day closes, in its own time zone.

    `holidays` and `closures` map a date to its name. `horizon` is the last date for which the bank-holiday data
    was reviewed; later dates are computed on weekends alone and should be warned of. `version` identifies the
    data and is stored with every deadline.
    """

    zone: ZoneInfo
    closes: time
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: Mapping[date, str] = field(default_factory=dict)
    horizon: date
    version: str

    def local(self, moment: datetime) -> datetime:
        """A UTC instant in school time."""
        return utc(moment).astimezone(self.zone)

    def why_not_working(self, day: date) -> str | None:
        """Why the school does not work on `day` ("a Saturday", "Good Friday"), or None when it does."""
        if day in self.holidays:
            return self.holidays[day]
        if day in self.closures:
            return self.closures[day]
        if day.weekday() >= 5:
            return f"a {day:%A}"
        return None

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        following = day + timedelta(days=1)
        while self.why_not_working(following) is not None:
            following += timedelta(days=1)
        return following

    def closing(self, day: date) -> datetime:
        """The UTC instant at which the school's day closes on `day`."""
        return utc(datetime.combine(day, self.closes, tzinfo=self.zone))
