"""The digest proves that we were watching, and never says that all is well on silence."""

from datetime import UTC, datetime, time, timedelta

from monitor.domain.errors import SourceError
from monitor.domain.item import Page
from monitor.pipeline import digest
from monitor.pipeline.digest import Edition
from tests.stages.conftest import PAGE, ListedPages, School

EDITION = Edition(at=time(7, 30), accounts=(PAGE,), problems={"broken": "the secret X is not set"})


def make(school: School) -> int:
    made = digest.run(school.store, school.letters, school.book, school.sender, EDITION, school.now)
    school.work()
    return made


def test_it_is_made_once_a_day_after_its_time(school: School) -> None:
    school.now = datetime(2026, 11, 18, 7, 29, tzinfo=UTC)
    assert make(school) == 0
    school.later(minutes=1)
    assert make(school) == 2
    assert make(school) == 0
    school.later(days=1)
    assert make(school) == 2
    assert school.told() == {"margaret.bell": 2, "joan.price": 2}


def test_it_names_what_needs_somebody_and_quotes_nothing(school: School) -> None:
    school.say("SHAMEFUL behaviour #complaint", published_at=school.now - timedelta(days=2))
    school.work()
    make(school)
    text = school.postbox.accepted[-1]["text"]
    assert "Needs somebody now: 1 (1 overdue)" in text
    assert "http://desk.example/cases/1" in text
    assert "SHAMEFUL" not in text


def test_an_account_that_was_not_read_is_a_gap_by_name(school: School) -> None:
    school.poll(ListedPages(pages=(Page(),)))
    school.later(hours=5)
    school.poll(ListedPages(pages=(SourceError("Facebook no longer accepts our token"),)))
    make(school)
    text = school.postbox.accepted[-1]["text"]
    assert "The school's page: Wed 18 Nov, 12:00 – NOT READ SINCE – Facebook no longer accepts our token" in text
    assert "broken: NEVER READ – the secret X is not set" in text
    assert "2 accounts not read" in school.postbox.accepted[-1]["subject"]


def test_a_quiet_account_that_is_read_every_four_hours_is_no_gap_until_it_is_overdue(school: School) -> None:
    school.now = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
    with school.store.transaction() as tx:
        tx.sources.register([PAGE])
        tx.sources.read_ok("page", school.now, newest=None, next_poll_at=school.now + timedelta(hours=4))
    school.later(hours=4)
    make(school)
    assert "The school's page: Wed 18 Nov, 04:00\n" in school.postbox.accepted[-1]["text"]
    school.later(days=1)
    make(school)
    assert "The school's page: Wed 18 Nov, 04:00 – NOT READ SINCE" in school.postbox.accepted[-1]["text"]


def test_a_quiet_day_says_so_with_the_proof(school: School) -> None:
    school.poll(ListedPages(pages=(Page(),)))
    make(school)
    text = school.postbox.accepted[-1]["text"]
    assert "Nothing is waiting for an answer." in text
    assert "The school's page: Wed 18 Nov, 12:00\n" in text


def test_it_counts_all_that_is_open_and_names_the_first(school: School) -> None:
    for _ in range(205):
        school.say("when is the fair #query")
    school.work()
    make(school)
    message = school.postbox.accepted[-1]
    assert "205 open, 0 overdue" in message["subject"]
    assert "Needs somebody now: 205 (0 overdue)." in message["text"]
    assert "… and 185 more" in message["text"]
