"""When accounts are polled, what is known of each poll, what rests together and what it costs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest

from monitor.domain.account import Account, Budget
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page, Reject
from tests.stages.conftest import PAGE, ListedPages, School

#: Two accounts that are asked for with one token, and one with another.
FIRST, SECOND, OTHER = (
    Account(id=key, connector="x", channel=Channel.OFFICIAL, name=key, secrets={"token": token})
    for key, token in (("first", "A"), ("second", "A"), ("other", "B"))
)
DOLLARS = Budget(unit="US$", cap=1.0, period="month")


def comment(at: datetime, number: int) -> Item:
    return Item(
        ref=ItemRef("facebook", f"1_{number}"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(),
        text="When is the fair? #query",
        url="",
        published_at=at,
    )


def pause(school: School, account: Account = PAGE) -> timedelta:
    """How long the account is now left alone."""
    next_poll_at = school.state(account).next_poll_at
    assert next_poll_at is not None
    return next_poll_at - school.now


def test_an_account_with_something_new_is_read_every_five_minutes_and_ever_more_slowly_when_quiet(
    school: School,
) -> None:
    connector = ListedPages(pages=(Page(items=(replace(comment(school.now, 1), text="Lovely fair"),)),))
    school.poll(connector)
    assert pause(school) == timedelta(minutes=5)
    school.later(hours=12)
    school.poll(connector)
    assert pause(school) == timedelta(minutes=10)
    school.later(days=30)
    school.poll(connector)
    assert pause(school) == timedelta(minutes=30)


def test_while_a_case_waits_its_account_is_read_often(school: School) -> None:
    connector = ListedPages(pages=(Page(items=(comment(school.now, 1),)),))
    school.poll(connector)
    school.work()
    school.later(days=3)
    school.poll(connector)
    assert pause(school) == timedelta(minutes=5)


def test_the_first_reading_shows_how_far_it_has_come(school: School) -> None:
    old = school.now - timedelta(days=20)
    seen = []

    class Watched(ListedPages):
        def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
            for number, at in enumerate((school.now, None, old)):
                yield Page(items=(replace(comment(now, number), published_at=at),), cursor=str(number))
                seen.append((school.state().backfilled, school.state().backfilled_to))

    school.poll(Watched())
    assert seen == [(1, school.now), (2, school.now), (3, old)]
    assert school.state().first_read_at == school.now


def test_a_first_reading_that_broke_off_goes_on_counting_and_counts_nothing_twice(school: School) -> None:
    first, second = (Page(items=(comment(school.now, number),)) for number in (1, 2))
    school.poll(ListedPages(pages=(first, SourceError("down"))))
    assert (school.state().first_read_at, school.state().backfilled) == (None, 1)
    school.later(minutes=30)
    school.poll(ListedPages(pages=(first, second)))
    assert (school.state().first_read_at, school.state().backfilled) == (school.now, 2)


def test_what_comes_later_is_no_part_of_the_first_reading(school: School) -> None:
    began = school.now
    school.poll(ListedPages(pages=(Page(items=(comment(school.now, 1),)),)))
    school.later(minutes=30)
    school.poll(ListedPages(pages=(Page(items=(comment(school.now, 2),)),)))
    state = school.state()
    assert (state.first_read_at, state.backfilled, state.backfilled_to) == (began, 1, began)


def test_what_the_last_proven_read_brought_is_known(school: School) -> None:
    page = Page(items=(comment(school.now, 1), comment(school.now, 2)), rejects=(Reject(raw={}, reason="no id"),))
    for _ in range(2):
        school.poll(ListedPages(pages=(page,)))
        school.later(minutes=30)
    assert (school.state().last_items, school.state().last_rejects) == (2, 1)
    school.poll(ListedPages(pages=(Page(),)))
    assert (school.state().last_items, school.state().last_rejects) == (0, 0)


def test_polls_that_bring_something_new_and_leave_the_cursor_where_it_was_are_counted(school: School) -> None:
    polls: list[tuple[int, str | None]] = []
    for number, cursor in enumerate(("a", "a", "a", "b", None, None)):
        school.poll(ListedPages(pages=(Page(items=(comment(school.now, number),), cursor=cursor),)))
        polls.append((school.state().stuck_polls, cursor))
        school.later(minutes=30)
    assert polls == [(0, "a"), (1, "a"), (2, "a"), (0, "b"), (0, None), (0, None)]


def test_polls_that_bring_something_new_and_something_unreadable_are_counted(school: School) -> None:
    odd = Reject(raw={"odd": 0}, reason="no id")
    polls: list[int] = []
    for number, rejects in enumerate(((odd,), (odd,), (Reject(raw={"odd": 1}, reason="no id"), odd), (odd,))):
        school.poll(ListedPages(pages=(Page(items=(comment(school.now, number // 2),), rejects=rejects),)))
        polls.append(school.state().unreadable_polls)
        school.later(minutes=30)
    assert polls == [1, 1, 2, 2], "what is sent once more is no news, of either kind"
    school.poll(ListedPages(pages=(Page(items=(comment(school.now, 9),), rejects=(odd,)),)))
    assert school.state().unreadable_polls == 0


def test_an_unreadable_record_of_a_sweep_counts_as_well(school: School) -> None:
    post = comment(school.now, 1)
    post = replace(post, thread=post.ref)
    odd = Page(rejects=(Reject(raw={"odd": 1}, reason="no id"),))
    school.poll(ListedPages(pages=(Page(items=(post,)),), threads={post.ref: (odd,)}))
    assert school.state().unreadable_polls == 1


def test_a_cursor_that_stays_while_nothing_is_new_is_no_news(school: School) -> None:
    page = Page(items=(comment(school.now, 1),), cursor="a")
    for _ in range(4):
        school.poll(ListedPages(pages=(page,)))
        school.later(minutes=30)
    assert school.state().stuck_polls == 0


def test_a_platform_that_says_when_to_come_back_is_left_alone_by_every_account_of_that_credential(
    school: School,
) -> None:
    quiet = ListedPages()
    for account in (FIRST, SECOND, OTHER):
        school.poll(quiet, account)
    school.later(minutes=30)
    again = school.now + timedelta(hours=2)
    school.poll(ListedPages(pages=(SourceError("too many requests", retry_at=again),)), FIRST)
    assert {one.id: school.state(one).next_poll_at == again for one in (FIRST, SECOND, OTHER)} == {
        "first": True,
        "second": True,
        "other": False,
    }
    assert school.state(SECOND).problem is None


def test_a_platform_that_asks_for_rest_gets_it_and_its_sweeps_wait_too(school: School) -> None:
    again = school.now + timedelta(hours=1)
    said = replace(comment(school.now, 1), thread=ItemRef("facebook", "1"))
    connector = ListedPages(pages=(Page(items=(said,), rest_until=again),))
    school.poll(connector, FIRST)
    state = school.state(FIRST)
    assert (state.next_poll_at, state.last_read_ok, state.problem) == (again, school.now, None)
    assert connector.swept == []


def test_a_rest_asked_for_while_another_account_is_being_read_holds_for_it_too(school: School) -> None:
    again = school.now + timedelta(hours=2)

    class Meanwhile(ListedPages):
        def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
            school.poll(ListedPages(pages=(SourceError("slow down", retry_at=again),)), SECOND)
            yield Page()

    school.poll(Meanwhile(), FIRST)
    assert (school.state(FIRST).next_poll_at, school.state(FIRST).problem) == (again, None)


def test_a_sweep_that_is_refused_lets_the_account_rest_and_is_no_problem_of_its_poll(school: School) -> None:
    again, thread = school.now + timedelta(hours=1), ItemRef("facebook", "1")
    said = replace(comment(school.now, 1), thread=thread)
    refused = SourceError("slow down", retry_at=again)
    school.poll(ListedPages(pages=(Page(items=(said,)),), threads={thread: (refused,)}), FIRST)
    state = school.state(FIRST)
    assert (state.next_poll_at, state.last_read_ok, state.problem) == (again, school.now, None)


def test_an_account_that_hangs_keeps_no_other_from_being_read(school: School) -> None:
    reached, released = Event(), Event()

    class Hangs(ListedPages):
        def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
            yield Page(items=(comment(now, 1),), cursor="half")
            reached.set()
            assert released.wait(60)
            yield Page(items=(comment(now, 2),), cursor="whole")

    hanging = Thread(target=school.poll, args=(Hangs(), FIRST))
    hanging.start()
    try:
        assert reached.wait(60)
        school.poll(ListedPages(pages=(Page(items=(comment(school.now, 3),)),)), OTHER)
        assert school.state(OTHER).last_read_ok == school.now
        assert (school.state(FIRST).cursor, school.state(FIRST).last_read_ok) == ("half", None)
    finally:
        released.set()
        hanging.join()
    assert (school.state(FIRST).cursor, school.state(FIRST).last_read_ok) == ("whole", school.now)


def test_what_pages_cost_is_added_up_for_the_credential(school: School) -> None:
    for account in (FIRST, SECOND, OTHER):
        pages = (Page(spent=0.1), Page(spent=0.2))
        school.poll(ListedPages(pages=pages, budget=DOLLARS), account)
    with school.store.reading() as tx:
        spent = {one.credential: (round(one.amount, 6), one.cap, one.unit) for one in tx.spending.all(school.now)}
    assert spent == {"x:A": (0.6, 1.0, "US$"), "x:B": (0.3, 1.0, "US$")}


def test_a_page_whose_poll_then_failed_was_paid_for_all_the_same(school: School) -> None:
    school.poll(ListedPages(pages=(Page(spent=0.4), SourceError("down")), budget=DOLLARS), FIRST)
    with school.store.reading() as tx:
        [spent] = tx.spending.all(school.now)
    assert (spent.amount, spent.share, spent.period) == (0.4, 0.4, "2026-11")


def test_at_its_cap_a_credential_is_not_asked_until_the_period_turns_and_its_accounts_say_so(
    school: School,
) -> None:
    connector = ListedPages(pages=(Page(spent=1.0),), budget=DOLLARS)
    school.poll(connector, FIRST)
    school.later(hours=1)
    school.poll(connector, SECOND)
    assert connector.polls == 1
    problem = school.state(SECOND).problem
    assert problem is not None
    assert "US$ 1.00" in problem
    assert "1 Dec" in problem
    school.now = datetime(2026, 11, 30, 23, 58, tzinfo=UTC)
    school.poll(connector, SECOND)
    assert connector.polls == 1
    assert school.state(SECOND).next_poll_at == datetime(2026, 12, 1, tzinfo=UTC)
    school.now = datetime(2026, 12, 1, tzinfo=UTC)
    school.poll(connector, SECOND)
    assert connector.polls == 2
    assert school.state(SECOND).problem is None


def test_a_cap_that_was_raised_is_noticed_within_half_an_hour(school: School) -> None:
    school.poll(ListedPages(pages=(Page(spent=1.0),), budget=DOLLARS), FIRST)
    school.later(minutes=30)
    school.poll(ListedPages(budget=DOLLARS), FIRST)
    school.later(minutes=30)
    raised = ListedPages(budget=replace(DOLLARS, cap=2.0))
    school.poll(raised, FIRST)
    assert raised.polls == 1


def test_sweeps_stop_where_the_cap_is_reached(school: School) -> None:
    threads = [ItemRef("facebook", str(number)) for number in range(5)]
    items = tuple(replace(comment(school.now, n), thread=thread) for n, thread in enumerate(threads))
    connector = ListedPages(
        pages=(Page(items=items),), threads={one: (Page(spent=0.5),) for one in threads}, budget=DOLLARS
    )
    school.poll(connector, FIRST)
    assert len(connector.swept) == 2
    assert school.state(FIRST).last_read_ok == school.now


def test_a_long_poll_stops_once_the_cap_is_reached_and_goes_on_from_there_in_the_next_period(
    school: School,
) -> None:
    pages = [Page(items=(comment(school.now, n),), cursor=str(n), spent=0.5) for n in range(9)]
    school.poll(ListedPages(pages=pages, budget=DOLLARS), FIRST)
    state = school.state(FIRST)
    assert (state.cursor, state.items, state.last_read_ok) == ("2", 3, None)
    assert state.problem is not None
    assert "limit of US$ 1.00 is spent" in state.problem


def test_a_fault_of_our_own_is_told_and_does_not_have_the_platform_asked_at_every_tick(school: School) -> None:
    class Broken(ListedPages):
        def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
            self.polls += 1
            raise LookupError("I will hurt you")

    connector = Broken()
    with pytest.raises(LookupError):
        school.poll(connector)
    school.later(minutes=1)
    school.poll(connector)
    assert connector.polls == 1
    problem = school.state().problem
    assert problem is not None
    assert "LookupError" in problem
    assert "hurt" not in problem
    school.later(minutes=5)
    school.poll(ListedPages())
    assert school.state().problem is None


def test_a_comment_dated_in_the_future_does_not_make_its_account_active_for_ever(school: School) -> None:
    connector = ListedPages(
        pages=(Page(items=(replace(comment(school.now + timedelta(days=9999), 1), text="Lovely"),)),)
    )
    school.poll(connector)
    assert school.state().last_item_at == school.now
    connector.pages = ()
    school.later(days=30)
    school.poll(connector)
    assert pause(school) == timedelta(minutes=30)


def test_what_was_spent_last_month_is_no_longer_told(school: School) -> None:
    school.poll(ListedPages(pages=(Page(spent=0.4),), budget=DOLLARS), FIRST)
    with school.store.reading() as tx:
        assert tx.spending.all(datetime(2026, 12, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("minutes", [29, 30])
def test_an_account_is_polled_when_it_is_due_and_not_before(school: School, minutes: int) -> None:
    connector = ListedPages()
    school.poll(connector)
    school.later(minutes=minutes)
    school.poll(connector)
    assert connector.polls == (1 if minutes < 30 else 2)
