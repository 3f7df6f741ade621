"""Time inside Schoolwatch: aware and UTC, always."""

from datetime import UTC, datetime


def utc(moment: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """RFC 3339 text as a UTC datetime. Raises ValueError for anything else, or without an offset."""
    return utc(datetime.fromisoformat(text))


def format_instant(moment: datetime) -> str:
    """A UTC datetime as RFC 3339 with `Z`; fractions only where there are any."""
    return utc(moment).isoformat().replace("+00:00", "Z")
