"""Sources that are ill become problems in words, and those who look after them are told: once and together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from monitor.config import Config
from monitor.domain.account import Access, Account
from monitor.domain.item import Channel
from monitor.pipeline import failures, notify, watch
from monitor.store.health import Problem
from monitor.store.store import Store
from monitor.store.tables import spending, threads
from tests.stages.conftest import PAGE, School

TECHNICIAN = "linh.nguyen@larkfield.example"
LOOK_AFTER_IT = {"linh.nguyen", "margaret.bell"}
EVERY = timedelta(minutes=5)
REFUSED = "Facebook no longer accepts our access token (401) for account page. Ask Ann to make a new one"


@dataclass
class Sources:
    """The school's sources as ingest leaves them; `turn` is one round of watching and telling."""

    school: School
    accounts: Sequence[Account]
    unusable: dict[str, str] = field(default_factory=dict)
    started: datetime | None = None

    def __post_init__(self) -> None:
        self.started = self.school.now
        with self.school.store.transaction() as tx:
            tx.sources.register(self.accounts)

    def read(self, *accounts: str) -> None:
        with self.school.store.transaction() as tx:
            for account in accounts or [one.id for one in self.accounts]:
                now = self.school.now
                tx.sources.read_ok(account, now, newest=None, next_poll_at=now + EVERY)

    def fail(self, *accounts: str, problem: str = "It did not answer", refused: bool = False) -> None:
        with self.school.store.transaction() as tx:
            for account in accounts or [one.id for one in self.accounts]:
                now = self.school.now
                tx.sources.failed(account, problem, now, next_poll_at=now + EVERY, refused=refused)

    def turn(self, **later: float) -> int:
        school = self.school
        school.later(**later)
        watched = watch.Watched(
            accounts=tuple(self.accounts),
            unusable=self.unusable,
            poll_every=EVERY,
            started=self.started or school.now,
        )
        done = watch.run(school.store, watched, school.book.calendar, school.now)
        failures.run(school.store, school.letters, school.book, school.sender, school.now)
        notify.run(school.store, school.postbox, school.letters, school.book, school.sender, school.now)
        return done

    def go_on(self, **later: float) -> None:
        """Time passes, and every source is read."""
        self.school.later(**later)
        self.read()
        self.turn()

    def problems(self) -> dict[str, Problem]:
        with self.school.store.reading() as tx:
            return {problem.subject: problem for problem in tx.health.problems()}

    def subjects(self) -> list[str]:
        """What the technician was told."""
        return [message["subject"] for message in self.school.postbox.to(TECHNICIAN)]


@pytest.fixture
def sources(school: School) -> Sources:
    return Sources(school, [PAGE])


@pytest.fixture
def many(school: School) -> Sources:
    accounts = [
        Account(id=f"source-{number}", connector="feed", channel=Channel.MENTION, name=f"Source {number}")
        for number in range(50)
    ]
    return Sources(school, accounts)


def write(store: Store, table: object, **values: object) -> None:
    """A row as another stage leaves it."""
    with store.transaction() as tx:
        tx.health._connection.execute(insert(table).values(school_id=store.school, **values))  # type: ignore[arg-type]


def test_a_short_hiccup_is_told_to_nobody(sources: Sources) -> None:
    sources.read()
    sources.school.later(minutes=5)
    sources.fail()
    sources.turn(minutes=9)
    sources.go_on(minutes=1)
    assert (sources.problems(), sources.subjects()) == ({}, [])


def test_a_source_not_read_for_three_intervals_is_told_with_the_account_since_when_and_what_to_do(
    sources: Sources,
) -> None:
    sources.read()
    sources.school.later(minutes=5)
    sources.fail()
    assert sources.turn(minutes=10) == 1
    problem = sources.problems()["account page"]
    assert problem.first_at == sources.school.now - timedelta(minutes=15), "since it was last read"
    assert sources.school.told() == dict.fromkeys(LOOK_AFTER_IT, 1)
    [message] = sources.school.postbox.to(TECHNICIAN)
    assert message["subject"] == "The school's page is not being read – Larkfield"
    for body in (message["text"], message["html"].replace("&#39;", "'")):
        assert "Since Wed 18 Nov, 12:00" in body
        assert "It did not answer." in body
        assert "tell your technician" in body
        assert "http://desk.example/status" in body


def test_it_is_told_again_each_day_and_once_when_it_is_over(sources: Sources) -> None:
    sources.read()
    sources.fail()
    for _ in range(26):
        sources.turn(hours=1)
    assert sources.subjects() == [
        "The school's page is not being read – Larkfield",
        "Still: The school's page is not being read – Larkfield",
    ]
    sources.read()
    sources.turn()
    assert len(sources.subjects()) == 2, "not before it has stayed well for a while"
    sources.turn(minutes=10)
    assert sources.subjects()[2] == "Over: The school's page is not being read – Larkfield"
    sources.read()
    sources.turn(minutes=9)
    assert len(sources.subjects()) == 3


def test_what_is_refused_for_good_is_told_at_once_in_the_connectors_words(sources: Sources) -> None:
    sources.read()
    sources.fail(problem=REFUSED, refused=True)
    sources.turn()
    [message] = sources.school.postbox.to(TECHNICIAN)
    assert message["subject"] == "The school's page no longer lets us read it – Larkfield"
    assert message["text"].count("Ask Ann to make a new one") == 1


def test_a_fault_that_takes_another_turn_is_told_anew(sources: Sources) -> None:
    sources.read()
    sources.fail()
    sources.turn(minutes=30)
    sources.fail(problem=REFUSED, refused=True)
    sources.turn(minutes=1)
    assert [subject.partition(" – ")[0] for subject in sources.subjects()] == [
        "The school's page is not being read",
        "The school's page no longer lets us read it",
    ]


def test_when_the_internet_is_down_fifty_sources_make_one_message(many: Sources) -> None:
    many.read()
    many.fail()
    many.turn(minutes=16)
    assert many.school.told() == dict.fromkeys(LOOK_AFTER_IT, 1)
    [message] = many.school.postbox.to(TECHNICIAN)
    assert message["subject"] == "Source 0 is not being read and 49 more – Larkfield"
    assert all(f"* Source {number} is not being read" in message["text"] for number in range(50))
    many.read()
    many.turn()
    many.turn(minutes=10)
    assert len(many.subjects()) == 2


def test_what_is_new_stands_before_what_is_over(many: Sources) -> None:
    many.accounts = many.accounts[:3]
    many.read()
    many.fail("source-0", problem=REFUSED, refused=True)
    many.turn()
    many.read()
    many.turn()
    many.school.later(minutes=15)
    many.read("source-0")
    many.fail("source-1", "source-2", problem=REFUSED, refused=True)
    many.turn()
    assert many.subjects()[-1] == "Source 1 no longer lets us read it and 2 more – Larkfield"
    assert "* Over: Source 0" in many.school.postbox.to(TECHNICIAN)[-1]["text"]


def test_sources_that_fall_ill_one_after_the_other_are_gathered(many: Sources) -> None:
    many.read()
    for number in range(30):
        many.fail(f"source-{number}", problem=REFUSED, refused=True)
        many.turn(seconds=30)
        many.read(*(f"source-{other}" for other in range(30, 50)))
    assert many.subjects() == ["Source 0 no longer lets us read it – Larkfield"]
    many.turn(seconds=30)
    assert many.subjects()[1] == "Source 1 no longer lets us read it and 28 more – Larkfield"


def test_an_account_that_cannot_be_connected_is_told_by_its_name_and_not_doubled(sources: Sources) -> None:
    sources.unusable = {"page": "the secret PAGE_TOKEN is not set", "broken": "there is no connector feedd"}
    sources.turn()
    assert set(sources.problems()) == {"account page", "account broken"}
    [message] = sources.school.postbox.to(TECHNICIAN)
    assert "The school's page cannot be read as it is set up" in message["text"]
    assert "Its set-up is wrong: there is no connector feedd." in message["text"]


def test_a_source_that_leaves_the_register_leaves_no_problem_behind(sources: Sources) -> None:
    sources.fail(problem=REFUSED, refused=True)
    sources.turn()
    sources.accounts = []
    sources.turn()
    assert sources.problems() == {}


def test_problems_of_others_are_left_alone(sources: Sources) -> None:
    with sources.school.store.transaction() as tx:
        tx.health.problem("browser", "none was found", sources.school.now)
    sources.read()
    sources.turn()
    assert set(sources.problems()) == {"browser"}
    assert sources.subjects() == []


def test_each_threshold_of_a_budget_is_told_once_a_period(sources: Sources) -> None:
    ends = sources.school.now + timedelta(days=3)

    def spend(amount: float, period: str = "2026-11", ends_at: datetime = ends) -> None:
        with sources.school.store.transaction() as tx:
            tx.health._upsert(
                spending,
                {"credential": PAGE.id, "period": period},
                unit="US$",
                amount=amount,
                cap=20,
                ends_at=ends_at,
            )

    for amount in (9.99, 10, 12, 16, 19, 20, 21):
        spend(amount)
        for _ in range(2):
            sources.go_on(minutes=16)
    parts = [subject.partition(" % ")[0] for subject in sources.subjects()]
    assert parts == [f"The school's page: {part}" for part in (50, 80, 100)]
    assert "US$ 20.00 of US$ 20.00" in sources.school.postbox.to(TECHNICIAN)[2]["text"]
    spend(11, "2026-12", ends + timedelta(days=31))
    sources.school.now = ends
    sources.read()
    sources.turn()
    assert sources.subjects()[3].startswith("The school's page: 50 % of the limit for December 2026 used")


def test_a_budget_that_is_used_up_is_one_problem_however_long_nothing_is_read(sources: Sources) -> None:
    row = {"credential": PAGE.id, "period": "2026-11", "unit": "US$", "amount": 20, "cap": 20}
    write(sources.school.store, spending, **row, ends_at=sources.school.now + timedelta(days=3))
    sources.read()
    for _ in range(3 * 24):
        sources.fail(problem="This month's limit is spent")
        sources.turn(hours=1)
    assert [subject.partition(" – ")[0] for subject in sources.subjects()] == [
        "The school's page: 100 % of the limit for November 2026 used",
        *["Still: The school's page: 100 % of the limit for November 2026 used"] * 2,
    ]
    sources.turn(minutes=1)
    assert sources.problems() == {}, "it is about to be read"
    sources.turn(hours=1)
    assert set(sources.problems()) == {"account page"}


def test_each_threshold_of_an_expiry_is_told_once(sources: Sources) -> None:
    end = sources.school.now + timedelta(days=20)
    with sources.school.store.transaction() as tx:
        tx.access.keep("page", Access(ends={"the access token": end}), sources.school.now)
    for _ in range(20 * 4 - 2):
        sources.go_on(hours=6)
    assert [subject.partition(" – ")[0] for subject in sources.subjects()] == [
        "The school's page: the access token ends within 14 days",
        "The school's page: the access token ends within 7 days",
        "The school's page: the access token ends within 1 day",
    ]


@pytest.mark.parametrize(
    "over",
    [
        pytest.param({"differs_since": None, "held": 12}, id="they agree"),
        pytest.param({"next_sweep_at": None}, id="the post is too old to be read again"),
    ],
)
def test_counts_that_disagree_are_a_warning_that_is_told_once_and_not_when_it_is_over(
    sources: Sources, over: dict[str, object]
) -> None:
    row = {"account": "page", "platform": "facebook", "native_id": "1", "active_at": sources.school.now}
    since = sources.school.now
    write(
        sources.school.store,
        threads,
        **row,
        next_sweep_at=since,
        total=12,
        held=11,
        counted_at=since,
        differs_since=since,
    )
    for _ in range(4 * 24):
        sources.go_on(hours=1)
    assert sources.problems()["counts page"].grade == "amber"
    assert sources.subjects() == ["The school's page counts otherwise than we do – Larkfield"]
    with sources.school.store.transaction() as tx:
        tx.health._connection.execute(threads.update().values(**over))
    sources.go_on(minutes=1)
    sources.go_on(hours=1)
    assert (sources.problems(), len(sources.subjects())) == ({}, 1)


def test_a_quiet_poll_does_not_mend_a_changed_format(sources: Sources) -> None:
    def brought(items: int, rejects: int) -> None:
        sources.read()
        with sources.school.store.transaction() as tx:
            tx.sources._update("page", last_items=items, last_rejects=rejects)

    brought(2, 5)
    sources.turn(minutes=1)
    brought(0, 0)
    sources.turn(minutes=1)
    assert set(sources.problems()) == {"format page"}
    brought(3, 0)
    sources.turn(minutes=1)
    assert sources.problems() == {}


def test_a_warning_that_comes_and_goes_is_told_once_a_day_at_most_but_told_anew_as_it_turns_red(
    sources: Sources,
) -> None:
    def brought(items: int, rejects: int) -> None:
        sources.school.later(minutes=30)
        sources.read()
        with sources.school.store.transaction() as tx:
            tx.sources._update("page", last_items=items, last_rejects=rejects)
        sources.turn()

    for _ in range(10):
        brought(0, 1)
        brought(5, 0)
    assert len(sources.subjects()) == 1
    brought(0, 1)
    brought(0, 5)
    assert len(sources.subjects()) == 2
    assert [problem.grade for problem in sources.problems().values()] == ["red"]


def test_what_goes_on_is_written_down_once_a_minute_and_counts_as_nothing_done(sources: Sources) -> None:
    sources.fail(problem=REFUSED, refused=True)
    assert [sources.turn(seconds=20) for _ in range(7)] == [1, 0, 0, 0, 0, 0, 0]
    assert sources.problems()["account page"].times == 3


def test_hostile_words_of_a_platform_break_no_letter(sources: Sources) -> None:
    sources.fail(problem="<b>no</b>\r\nBcc: x@y \u202e \ud83d \x00", refused=True)
    sources.turn()
    [message] = sources.school.postbox.to(TECHNICIAN)
    assert "<b>" not in message["html"]
    assert "\n" not in message["subject"]


def test_whoever_the_rule_book_names_is_told(sources: Sources, example: Config) -> None:
    book = sources.school.book
    told = book.policy.book.failures.model_copy(update={"tell": ("headteacher",)})
    policy = replace(book.policy, book=book.policy.book.model_copy(update={"failures": told}))
    sources.school.book = replace(book, policy=policy)
    sources.fail(problem=REFUSED, refused=True)
    sources.turn()
    assert set(sources.school.told()) == {"joan.price"}
