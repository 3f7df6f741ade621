"""What its author deleted loses its words here too, unless a case needs them; that it was there stays known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page
from monitor.domain.policy import PolicyFile
from monitor.pipeline import housekeeping
from monitor.store.items import StoredItem
from monitor.store.tables import readings, revisions
from tests.stages.conftest import ListedPages, School


def comment(school: School, text: str = "Lovely fair, @joan-price") -> Item:
    return Item(
        ref=ItemRef("facebook", "1_1"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(id="7", handle="ann", display_name="Ann Parent"),
        text=text,
        url="https://facebook.example/1",
        published_at=school.now,
        attachments=("photo: Ann and her child",),
        raw={"message": text},
    )


def read_and_deleted(school: School, *wordings: Item) -> None:
    """The wordings of one comment are read and judged in turn; then it is gone."""
    for item in wordings:
        school.poll(ListedPages(pages=(Page(items=(item,)),)))
        school.work()
        school.later(minutes=30)
    school.poll(ListedPages(pages=(Page(gone=(wordings[-1].ref,)),)))


def tidy(school: School) -> int:
    return housekeeping.run(school.store, school.book.policy.book, school.now)


def stored(school: School) -> StoredItem:
    with school.store.reading() as tx:
        [found] = tx.items.search()
    return found


def kept_because(school: School) -> list[str]:
    with school.store.reading() as tx:
        [case] = tx.cases.all()
        return [event.detail["because"] for event in tx.cases.history(case.id) if event.kind == "kept"]


def everything(school: School) -> str:
    """All that is left of the comment in the rows of its item, wordings and readings."""
    with school.store._engine.connect() as connection:  # what no reader shows must be gone as well
        rows = [*connection.execute(select(revisions)), *connection.execute(select(readings))]
    return f"{rows} {stored(school)}"


def test_an_ordinary_comment_loses_its_words_and_its_author_a_day_after_it_went(school: School) -> None:
    said = comment(school)
    read_and_deleted(school, replace(said, text="Lovely fare"), said)
    school.later(hours=23)
    assert tidy(school) == 0
    school.later(hours=1)
    assert tidy(school) == 1
    item = stored(school)
    assert item.erased_at == school.now
    assert item.item.ref == said.ref
    with school.store.reading() as tx:
        [case] = tx.cases.all()
        assert tx.cases.history(case.id)[-1].kind == "erased"
    for trace in ("Lovely", "joan-price", "Ann", "'7'", "facebook.example"):
        assert trace not in everything(school), trace


def test_it_is_given_up_once(school: School) -> None:
    read_and_deleted(school, comment(school))
    school.later(days=2)
    assert [tidy(school), tidy(school)] == [1, 0]


def test_what_is_still_there_is_left_alone(school: School) -> None:
    school.poll(ListedPages(pages=(Page(items=(comment(school),)),)))
    school.work()
    school.later(days=400)
    assert tidy(school) == 0


def test_what_has_not_been_judged_yet_is_judged_first(school: School) -> None:
    said = comment(school, "I will hurt you #threat")
    school.poll(ListedPages(pages=(Page(items=(said,)), Page(gone=(said.ref,)))))
    school.later(days=2)
    assert tidy(school) == 0
    school.work()
    assert tidy(school) == 1
    assert stored(school).item.text == said.text


@pytest.mark.parametrize("text", ["I will hurt you #threat", "When is the fair? #query", "You idiots #abuse"])
def test_a_case_that_is_more_than_ordinary_keeps_everything_and_says_why_once(school: School, text: str) -> None:
    read_and_deleted(school, comment(school, text))
    school.later(days=2)
    assert [tidy(school), tidy(school)] == [1, 0]
    assert (stored(school).item.text, stored(school).erased_at) == (text, None)
    assert stored(school).item.author.display_name == "Ann Parent"
    assert kept_because(school) == [school.book.policy.book.keep_deleted_because]


def test_a_case_of_which_somebody_was_told_is_more_than_ordinary(school: School) -> None:
    said = comment(school)
    school.poll(ListedPages(pages=(Page(items=(said,)),)))
    school.work()
    school.later(days=5)
    school.work()
    assert school.told(), "nobody had glanced at it in time"
    school.poll(ListedPages(pages=(Page(gone=(said.ref,)),)))
    school.later(days=2)
    tidy(school)
    assert stored(school).item.text == said.text


def test_what_comes_back_is_read_anew(school: School) -> None:
    said = comment(school)
    read_and_deleted(school, said)
    school.later(days=2)
    tidy(school)
    school.poll(ListedPages(pages=(Page(items=(said,)),)))
    assert (stored(school).item.text, stored(school).item.author) == (said.text, said.author)
    assert (stored(school).gone_at, stored(school).erased_at) == (None, None)
    school.work()
    with school.store.reading() as tx:
        reading = tx.readings.get(stored(school).id, said.revision)
    assert reading is not None
    assert [hit.person for hit in reading.names] == ["joan-price"]


def test_what_comes_back_with_other_words_is_read_with_those(school: School) -> None:
    said = comment(school)
    read_and_deleted(school, said)
    school.later(days=2)
    tidy(school)
    school.poll(ListedPages(pages=(Page(items=(replace(said, text="I will hurt you #threat"),)),)))
    school.work()
    [entry] = school.queue()
    assert entry.labels == ("threat",)


def test_what_comes_back_and_then_goes_back_to_a_wording_that_was_given_up_is_judged(school: School) -> None:
    before, said = comment(school, "You will see #threat"), comment(school)
    read_and_deleted(school, replace(before, published_at=school.now - timedelta(days=30)), said)
    school.later(days=2)
    tidy(school)
    for item in (said, before):
        school.poll(ListedPages(pages=(Page(items=(item,)),)))
        school.later(minutes=30)
        school.work()
    with school.store.reading() as tx:
        reading = tx.readings.get(stored(school).id, before.revision)
    assert stored(school).item.text == before.text
    assert reading is not None
    assert reading.labels == ("threat",)


def test_what_the_school_itself_wrote_is_kept(school: School) -> None:
    own = replace(comment(school), author=Author(kind=AuthorKind.SCHOOL))
    read_and_deleted(school, own)
    school.later(days=2)
    assert tidy(school) == 0


def test_a_comment_without_a_case_is_given_up_too(school: School) -> None:
    read_and_deleted(school, replace(comment(school), published_at=school.now - timedelta(days=400)))
    school.later(days=2)
    tidy(school)
    assert stored(school).item.text == ""


@pytest.mark.parametrize("value", [24, "PT0S", "P31D", "soon"])
def test_a_duration_that_keeps_for_ever_or_not_at_all_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        PolicyFile.model_validate({"rules": (), "erase_deleted_after": value})
