"""What is wrong with a source, from what its last readings left: one table, no clock, no store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.domain.account import Access
from monitor.domain.source_health import Difference, SourceFacts, budget_fault, faults, interval
from monitor.domain.spending import Spent

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
EVERY = timedelta(minutes=5)
WELL = SourceFacts(
    id="page",
    name="The page",
    started=NOW - timedelta(days=9),
    last_read_ok=NOW - timedelta(minutes=4),
    next_poll_at=NOW + timedelta(minutes=1),
    records=12,
)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def failing(
    *, read: datetime | None, since: datetime, problem: str = "It did not answer", **more: object
) -> SourceFacts:
    """A source whose polls have failed since then."""
    return replace(WELL, last_read_ok=read, next_poll_at=NOW, problem=problem, problem_since=since, **more)


def differing(total: int, held: int, **span: float) -> SourceFacts:
    one = Difference(post="facebook:1", url="", total=total, held=held, since=ago(**span))
    return replace(WELL, counted=total, held=held, differences=(one,))


def ending(what: str, **span: float) -> SourceFacts:
    return replace(WELL, access=Access(ends={what: NOW + timedelta(**span)}))


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(WELL, id="read just now"),
        pytest.param(failing(read=ago(minutes=14), since=ago(minutes=9)), id="a hiccup of less than 3 intervals"),
        pytest.param(
            failing(read=ago(minutes=80), since=ago(minutes=50)), id="a quiet account, read every 30 minutes"
        ),
        pytest.param(
            replace(WELL, last_read_ok=None, next_poll_at=None, started=ago(minutes=14)), id="just started"
        ),
        pytest.param(replace(WELL, last_read_ok=None, coming=True), id="its first reading brings items"),
        pytest.param(
            replace(WELL, last_read_ok=ago(hours=14), next_poll_at=ago(hours=14), started=ago(minutes=2)),
            id="well when the service stopped, which has just started again",
        ),
        pytest.param(replace(WELL, records=100, unreadable=3), id="a few records among many cannot be read"),
        pytest.param(replace(WELL, stuck_polls=2), id="the cursor stayed twice"),
        pytest.param(replace(WELL, unreadable=1, unreadable_polls=2), id="an odd record twice running"),
        pytest.param(
            failing(read=ago(days=9), since=ago(days=9), used_up_until=NOW + timedelta(hours=1)),
            id="its budget is used up, which is told as such",
        ),
        pytest.param(
            failing(read=ago(days=9), since=ago(days=9), used_up_until=ago(minutes=2)),
            id="its budget began anew a moment ago",
        ),
        pytest.param(differing(12, 11, hours=23), id="counts differ since yesterday"),
        pytest.param(differing(12, 0, minutes=10), id="comments were counted a moment before they are read"),
        pytest.param(ending("the access token", days=15), id="a token ends in 15 days"),
    ],
)
def test_nothing_is_said_of(facts: SourceFacts) -> None:
    assert faults(facts, EVERY, LONDON, NOW) == []


@pytest.mark.parametrize(
    ("facts", "subject", "grade", "headline", "said"),
    [
        pytest.param(
            replace(WELL, unusable="the secret TOKEN is not set"),
            "account page",
            "red",
            "The page cannot be read as it is set up",
            "Its set-up is wrong: the secret TOKEN is not set. Nothing said there reaches us until this is put",
            id="it cannot be connected",
        ),
        pytest.param(
            failing(
                read=ago(minutes=6),
                since=ago(minutes=1),
                problem="No longer accepts our token (401). Ask Ann",
                refused=True,
            ),
            "account page",
            "red",
            "The page no longer lets us read it",
            "No longer accepts our token (401). Ask Ann.",
            id="refused for good is told at once",
        ),
        pytest.param(
            failing(read=ago(minutes=15), since=ago(minutes=10)),
            "account page",
            "red",
            "The page is not being read",
            "Not read since Wed 18 Nov, 11:45 (15 minutes); planned every 5 minutes. It did not answer.",
            id="not read for 3 intervals",
        ),
        pytest.param(
            failing(read=ago(minutes=90), since=ago(minutes=60)),
            "account page",
            "red",
            "The page is not being read",
            "planned every 30 minutes",
            id="not read for 3 of a quiet account's intervals",
        ),
        pytest.param(
            failing(read=ago(hours=14), since=ago(minutes=1), started=ago(minutes=2)),
            "account page",
            "red",
            "The page is not being read",
            "14 hours",
            id="not read all night, and still failing after a new start",
        ),
        pytest.param(
            replace(WELL, last_read_ok=ago(minutes=20), next_poll_at=ago(minutes=15)),
            "account page",
            "red",
            "The page is not being read",
            "No answer came, and no error either.",
            id="its poll hangs",
        ),
        pytest.param(
            failing(read=None, since=ago(minutes=16)),
            "account page",
            "red",
            "The page has never been read",
            "Never read, tried since Wed 18 Nov, 11:44",
            id="never read",
        ),
        pytest.param(
            differing(12, 0, minutes=15),
            "account page",
            "red",
            "The page answers, but shows us no comments",
            "gives us none of the 12 comments that it counts itself",
            id="empty against a known count",
        ),
        pytest.param(
            replace(WELL, records=3, unreadable=3),
            "format page",
            "red",
            "The page sends what we cannot read",
            "3 records of 6 could not be read",
            id="half of what came is unreadable",
        ),
        pytest.param(
            replace(WELL, records=40, unreadable=1, unreadable_polls=3),
            "format page",
            "red",
            "The page sends what we cannot read",
            "The last 3 polls that brought anything new brought unreadable records too: the platform has probably",
            id="something unreadable each time",
        ),
        pytest.param(
            replace(WELL, last_read_ok=ago(hours=7), next_poll_at=NOW + timedelta(hours=5)),
            "account page",
            "red",
            "The page is not being read",
            "The platform asks us to wait until Wed 18 Nov, 17:00.",
            id="the platform asks for a long rest",
        ),
        pytest.param(
            failing(read=ago(days=9), since=ago(days=9), used_up_until=ago(days=1)),
            "account page",
            "red",
            "The page is not being read",
            "It did not answer.",
            id="its budget began anew and still it is not read",
        ),
        pytest.param(
            replace(WELL, records=0, unreadable=1),
            "format page",
            "amber",
            "The page sends what we cannot read",
            "1 record of 1 could not be read",
            id="one odd record",
        ),
        pytest.param(
            replace(WELL, stuck_polls=3),
            "cursor page",
            "red",
            "The page does not get ahead",
            "The last 3 polls brought something new",
            id="the cursor does not move",
        ),
        pytest.param(
            differing(12, 11, hours=25),
            "counts page",
            "amber",
            "The page counts otherwise than we do",
            "it counts 12 comments, we hold 11. Some may be hidden from us",
            id="counts disagree for more than a day",
        ),
        pytest.param(
            differing(10, 11, hours=25),
            "counts page",
            "amber",
            "The page counts otherwise than we do",
            "Some may have been hidden or deleted there",
            id="we hold more than the platform counts",
        ),
        pytest.param(
            ending("the access token", days=14),
            "access page: the access token",
            "amber",
            "The page: the access token ends within 14 days",
            "The access token ends on Wed 2 Dec, 12:00, in 14 days.",
            id="a token ends in 14 days",
        ),
        pytest.param(
            ending("version v26.0 of the API", days=7),
            "access page: version v26.0 of the API",
            "amber",
            "The page: version v26.0 of the API ends within 7 days",
            "have it renewed before then",
            id="a version ends in 7 days",
        ),
        pytest.param(
            ending("permission to read data", hours=20),
            "access page: permission to read data",
            "red",
            "The page: permission to read data ends within 1 day",
            "in 20 hours",
            id="data access ends tomorrow",
        ),
        pytest.param(
            ending("the access token", hours=-2),
            "access page: the access token",
            "red",
            "The page: the access token has ended",
            "ended on Wed 18 Nov, 10:00",
            id="a token has ended",
        ),
        pytest.param(
            replace(WELL, access=Access(lacks=("pages_read_user_content", "pages_messaging"))),
            "access page: permissions",
            "amber",
            "The page: our access lacks pages_read_user_content and pages_messaging",
            "What these permissions would show is not read",
            id="permissions lack",
        ),
    ],
)
def test_a_fault_is_told(facts: SourceFacts, subject: str, grade: str, headline: str, said: str) -> None:
    [fault] = faults(facts, EVERY, LONDON, NOW)
    assert (fault.subject, fault.grade, fault.headline) == (subject, grade, headline)
    assert said in fault.text


def test_of_what_keeps_a_source_from_being_read_only_the_worst_is_told_and_the_rest_beside_it() -> None:
    facts = failing(read=ago(hours=3), since=ago(hours=3), refused=True, stuck_polls=5, counted=9, held=0)
    assert [fault.headline for fault in faults(facts, EVERY, LONDON, NOW)] == [
        "The page no longer lets us read it",
        "The page does not get ahead",
    ]


@pytest.mark.parametrize(
    ("planned", "taken"),
    [
        (timedelta(minutes=1), timedelta(minutes=5)),
        (timedelta(minutes=30), timedelta(minutes=30)),
        (timedelta(hours=12), timedelta(hours=2)),
    ],
    ids=["never shorter than the school's own", "as planned", "never so long that the 24-hour rule suffers"],
)
def test_the_interval_is_what_was_planned_when_it_was_last_read(planned: timedelta, taken: timedelta) -> None:
    read = ago(hours=20)
    assert interval(replace(WELL, last_read_ok=read, next_poll_at=read + planned), EVERY) == taken
    assert interval(failing(read=read, since=read + planned), EVERY) == taken


@pytest.mark.parametrize(
    ("amount", "grade", "part"), [(10.0, "amber", 50), (16.4, "amber", 80), (20.0, "red", 100), (31.0, "red", 100)]
)
def test_spending_is_told_at_50_80_and_100_per_cent(amount: float, grade: str, part: int) -> None:
    spent = Spent(
        credential="x:X_TOKEN",
        period="2026-11",
        unit="US$",
        amount=amount,
        cap=20,
        ends_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    fault = budget_fault(spent, ["X", "Said on X"], LONDON, NOW)
    assert fault is not None
    assert (fault.subject, fault.grade) == ("budget x:X_TOKEN", grade)
    assert fault.headline == f"X and Said on X: {part} % of the limit for November 2026 used"
    assert f"US$ {amount:.2f} of US$ 20.00" in fault.text
    assert "begins anew on Tue 1 Dec, 00:00" in fault.text


def test_less_than_half_spent_is_nothing_to_tell() -> None:
    spent = Spent(credential="k", period="2026-11-18", unit="units", amount=4999, cap=10_000, ends_at=NOW)
    assert spent.words == "4,999 units of 10,000 units"
    assert budget_fault(spent, ["YouTube"], LONDON, NOW) is None


def test_a_limit_of_nothing_is_spent() -> None:
    spent = Spent(credential="k", period="2026-11-18", unit="units", amount=0, cap=0, ends_at=NOW)
    fault = budget_fault(spent, ["YouTube"], LONDON, NOW)
    assert fault is not None and fault.grade == "red"
    assert fault.headline == "YouTube: 100 % of the limit for 18 November 2026 used"
    assert budget_fault(spent, [], LONDON, NOW) is None, "no account is left that it is for"
