"""Whatever a platform sends is stored once, and what cannot be read is shown, never taken for quiet."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page, Reject, Visibility
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
    for pause, longest in zip(pauses, (5, 10, 20, 30, 30), strict=True):
        assert timedelta(minutes=longest) * 0.75 <= pause <= timedelta(minutes=longest)
    assert len(set(pauses)) == 5, "chance takes something off, so that accounts do not come back together"


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
    school.poll(pages(Page(items=(said,))))
    school.work()
    for page in (Page(gone=(said.ref,)), Page(items=(said,)), Page(items=(said,))):
        school.later(minutes=6)
        school.poll(pages(page))
    with school.store.reading() as tx:
        [stored] = tx.items.search()
    assert stored.gone_at is None
    assert events(school, ("gone", "back")) == ["gone", "back"]


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


def events(school: School, kinds: tuple[str, ...]) -> list[str]:
    """What the history of the one case says of these kinds."""
    with school.store.reading() as tx:
        [case] = tx.cases.all()
        return [event.kind for event in tx.cases.history(case.id) if event.kind in kinds]


def test_a_comment_that_is_hidden_and_shown_again_is_not_read_anew_and_its_case_says_so(
    school: School, pages: Pages
) -> None:
    said = comment(school.now, 1)
    school.poll(pages(Page(items=(said,))))
    school.work()
    for visibility in (Visibility.HIDDEN, Visibility.HIDDEN, Visibility.PUBLIC):
        school.later(minutes=30)
        school.poll(pages(Page(items=(replace(said, visibility=visibility),))))
        with school.store.reading() as tx:
            [stored] = tx.items.search()
            assert tx.readings.count_waiting() == {}
        assert stored.item.visibility is visibility
    assert events(school, ("hidden", "held", "shown again")) == ["hidden", "shown again"]


def test_a_search_that_finds_it_too_does_not_say_who_sees_it(school: School, pages: Pages) -> None:
    said = replace(comment(school.now, 1), visibility=Visibility.HIDDEN, attachments=("photo",))
    found = replace(comment(school.now, 1), channel=Channel.MENTION)
    school.poll(pages(Page(items=(said,)), Page(items=(found,))))
    with school.store.reading() as tx:
        [stored] = tx.items.search()
    assert (stored.item.visibility, stored.item.attachments) == (Visibility.HIDDEN, ("photo",))


def test_a_comment_that_is_held_is_read_while_it_is_held(school: School, pages: Pages) -> None:
    said = comment(school.now, 1)
    school.poll(pages(Page(items=(replace(said, visibility=Visibility.HELD),))))
    school.work()
    assert [entry.labels for entry in school.queue()] == [("query",)]
    school.later(minutes=30)
    school.poll(pages(Page(items=(said,))))
    with school.store.reading() as tx:
        assert tx.readings.count_waiting() == {}
    assert events(school, ("hidden", "held", "shown again")) == ["shown again"]


def test_what_is_attached_later_is_noted_and_judged_without_a_new_reading(school: School, pages: Pages) -> None:
    said = comment(school.now, 1)
    school.poll(pages(Page(items=(said,))))
    school.work()
    school.later(minutes=30)
    school.poll(pages(Page(items=(replace(said, attachments=("photo: \x00 a \ud83d",)),))))
    with school.store.reading() as tx:
        [stored] = tx.items.search()
        assert stored.item.attachments == ("photo: \ufffd a ?",)
        assert tx.readings.count_waiting() == {"triage": 1}
    school.work()
    school.later(minutes=30)
    school.poll(pages(Page(items=(replace(said, attachments=("photo: \x00 a \ud83d",)),))))
    with school.store.reading() as tx:
        assert tx.readings.count_waiting() == {}


def test_what_downtime_hid_is_found_late_once_it_is_over(school: School, pages: Pages) -> None:
    school.poll(pages(Page(cursor="before")))
    asked = comment(school.now, 1)
    school.later(days=4)
    school.poll(pages(Page(items=(asked,), cursor="after")))
    school.work()
    [entry] = school.queue()
    assert entry.case.found_late
    assert entry.case.overdue(school.now)
    assert school.told(), "it escalates at once"


def test_what_is_older_than_going_live_has_no_clock_and_alarms_nobody(school: School, pages: Pages) -> None:
    old = comment(school.now - timedelta(days=25), 1, "I will hurt you @joan-price #threat")
    undated = replace(comment(school.now, 2, "I know where you live #threat"), published_at=None)
    school.poll(pages(Page(items=(old, undated))))
    school.work()
    with school.store.reading() as tx:
        assert [stored.history for stored in tx.items.search()] == [True, True]
        assert tx.cases.all() == []
    assert school.told() == {}
