"""When all accounts have been read for the first time, that is told once: counts, and nothing of what was said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page
from monitor.pipeline import classify, first_read, triage
from tests.stages.conftest import PAGE, ListedPages, School

X = Account(id="x", connector="x", channel=Channel.OFFICIAL, name="The school on X")


def item(school: School, number: int, text: str, days: float) -> Item:
    return Item(
        ref=ItemRef("facebook", str(number)),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(display_name="Jo Bloggs"),
        text=text,
        url="",
        published_at=school.now - timedelta(days=days),
    )


def judge(school: School) -> None:
    while classify.run(school.store, school.reader, school.now) + triage.run(school.store, school.book, school.now):
        pass


def told(school: School) -> int:
    """How many messages the stage makes now."""
    return first_read.run(school.store, school.letters, school.book, school.sender, [PAGE, X], school.now)


@pytest.fixture
def read_page(school: School) -> School:
    items = (
        item(school, 1, "I will hurt @joan-price #threat", 25),
        item(school, 2, "When is the fair? #query", 20),
        item(school, 3, "You will see #threat", 1),
    )
    school.poll(ListedPages(pages=(Page(items=items),)))
    return school


def test_it_waits_until_every_account_is_read_and_all_of_it_judged(read_page: School) -> None:
    judge(read_page)
    assert told(read_page) == 0
    read_page.poll(ListedPages(pages=(Page(items=(item(read_page, 4, "Lovely", 2),)),)), X)
    assert told(read_page) == 0
    judge(read_page)
    assert told(read_page) > 0


def test_it_is_told_once_ever(read_page: School) -> None:
    read_page.poll(ListedPages(), X)
    judge(read_page)
    assert told(read_page) > 0
    read_page.later(days=400)
    read_page.poll(ListedPages(pages=(Page(items=(item(read_page, 9, "New", 0),)),)), X)
    judge(read_page)
    assert told(read_page) == 0


def test_it_counts_what_was_read_back_to_when_and_what_of_the_history_is_grave(read_page: School) -> None:
    read_page.poll(ListedPages(), X)
    judge(read_page)
    told(read_page)
    with read_page.store.reading() as tx:
        [letter] = {(mail.subject, mail.text, mail.html) for mail in tx.outbox.messages()}
    subject, text, html = letter
    assert subject == "Larkfield: what was there before has been read, 1 grave"
    assert "The school's page: 3 read, back to Sat 24 Oct, 13:00; 2 of them history, 1 of that grave" in text
    assert "The school on X: 0 read; 0 of them history, 0 of that grave" in text
    for body in (text, html):
        assert "hurt" not in body
        assert "Bloggs" not in body
        assert "back to Sat 24 Oct" in body


def test_an_account_that_cannot_be_read_is_waited_for_a_day_and_then_named(read_page: School) -> None:
    read_page.poll(ListedPages(pages=(SourceError("the token has expired"),)), X)
    judge(read_page)
    assert told(read_page) == 0
    read_page.later(days=1)
    assert told(read_page) > 0
    with read_page.store.reading() as tx:
        assert "The school on X: NOT READ – the token has expired" in tx.outbox.messages()[0].text


def test_history_has_no_clock_and_alarms_nobody(read_page: School) -> None:
    read_page.work()
    with read_page.store.reading() as tx:
        cases = [tx.items.get(case.item_id).item.ref.id for case in tx.cases.all()]
    assert cases == ["3"]


def test_while_nothing_was_ever_read_there_is_nothing_to_tell(school: School) -> None:
    with school.store.transaction() as tx:
        tx.sources.register([PAGE, X])
    assert told(school) == 0
    for account in (PAGE, X):
        school.poll(ListedPages(pages=(SourceError("down"),)), replace(account))
    school.later(days=2)
    assert told(school) == 0
