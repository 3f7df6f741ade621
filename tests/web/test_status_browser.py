"""Every way in which a source can be ill is seen on the status page in plain words, in a real browser."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Locator, Page
from sqlalchemy import insert, update

from monitor.domain.account import Access
from monitor.pipeline import watch
from monitor.store.tables import sources, spending, threads
from monitor.web.app import create_app
from monitor.web.desk import Desk
from monitor.web.server import DeskServer
from tests.web.world import World

pytestmark = pytest.mark.browser
PAGE = "facebook-page"
EVERY = timedelta(minutes=5)
Arrange = Callable[[World], None]


@pytest.fixture(params=["sqlite"])
def store(store: object) -> object:
    """One database is enough for what a browser does."""
    return store


@pytest.fixture
def page(chromium: Chromium, desk: Desk) -> Iterator[Page]:
    server = DeskServer(create_app(desk), "127.0.0.1", 0)
    server.start()
    # What it says must not need a script.
    context = chromium.new_context(base_url=server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()
    server.stop()


def failed(problem: str, *, refused: bool = False, **read_ago: float) -> Arrange:
    """The page was last read so long ago, and every poll since has failed like this."""

    def arrange(world: World) -> None:
        read = world.now - timedelta(**read_ago)
        with world.store.transaction() as tx:
            tx.sources.read_ok(PAGE, read, newest=None, next_poll_at=read + EVERY)
            tx.sources.failed(PAGE, problem, read + EVERY, next_poll_at=world.now + EVERY, refused=refused)

    return arrange


def left(**columns: object) -> Arrange:
    """What the last readings left in the account's row."""

    def arrange(world: World) -> None:
        with world.store.transaction() as tx:
            change = update(sources).where(sources.c.account == PAGE).values(**columns)
            tx.health._connection.execute(change)

    return arrange


def counted(total: int, held: int, **ago: float) -> Arrange:
    def arrange(world: World) -> None:
        since = world.now - timedelta(**ago)
        row = {
            "account": PAGE,
            "platform": "facebook",
            "native_id": "1_2",
            "active_at": since,
            "next_sweep_at": since,
        }
        with world.store.transaction() as tx:
            values = {"school_id": world.store.school, **row, "total": total, "held": held}
            tx.health._connection.execute(insert(threads).values(**values, counted_at=since, differs_since=since))

    return arrange


def access(told: Callable[[datetime], Access]) -> Arrange:
    def arrange(world: World) -> None:
        with world.store.transaction() as tx:
            tx.access.keep(PAGE, told(world.now), world.now)

    return arrange


def ends(what: str, **span: float) -> Arrange:
    return access(lambda now: Access(ends={what: now + timedelta(**span)}))


def spent(amount: float) -> Arrange:
    def arrange(world: World) -> None:
        [credential] = [one.credential for one in world.config.accounts if one.id == PAGE]
        row = {"credential": credential, "period": "2026-11", "unit": "US$", "amount": amount, "cap": 20.0}
        anew = datetime(2026, 12, 1, tzinfo=UTC)
        with world.store.transaction() as tx:
            tx.health._connection.execute(
                insert(spending).values(school_id=world.store.school, **row, ends_at=anew)
            )

    return arrange


def look(world: World) -> None:
    """One turn of the stage that watches."""
    watched = watch.Watched(
        accounts=world.config.accounts, unusable={}, poll_every=EVERY, started=world.now - timedelta(days=9)
    )
    watch.run(world.store, watched, world.config.calendar, world.now)


def source(page: Page, world: World, *arrangements: Arrange) -> Locator:
    """The account's place on the status page, every source being well but for what is arranged."""
    world.proven_read()
    for arrange in arrangements:
        arrange(world)
    look(world)
    page.goto("/status")
    return page.locator(f"#source-{PAGE}")


FILTER = (
    "Facebook answered with a page of a network filter instead of data: ask your technician to allow "
    "graph.facebook.com (schoolwatch check --hosts)"
)
FAULTS = {
    "not read for 3 intervals": (
        failed("Facebook did not answer", minutes=15),
        "red",
        "Not read",
        "Is not being read. Not read since Wed 18 Nov, 11:45 (15 minutes); planned every 5 minutes. Facebook did "
        "not answer. Schoolwatch goes on trying. Does the internet work at school?",
    ),
    "401": (
        failed("Facebook no longer accepts our access token (401). Ask Ann", refused=True, minutes=6),
        "red",
        "Not read",
        "No longer lets us read it. Facebook no longer accepts our access token (401). Ask Ann. Nothing said there "
        "reaches us until this is put right.",
    ),
    "403": (
        failed("Facebook does not permit reading this (403). Ask Ann", refused=True, minutes=6),
        "red",
        "Not read",
        "Facebook does not permit reading this (403). Ask Ann.",
    ),
    "blocked by a filter": (
        failed(FILTER, hours=2),
        "red",
        "Not read",
        "ask your technician to allow graph.facebook.com",
    ),
    "empty against a known count": (
        counted(12, 0, hours=1),
        "red",
        "Not read",
        "It answers, but gives us none of the 12 comments that it counts itself.",
    ),
    "a count that disagrees": (
        counted(12, 11, days=2),
        "amber",
        "Counts differ",
        "under a post it counts 12 comments, we hold 11. Some may be hidden from us",
    ),
    "schema drift": (
        left(last_items=1, last_rejects=9),
        "red",
        "Not understood",
        "9 records of 10 could not be read: the platform has probably changed its format. These records are kept",
    ),
    "a cursor that does not move": (
        left(stuck_polls=3),
        "red",
        "Stuck",
        "Does not get ahead. The last 3 polls brought",
    ),
    "expiry in 14 days": (
        ends("the access token", days=14),
        "amber",
        "Access",
        "The access token ends within 14 days. The access token ends on Wed 2 Dec, 12:00, in 14 days.",
    ),
    "expiry in 7 days": (
        ends("Facebook's permission to read data", days=7),
        "amber",
        "Access",
        "Facebook's permission to read data ends within 7 days",
    ),
    "expiry in 1 day": (
        ends("version v26.0 of the API", days=1),
        "red",
        "Access",
        "Version v26.0 of the API ends within 1 day. Version v26.0 of the API ends on Thu 19 Nov, 12:00, in 1 day.",
    ),
    "expired": (
        ends("the access token", hours=-1),
        "red",
        "Access",
        "The access token ended on Wed 18 Nov, 11:00;",
    ),
    "permissions lacking": (
        access(lambda _: Access(lacks=("pages_messaging",))),
        "amber",
        "Access",
        "Our access lacks pages_messaging",
    ),
    "credit half spent": (spent(10), "amber", "Spending", "US$ 10.00 of US$ 20.00 (50 %) anew Tue 1 Dec, 00:00"),
    "credit at 80 %": (
        spent(16.4),
        "amber",
        "Spending",
        "80 % of the limit for November 2026 used. US$ 16.40 of US$ 20.00",
    ),
    "credit spent": (
        spent(20),
        "red",
        "Spending",
        "100 % of the limit for November 2026 used. US$ 20.00 of US$ 20.00",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_seen_in_plain_words_with_its_light(page: Page, world: World, fault: str) -> None:
    arrange, colour, word, said = FAULTS[fault]
    shown = source(page, world, arrange)
    assert shown.locator(f".source-head .light.{colour}").inner_text().strip() == word
    assert said in " ".join(shown.inner_text().split())
    watching = page.locator(".watching").inner_text()
    assert "Larkfield Community Primary School on Facebook" in watching


def test_a_source_that_is_well_says_what_it_read_and_when_it_is_read_next(page: Page, world: World) -> None:
    shown = source(page, world, left(last_items=37, last_rejects=0))
    text = " ".join(shown.inner_text().split())
    assert shown.locator(".source-head .light.green").inner_text().strip() == "Read"
    assert "Last proven read Wed 18 Nov, 12:00 just now" in text
    assert "It brought 37 comments, known or new" in text
    assert "Next Wed 18 Nov, 12:05 every 5 minutes at present" in text
    assert "nothing new" in page.locator("#source-x-official").inner_text()


def test_the_first_reading_tells_how_far_it_is(page: Page, world: World) -> None:
    back_to = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    shown = source(
        page,
        world,
        left(last_read_ok=None, next_poll_at=None, first_read_at=None, backfilled=214, backfilled_to=back_to),
    )
    assert shown.locator(".source-head .light.amber").inner_text().strip() == "First reading"
    assert "Reading the last 30 days: 214 comments so far, back to Tue 3 Nov, 09:00." in shown.inner_text()


def test_the_posts_whose_counts_differ_are_listed(page: Page, world: World) -> None:
    shown = source(page, world, counted(12, 11, hours=3))
    assert "12 by its own count, 11 held" in " ".join(shown.inner_text().split())
    shown.get_by_text("1 post under which it counts otherwise than we do").click()
    assert "Post facebook:1_2: it counts 12, we hold 11, since Wed 18 Nov, 09:00" in shown.inner_text()


def test_what_was_spent_is_a_bar_whose_text_says_the_same(page: Page, world: World) -> None:
    shown = source(page, world, spent(5))
    assert shown.locator("meter").get_attribute("value") == "25"
    assert "US$ 5.00 of US$ 20.00 (25 %)" in " ".join(shown.inner_text().split())


def test_several_faults_of_one_source_stand_together_the_worst_as_its_light(page: Page, world: World) -> None:
    shown = source(page, world, counted(12, 11, days=2), ends("the access token", days=3), left(stuck_polls=4))
    assert shown.locator(".source-head .light.red").inner_text().strip() == "Stuck"
    assert sorted(shown.locator(".fault .light.amber").all_inner_texts()) == ["Access", "Counts differ"]
    assert page.locator("#h-problems").count() == 0, "each fault stands once, at its source"


def test_a_budget_that_is_used_up_is_told_once_at_each_account_that_shares_it(page: Page, world: World) -> None:
    def arrange(world: World) -> None:
        [credential] = {one.credential for one in world.config.accounts if one.connector == "x"}
        row = {"credential": credential, "period": "2026-11", "unit": "US$", "amount": 20.4, "cap": 20.0}
        with world.store.transaction() as tx:
            anew = datetime(2026, 12, 1, tzinfo=UTC)
            tx.health._connection.execute(
                insert(spending).values(school_id=world.store.school, **row, ends_at=anew)
            )
            tx.sources.failed("x-official", "This month's limit is spent", world.now, next_poll_at=anew)

    source(page, world, arrange)
    text = " ".join(page.locator("#source-x-official").inner_text().split())
    both = "@larkfieldprim on X and Larkfield Primary, said on X: 100 % of the limit for November 2026 used."
    assert both in text
    assert "This month's limit is spent" not in text, "the same in other words"
    assert page.locator(".watching").inner_text().startswith("2 sources not read: @larkfieldprim on X and")


def test_a_hiccup_is_an_amber_light_and_no_problem(page: Page, world: World) -> None:
    shown = source(page, world, failed("Facebook did not answer", minutes=6))
    assert shown.locator(".source-head .light.amber").inner_text().strip() == "Trying again"
    assert "Facebook did not answer since Wed 18 Nov, 11:59, 1 attempt" in " ".join(shown.inner_text().split())
