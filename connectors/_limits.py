"""What platforms say of their limits in the headers of their answers.

X counts in `x-rate-limit-*`, with the reset as seconds since 1970 (docs.x.com/x-api/fundamentals/rate-limits);
Reddit in `x-ratelimit-*`, with the seconds that are left (support.reddithelp.com, "Reddit Data API Wiki");
Mastodon likewise, with an ISO time (docs.joinmastodon.org/api/rate-limits); Bluesky in `ratelimit-*`, with seconds
since 1970, and others there with the seconds that are left (draft-ietf-httpapi-ratelimit-headers).
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors._fields import instant
from monitor.domain.clock import utc

_FAMILIES = ("x-rate-limit", "x-ratelimit", "ratelimit")
_LONGEST_WAIT = timedelta(hours=1)
#: More seconds than this are since 1970 (2001), fewer from now on.
_EPOCH = 1_000_000_000


def retry_at(
    headers: Mapping[str, str], now: datetime, *, otherwise: timedelta = timedelta(minutes=15)
) -> datetime:
    """When the service lets us come back: its reset header, else Retry-After (RFC 9110, 10.2.3), else `otherwise`.

    Never before the next minute, and never so late that the 24-hour rule would suffer.
    """
    resets = (_moment(headers.get(f"{family}-reset", ""), now) for family in _FAMILIES)
    wanted = next(filter(None, resets), None) or _after(headers.get("retry-after", ""), now)
    return min(max(wanted or now + otherwise, now + timedelta(seconds=60)), now + _LONGEST_WAIT)


def rest_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Until when (UTC) to rest since no request is left, within the bounds of `retry_at`; None while some are."""
    for family in _FAMILIES:
        left = _number(headers.get(f"{family}-remaining", ""))
        if left is not None and left < 1:
            return retry_at(headers, now)
    return None


def _moment(value: str, now: datetime) -> datetime | None:
    seconds = _number(value)
    if seconds is None:
        return instant(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > _EPOCH else now + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None


def _after(value: str, now: datetime) -> datetime | None:
    seconds = _number(value)
    try:
        return now + timedelta(seconds=seconds) if seconds is not None else utc(parsedate_to_datetime(value))
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
