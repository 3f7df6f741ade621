"""Of what a search finds, what speaks of another school of that name is counted and not kept."""

from dataclasses import replace
from datetime import datetime

from monitor.domain.account import Account
from monitor.domain.item import Author, AuthorKind, Channel, Item, ItemKind, ItemRef, Page, Visibility
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


def test_what_is_counted_below_a_post_about_another_school_is_neither_swept_nor_told(school: School) -> None:
    other = mention(school.now, "Larkfield in Leeds is closed")
    other = replace(other, thread=other.ref)
    connector = ListedPages(pages=(Page(items=(other,), totals={other.ref: 5}), Page(totals={other.ref: 5})))
    school.poll(connector, SEARCH)
    assert connector.swept == []
    with school.store.reading() as tx:
        assert tx.threads.differences(school.now) == []


def test_a_search_that_does_not_find_it_does_not_say_that_something_on_our_own_account_is_gone(
    school: School,
) -> None:
    hidden = replace(mention(school.now, "You will see"), channel=Channel.OFFICIAL, visibility=Visibility.HIDDEN)
    elsewhere = mention(school.now, "Larkfield is closed", "2")
    school.poll(ListedPages(pages=(Page(items=(hidden,)),)), replace(SEARCH, id="own", channel=Channel.OFFICIAL))
    school.poll(ListedPages(pages=(Page(items=(elsewhere,)), Page(gone=(hidden.ref, elsewhere.ref)))), SEARCH)
    with school.store.reading() as tx:
        gone = {stored.item.ref: stored.gone_at is not None for stored in tx.items.search()}
    assert gone == {hidden.ref: False, elsewhere.ref: True}


def test_what_a_search_found_first_takes_its_place_in_the_conversation_once_our_own_account_shows_it(
    school: School,
) -> None:
    post = ItemRef("x", "9")
    found = mention(school.now, "Thank you all")
    author = Author(handle="somebody", kind=AuthorKind.SCHOOL)
    own = replace(
        found, channel=Channel.OFFICIAL, kind=ItemKind.REPLY, parent=ItemRef("x", "8"), thread=post, author=author
    )
    school.poll(ListedPages(pages=(Page(items=(found,)),)), SEARCH)
    pages = (Page(items=(own,), totals={post: 1}),)
    school.poll(ListedPages(pages=pages), replace(SEARCH, id="own", channel=Channel.OFFICIAL))
    with school.store.reading() as tx:
        [stored] = tx.items.search()
        assert stored.item == own
        assert tx.threads.get("own", post).held == 1
