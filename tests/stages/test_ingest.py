"""Whatever a platform sends is stored once, and what cannot be read is shown, never taken for quiet."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page, Reject
from tests.stages.conftest import ListedPages, School

Pages = Callable[..., ListedPages]
POST = ItemRef("facebook", "1")


def comment(now: datetime, number: int, text: str = "When is the fair? #query") -> Item:
    return Item(
        ref=ItemRef("facebook", f"1_{number}"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(),
        text=text,
        url="",
        published_at=now,
        thread=POST,
    )


def test_every_page_is_kept_with_its_cursor(school: School, pages: Pages) -> None:
    connector = pages(
        Page(items=(comment(school.now, 1),), cursor="a"), Page(items=(comment(school.now, 2),), cursor="b")
    )
    assert school.poll(connector) == 2
    with school.store.reading() as tx:
        state = tx.sources.state("page")
    assert (state.cursor, state.last_read_ok, state.last_item_at) == ("b", school.now, school.now)


def test_pages_before_a_failure_stay_and_the_account_is_not_proven_read(school: School, pages: Pages) -> None:
    connector = pages(Page(items=(comment(school.now, 1),), cursor="a"), SourceError("Facebook is having trouble"))
    school.poll(connector)
    with school.store.reading() as tx:
        [state] = tx.sources.states()
    assert (state.items, state.cursor, state.last_read_ok) == (1, "a", None)
    assert (state.problem, state.problem_since) == ("Facebook is having trouble", school.now)


def test_a_failing_account_is_asked_again_ever_more_slowly_but_within_half_an_hour(
    school: School, pages: Pages
) -> None:
    connector = pages(SourceError("down"))
    pauses = []
    for _ in range(5):
        school.poll(connector)
        with school.store.reading() as tx:
            next_poll = tx.sources.state("page").next_poll_at
        assert next_poll is not None
        pauses.append(next_poll - school.now)
        school.now = next_poll
    assert pauses == [timedelta(minutes=minutes) for minutes in (5, 10, 20, 30, 30)]


def test_the_platforms_own_word_on_when_to_come_back_is_kept(school: School, pages: Pages) -> None:
    again = school.now + timedelta(hours=1)
    connector = pages(SourceError("too many requests", retry_at=again))
    school.poll(connector)
    school.later(minutes=50)
    school.poll(connector)
    assert connector.polls == 1
    school.later(minutes=10)
    school.poll(connector)
    assert connector.polls == 2


def test_a_problem_keeps_the_time_it_began_and_ends_with_a_proven_read(school: School, pages: Pages) -> None:
    began = school.now
    school.poll(pages(SourceError("down")))
    school.later(minutes=30)
    school.poll(pages(SourceError("still down")))
    with school.store.reading() as tx:
        state = tx.sources.state("page")
    assert (state.problem, state.problem_since) == ("still down", began)
    school.later(minutes=30)
    school.poll(pages(Page()))
    with school.store.reading() as tx:
        state = tx.sources.state("page")
    assert (state.problem, state.failures, state.last_read_ok) == (None, 0, school.now)


def test_a_record_that_cannot_be_read_is_kept_raw_once_and_counted(school: School, pages: Pages) -> None:
    connector = pages(
        Page(items=(comment(school.now, 1),), rejects=(Reject(raw={"what": "ever"}, reason="no id"),))
    )
    for _ in range(2):
        school.poll(connector)
        school.later(minutes=6)
    with school.store.reading() as tx:
        [state] = tx.sources.states()
    assert (state.items, state.rejects) == (1, 1)


def test_a_deletion_is_a_fact_in_the_cases_history_not_a_removal(school: School, pages: Pages) -> None:
    said = comment(school.now, 1, "You idiots #abuse")
    connector = pages(Page(items=(said,)))
    school.poll(connector)
    school.work()
    school.later(hours=1)
    connector.threads[POST] = (Page(gone=(said.ref,)),)
    school.poll(connector)
    [entry] = school.queue()
    assert entry.item.gone_at is not None
    assert entry.item.item.text == "You idiots #abuse"
    with school.store.reading() as tx:
        assert [event.kind for event in tx.cases.history(entry.case.id)].count("gone") == 1


def test_a_comment_that_comes_back_is_no_longer_gone(school: School, pages: Pages) -> None:
    said = comment(school.now, 1)
    school.poll(pages(Page(items=(said,)), Page(gone=(said.ref,))))
    school.later(minutes=6)
    school.poll(pages(Page(items=(said,))))
    with school.store.reading() as tx:
        [stored] = tx.items.search()
    assert stored.gone_at is None


def test_a_mention_found_again_on_an_official_account_gets_its_clock(school: School, pages: Pages) -> None:
    said = comment(school.now, 1)
    school.poll(pages(Page(items=(replace(said, channel=Channel.MENTION),))))
    school.work()
    school.later(minutes=6)
    school.poll(pages(Page(items=(said,))))
    school.work()
    [entry] = school.queue()
    assert entry.item.item.channel is Channel.OFFICIAL
    assert entry.case.deadline is not None


def test_a_crash_between_pages_repeats_a_page_and_loses_none(school: School) -> None:
    class Dies(ListedPages):
        def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
            yield Page(items=(comment(now, 1),), cursor="a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        school.poll(Dies())
    school.poll(
        ListedPages(
            pages=(
                Page(items=(comment(school.now, 1),), cursor="a"),
                Page(items=(comment(school.now, 2),), cursor="b"),
            )
        )
    )
    with school.store.reading() as tx:
        assert tx.items.count() == 2
