"""Of what a search finds, what speaks of another school of that name is counted and not kept."""

from dataclasses import replace
from datetime import datetime

from monitor.domain.account import Account
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page
from monitor.domain.mentions import SchoolNames
from tests.stages.conftest import PAGE, ListedPages, School

NAMES = SchoolNames(names=("Larkfield",), places=("Ashbourne",), elsewhere=("Leeds",))
SEARCH = Account(id="search", connector="x", channel=Channel.MENTION, name="Said on X", names=NAMES)


def mention(at: datetime, text: str, key: str = "1") -> Item:
    return Item(
        ref=ItemRef("x", key),
        channel=Channel.MENTION,
        kind=ItemKind.POST,
        author=Author(handle="somebody"),
        text=text,
        url="",
        published_at=at,
    )


def kept(school: School) -> list[str]:
    with school.store.reading() as tx:
        return sorted(stored.item.text for stored in tx.items.search())


def test_another_school_of_that_name_is_left_out_and_counted_once(school: School) -> None:
    items = (mention(school.now, "Larkfield is closed"), mention(school.now, "Larkfield in Leeds is closed", "2"))
    for _ in range(2):
        school.poll(ListedPages(pages=(Page(items=items),)), SEARCH)
        school.later(minutes=30)
    assert kept(school) == ["Larkfield is closed"]
    assert school.state(SEARCH).left_out == 1


def test_what_stands_in_a_conversation_that_we_hold_is_kept(school: School) -> None:
    ours = mention(school.now, "Larkfield is closed")
    answer = replace(mention(school.now, "As in Leeds", "2"), parent=ours.ref, thread=ours.ref)
    school.poll(ListedPages(pages=(Page(items=(answer, ours)),)), SEARCH)
    further = replace(answer, ref=ItemRef("x", "3"), text="Leeds again")
    school.later(minutes=30)
    school.poll(ListedPages(pages=(Page(items=(further,)),)), SEARCH)
    assert kept(school) == ["As in Leeds", "Larkfield is closed", "Leeds again"]


def test_an_edit_of_what_we_hold_is_kept_whatever_it_now_says(school: School) -> None:
    ours = mention(school.now, "Larkfield is closed")
    for text in (ours.text, "Larkfield in Leeds is closed, you idiots"):
        school.poll(ListedPages(pages=(Page(items=(replace(ours, text=text),)),)), SEARCH)
        school.later(minutes=30)
    assert kept(school) == ["Larkfield in Leeds is closed, you idiots"]


def test_what_the_school_itself_wrote_is_kept(school: School) -> None:
    own = replace(mention(school.now, "See you in Leeds"), author=Author(kind=AuthorKind.SCHOOL))
    school.poll(ListedPages(pages=(Page(items=(own,)),)), SEARCH)
    assert kept(school) == ["See you in Leeds"]


def test_what_staff_hand_in_is_kept(school: School) -> None:
    pages = (Page(items=(mention(school.now, "Larkfield in Leeds"),)),)
    school.poll(ListedPages(pages=pages, hosts=()), SEARCH)
    assert (kept(school), school.state(SEARCH).left_out) == (["Larkfield in Leeds"], 0)


def test_everything_on_the_schools_own_accounts_is_kept(school: School) -> None:
    own = replace(PAGE, names=NAMES)
    school.poll(ListedPages(pages=(Page(items=(mention(school.now, "Larkfield in Leeds"),)),)), own)
    assert kept(school) == ["Larkfield in Leeds"]
