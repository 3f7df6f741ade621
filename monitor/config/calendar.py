"""calendar.yaml: bank holidays and the school's own days off."""

from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config.reading import Closed, Day, digest_of, parse, read_mapping
from monitor.config.school import BANK_HOLIDAYS_OF, Nation
from monitor.domain.calendar import Calendar
from monitor.domain.errors import ConfigError


class _Closure(Closed):
    first: Day
    last: Day | None = None
    name: str


class _CalendarFile(Closed):
    horizon: Day
    bank_holidays: dict[str, dict[Day, str]]
    closures: tuple[_Closure, ...] = ()


def load_calendar(path: Path, nation: Nation, timezone: str, closes: time, *, closures: bool = True) -> Calendar:
    """The working days of a school in `nation`; `closures=False` leaves its own days off out."""
    data = parse(_CalendarFile, read_mapping(path), path)
    region = BANK_HOLIDAYS_OF[nation]
    if region not in data.bank_holidays:
        raise ConfigError(f"{path.name}: no bank holidays for {region}")
    closed: dict[date, str] = {}
    for closure in data.closures if closures else ():
        day, last = closure.first, closure.last or closure.first
        while day <= last:
            closed[day] = closure.name
            day += timedelta(days=1)
    return Calendar(
        zone=ZoneInfo(timezone),
        closes=closes,
        holidays=data.bank_holidays[region],
        closures=closed,
        horizon=data.horizon,
        version=f"{digest_of(path)}/{nation}/{closes:%H:%M}",
    )
