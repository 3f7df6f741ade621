"""What the platforms' own headers say of limits, each in its own way."""

from datetime import datetime, timedelta

import pytest

from connectors._http import ApiSession, Reach, Service, rest_until, retry_at
from monitor.domain.clock import format_instant
from tests.contract.places import PRESENT
from tests.contract.recorded import Route, serve

SOON = PRESENT + timedelta(minutes=10)
EPOCH = str(int(SOON.timestamp()))
#: A family of headers, and how it writes "in ten minutes".
RESETS = [
    ("x-rate-limit", EPOCH),
    ("x-ratelimit", "600"),
    ("x-ratelimit", "600.0"),
    ("x-ratelimit", format_instant(SOON)),
    ("ratelimit", EPOCH),
    ("ratelimit", "600"),
]


@pytest.mark.parametrize(("family", "reset"), RESETS)
def test_the_reset_is_read_as_each_platform_writes_it(family: str, reset: str) -> None:
    headers = {f"{family}-remaining": "0", f"{family}-reset": reset}

    assert rest_until(headers, PRESENT) == retry_at(headers, PRESENT) == SOON


@pytest.mark.parametrize("remaining", ["1", "299.0", "", "plenty", "nan"])
def test_there_is_no_rest_while_requests_are_left(remaining: str) -> None:
    assert rest_until({"x-ratelimit-remaining": remaining, "x-ratelimit-reset": "600"}, PRESENT) is None


@pytest.mark.parametrize("reset", ["", "soon", "inf", "-5", "1e400", "9" * 30, "0001-01-01T00:00:00+14:00"])
def test_a_reset_that_makes_no_sense_is_kept_within_bounds(reset: str) -> None:
    until = rest_until({"ratelimit-remaining": "0", "ratelimit-reset": reset}, PRESENT)

    assert until is not None
    assert PRESENT + timedelta(seconds=60) <= until <= PRESENT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("told", "meant"),
    [("600", SOON), ("Wed, 18 Nov 2026 10:10:00 GMT", SOON), ("never", PRESENT + timedelta(minutes=15))],
)
def test_retry_after_is_seconds_or_a_date(told: str, meant: datetime) -> None:
    assert retry_at({"retry-after": told}, PRESENT) == meant


def test_a_session_keeps_the_latest_of_several_limits() -> None:
    def spent(path: str, seconds: int) -> Route:
        limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(seconds)}
        return Route(path=path, body=b"{}", headers=limits)

    with serve([spent("/a", 900), spent("/b", 300), Route(path="/c", body=b"{}")]) as address:
        service = Service(name="It", account="a", remedy="Ask.")
        session = ApiSession(service=service, base_url=address, token="t", reach=Reach(timeout=10), now=PRESENT)
        session.get(f"{address}/c")
        before = session.rest_until
        for path in ("a", "b", "c"):
            session.get(f"{address}/{path}")

    assert before is None
    assert session.rest_until == PRESENT + timedelta(minutes=15)
