"""Conversations are read again by their age, and what we hold is compared with what the platform counts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page
from monitor.pipeline.ingest import FAILURES_A_TURN, SWEEPS_A_TURN
from monitor.store.threads import Reconciliation, Thread
from tests.stages.conftest import ListedPages, School

POST = ItemRef("facebook", "1")


def post(at: datetime, key: str = "1") -> Item:
    return Item(
        ref=ItemRef("facebook", key),
        channel=Channel.OFFICIAL,
        kind=ItemKind.POST,
        author=Author(),
        text="The fair is on Friday.",
        url="",
        published_at=at,
        thread=ItemRef("facebook", key),
    )


def comment(at: datetime, number: int, under: ItemRef = POST) -> Item:
    ref = ItemRef("facebook", f"{under.id}_{number}")
    return replace(post(at), ref=ref, kind=ItemKind.COMMENT, text=f"Question {number}?", thread=under, parent=under)


def thread(school: School, ref: ItemRef = POST) -> Thread:
    with school.store.reading() as tx:
        return tx.threads.get("page", ref)


def told(school: School) -> Reconciliation:
    with school.store.reading() as tx:
        [told] = tx.threads.differences(school.now)
    return told


def test_a_conversation_is_swept_as_soon_as_it_is_found(school: School) -> None:
    connector = ListedPages(pages=(Page(items=(post(school.now),)),))
    school.poll(connector)
    assert connector.swept == [POST]


@pytest.mark.parametrize(
    ("age", "after"),
    [
        (timedelta(hours=23), timedelta(minutes=5)),
        (timedelta(days=6), timedelta(hours=1)),
        (timedelta(days=80), timedelta(days=1)),
        (timedelta(days=100), None),
    ],
)
def test_the_older_a_conversation_the_seldomer_it_is_swept(
    school: School, age: timedelta, after: timedelta | None
) -> None:
    school.poll(ListedPages(pages=(Page(items=(post(school.now - age),)),)))
    assert thread(school).next_sweep_at == (None if after is None else school.now + after)


def test_a_new_comment_makes_an_old_conversation_young_again(school: School) -> None:
    connector = ListedPages(pages=(Page(items=(post(school.now - timedelta(days=100)),)),))
    school.poll(connector)
    school.later(hours=1)
    connector.pages = (Page(items=(comment(school.now, 1),)),)
    school.poll(connector)
    assert connector.swept == [POST, POST]
    assert thread(school).active_at == school.now
    assert thread(school).next_sweep_at == school.now + timedelta(minutes=5)


def test_a_comment_dated_in_the_future_does_not_keep_its_conversation_young_for_ever(school: School) -> None:
    school.poll(ListedPages(pages=(Page(items=(comment(school.now + timedelta(days=9999), 1),)),)))
    assert thread(school).active_at == school.now


def test_what_is_known_already_makes_nothing_young_again(school: School) -> None:
    old = school.now - timedelta(days=30)
    connector = ListedPages(pages=(Page(items=(post(old), comment(old, 1))),))
    school.poll(connector)
    school.later(hours=1)
    school.poll(connector)
    assert connector.swept == [POST]


def test_a_turn_ends_after_so_many_sweeps_and_the_next_goes_on_soon_with_the_rest(school: School) -> None:
    posts = [post(school.now - timedelta(days=30), str(number)) for number in range(SWEEPS_A_TURN + 3)]
    connector = ListedPages(pages=(Page(items=tuple(posts)),))
    school.poll(connector)
    assert len(connector.swept) == SWEEPS_A_TURN
    assert told(school).waiting == 3
    school.later(minutes=5)
    school.poll(connector)
    assert sorted(connector.swept) == sorted(one.ref for one in posts)
    assert told(school).waiting == 0


def test_those_due_longest_are_swept_first(school: School) -> None:
    first, second = ItemRef("facebook", "8"), ItemRef("facebook", "9")
    connector = ListedPages(pages=(Page(items=(post(school.now, "9"),)),))
    school.poll(connector)
    school.later(minutes=6)
    connector.pages = (Page(items=(post(school.now, "8"),)),)
    school.poll(connector)
    assert connector.swept == [second, second, first]


def test_one_conversation_that_fails_neither_stops_the_others_nor_the_account(school: School) -> None:
    connector = ListedPages(
        pages=(Page(items=(post(school.now, "1"), post(school.now, "2"))),),
        threads={POST: (SourceError("Facebook shows a page that we cannot read"),)},
    )
    school.poll(connector)
    assert connector.swept == [POST, ItemRef("facebook", "2")]
    assert (school.state().problem, school.state().last_read_ok) == (None, school.now)
    failed = thread(school)
    assert (failed.failures, failed.problem) == (1, "Facebook shows a page that we cannot read")
    assert (told(school).failing, told(school).problem) == (1, failed.problem)


def test_a_conversation_that_goes_on_failing_is_put_off_ever_longer_and_is_well_once_it_was_swept(
    school: School,
) -> None:
    connector = ListedPages(
        pages=(Page(items=(post(school.now - timedelta(days=3)),)),), threads={POST: (SourceError("no"),)}
    )
    pauses = []
    for _ in range(4):
        school.poll(connector)
        again = thread(school).next_sweep_at
        assert again is not None
        pauses.append(again - school.now)
        school.now = max(again, school.now + timedelta(minutes=30))
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0] * 3
    connector.threads.clear()
    school.poll(connector)
    assert (thread(school).failures, thread(school).problem) == (0, None)


def test_while_every_sweep_fails_a_turn_does_not_try_them_all(school: School) -> None:
    refs = [ItemRef("facebook", str(number)) for number in range(10)]
    connector = ListedPages(
        pages=(Page(items=tuple(post(school.now, ref.id) for ref in refs)),),
        threads={ref: (SourceError("down"),) for ref in refs},
    )
    school.poll(connector)
    assert len(connector.swept) == FAILURES_A_TURN


def test_what_the_platform_counts_and_we_hold_agree(school: School) -> None:
    items = (post(school.now), comment(school.now, 1), comment(school.now, 2))
    school.poll(ListedPages(pages=(Page(items=items, totals={POST: 2}),)))
    assert (thread(school).total, thread(school).held, thread(school).counted_at) == (2, 2, school.now)
    assert told(school) == Reconciliation(account="page", threads=1, total=2, held=2)


def test_a_difference_keeps_the_time_it_began_until_the_two_agree(school: School) -> None:
    began = school.now
    connector = ListedPages(pages=(Page(items=(post(began), comment(began, 1)), totals={POST: 2}),))
    for _ in range(3):
        school.poll(connector)
        school.later(minutes=6)
    assert thread(school).differs_since == began
    assert (told(school).total, told(school).held, told(school).differing) == (2, 1, 1)
    assert told(school).since == began
    connector.threads[POST] = (Page(items=(comment(began, 2),)),)
    school.poll(connector)
    assert thread(school).differs_since is None
    assert (told(school).held, told(school).differing, told(school).since) == (2, 0, None)


def test_what_is_gone_is_no_longer_held(school: School) -> None:
    said = comment(school.now, 1)
    connector = ListedPages(pages=(Page(items=(post(school.now), said), totals={POST: 1}),))
    school.poll(connector)
    school.later(minutes=6)
    connector.pages = (Page(totals={POST: 0}),)
    connector.threads[POST] = (Page(gone=(said.ref,)),)
    school.poll(connector)
    assert (thread(school).total, thread(school).held, thread(school).differs_since) == (0, 0, None)


def test_of_a_post_that_is_itself_gone_nothing_is_counted(school: School) -> None:
    said = comment(school.now, 1)
    connector = ListedPages(pages=(Page(items=(post(school.now), said), totals={POST: 1}),))
    school.poll(connector)
    school.later(minutes=6)
    connector.pages = ()
    connector.threads[POST] = (Page(gone=(POST, said.ref)),)
    school.poll(connector)
    assert (thread(school).total, thread(school).differs_since) == (None, None)


def test_a_count_that_changed_has_its_conversation_swept_at_once(school: School) -> None:
    old = school.now - timedelta(days=30)
    connector = ListedPages(pages=(Page(items=(post(old),), totals={POST: 0}),))
    school.poll(connector)
    school.later(hours=1)
    school.poll(connector)
    assert connector.swept == [POST]
    connector.pages = (Page(totals={POST: 1}),)
    connector.threads[POST] = (Page(items=(comment(old, 1),)),)
    school.later(hours=1)
    school.poll(connector)
    assert connector.swept == [POST, POST]
    assert thread(school).differs_since is None


def test_a_crash_in_a_sweep_repeats_it(school: School) -> None:
    class Dies(ListedPages):
        def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
            raise KeyboardInterrupt

    page = Page(items=(post(school.now),))
    with pytest.raises(KeyboardInterrupt):
        school.poll(Dies(pages=(page,)))
    connector = ListedPages(pages=(page,), threads={POST: (Page(items=(comment(school.now, 1),)),)})
    school.poll(connector)
    assert connector.swept == [POST]
    assert school.state().items == 2


def test_of_a_conversation_too_old_to_be_swept_again_nobody_is_told_for_ever(school: School) -> None:
    connector = ListedPages(pages=(Page(items=(post(school.now),), totals={POST: 1}),))
    school.poll(connector)
    assert told(school).differing == 1
    school.later(days=91)
    school.poll(connector)
    assert (thread(school).next_sweep_at, thread(school).differs_since) == (None, None)
    assert (told(school).total, told(school).held, told(school).differing) == (1, 0, 0)


def test_a_conversation_that_fails_until_it_is_too_old_is_given_up(school: School) -> None:
    connector = ListedPages(pages=(Page(items=(post(school.now),)),), threads={POST: (SourceError("no"),)})
    school.poll(connector)
    school.later(days=91)
    school.poll(connector)
    school.later(hours=1)
    school.poll(connector)
    assert connector.swept == [POST, POST]
    assert (told(school).failing, told(school).waiting) == (0, 0)


def test_where_deletions_are_not_told_it_is_no_fault_that_we_hold_more_than_is_counted(school: School) -> None:
    items = (post(school.now), comment(school.now, 1), comment(school.now, 2))
    for total, differing in ((1, 0), (3, 1)):
        school.poll(ListedPages(pages=(Page(items=items, totals={POST: total}),), deletions=False))
        assert told(school).differing == differing
        school.later(minutes=6)
