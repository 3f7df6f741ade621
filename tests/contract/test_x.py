"""What is particular to X."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import connect
from connectors._x import Found
from connectors._x_api import QUERY_LIMIT
from connectors.sandbox import TOKEN, Entry, Fault
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import Channel, Item, ItemKind, ItemRef
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import Route, serve


def _searching(x: Place, query: str) -> Connector:
    options = {**x.sandbox.options("x"), "query": query}
    account = Account(id="search", connector="x", channel=Channel.MENTION, name="search", options=options)
    return connect(account, {"token": TOKEN})


def _search(x: Place, query: str) -> Read:
    return collect(_searching(x, query).poll(None, x.now))


def _entry(key: str, text: str, **about: Any) -> Entry:
    return Entry(key=key, platform="x", text=text, **{"at": -timedelta(hours=1), "by": "parent", **about})


def test_a_reply_that_no_longer_names_the_school_is_found_by_its_conversation(x: Place) -> None:
    found = x.poll()
    queries = [path for _, path in x.sandbox.requests() if "conversation_id" in path and "/search/" in path]

    assert found.saying("Thanks!").kind is ItemKind.REPLY
    assert queries


def test_a_conversation_is_remembered_between_polls(x: Place) -> None:
    before = x.poll()
    at = x.later(days=2)
    x.world.add(Entry(key="late", platform="x", at=at, by="parent", under="thanks", text="One more thing"))

    assert "One more thing" in x.poll(before.cursor).texts()


def test_a_post_that_names_the_school_is_found_without_being_an_answer(x: Place) -> None:
    x.world.add(_entry("hail", "Well done @LarkfieldPrim"))
    found = x.poll().saying("Well done @LarkfieldPrim")

    assert found.kind is ItemKind.POST
    assert found.parent is None


def test_a_mention_that_turns_up_late_is_still_read(x: Place) -> None:
    before = x.poll()
    x.later(minutes=5)
    # Written before the first poll, but shown by X only now.
    x.world.add(_entry("lagging", "@larkfieldprim hello?"))

    assert "@larkfieldprim hello?" in x.poll(before.cursor).texts()


def test_a_long_post_is_read_whole_and_unescaped(x: Place) -> None:
    long = "Fish & chips <again>. " * 40
    x.world.add(_entry("long", f"@larkfieldprim {long}"))

    assert f"@larkfieldprim {long}" in x.poll().texts()


def test_a_search_finds_what_its_query_says_and_nothing_else(x: Place) -> None:
    x.world.add(_entry("one", "Larkfield School is fine"), _entry("two", "the lark field behind the school"))
    found = _search(x, '"larkfield school" -@larkfieldprim')

    assert found.texts() == ["Larkfield School is fine"]
    assert found.items[0].channel is Channel.MENTION


def test_of_a_conversation_that_only_speaks_of_the_school_nothing_else_is_read(x: Place) -> None:
    x.world.add(_entry("talk", "Larkfield again"), _entry("aside", "My lunch was nice", under="talk"))
    connector = _searching(x, "again")
    [said] = collect(connector.poll(None, x.now)).items
    assert said.thread is not None
    assert collect(connector.thread(said.thread, [said.ref], x.now)).texts() == ["Larkfield again"]


def test_a_search_after_a_long_silence_asks_for_no_more_than_x_gives(x: Place) -> None:
    before = x.poll()
    x.later(days=30)

    assert x.poll(before.cursor).items == []


def test_mentions_written_during_a_long_silence_are_read(x: Place) -> None:
    before = x.poll()
    at = x.later(days=2)
    x.world.add(Entry(key="meanwhile", platform="x", at=at, by="parent", text="@larkfieldprim anybody there?"))
    x.later(days=20)

    assert "@larkfieldprim anybody there?" in x.poll(before.cursor).texts()


def test_after_a_long_silence_it_is_said_once_what_no_search_reaches(x: Place) -> None:
    before = x.poll()
    assert before.rejects == []
    x.later(days=30)
    after = x.poll(before.cursor)
    (gap,) = after.rejects

    assert gap.raw == {"from": "2026-11-18T10:00:00Z", "to": "2026-12-11T10:10:00Z"}
    assert "not searched" in gap.reason
    assert x.poll(after.cursor).rejects == []


def test_a_silence_that_search_reaches_back_over_leaves_no_gap(x: Place) -> None:
    before = x.poll()
    x.later(days=6)

    assert x.poll(before.cursor).rejects == []


def test_the_first_reading_goes_back_30_days(x: Place) -> None:
    x.world.add(_entry("old", "@larkfieldprim a month ago", at=-timedelta(days=29)))
    x.world.add(_entry("older", "@larkfieldprim before that", at=-timedelta(days=31)))
    found = x.poll().texts()

    assert "@larkfieldprim a month ago" in found
    assert "@larkfieldprim before that" not in found


def test_a_listing_that_shows_nothing_although_its_last_post_exists_is_an_error_and_loses_nothing(x: Place) -> None:
    x.world.add(_entry("seen", "@larkfieldprim hello"))
    before = x.poll()
    at = x.later(minutes=30)
    x.world.add(_entry("missed", "@larkfieldprim are you there?", at=at))
    x.sandbox.fail("x", Fault.EMPTY, path="/mentions")
    pages, cursor = [], None
    with pytest.raises(SourceError, match="did not show even the post that it showed last") as caught:
        for page in x.pages(before.cursor):
            pages.append(page)
            cursor = page.cursor

    assert not caught.value.permanent
    assert "@larkfieldprim are you there?" not in collect(pages).texts()
    x.later(days=2)
    assert "@larkfieldprim are you there?" in x.poll(cursor).texts()


def test_an_empty_page_that_x_counts_records_on_is_an_error() -> None:
    body = {"meta": {"result_count": 3, "next_token": "more"}}
    routes = [Route(path=".*", body=json.dumps(body).encode())]
    with serve(routes) as address, pytest.raises(SourceError, match="none of the 3"):
        collect(_searcher(address).poll(None, PRESENT))


def test_a_listing_whose_last_post_was_deleted_is_empty_and_no_error(x: Place) -> None:
    x.world.add(_entry("only", "Larkfield once"))
    before = _search(x, "once")
    x.world.delete("only", x.later(minutes=5))

    assert collect(_searching(x, "once").poll(before.cursor, x.now)).items == []


def test_a_search_whose_last_post_was_edited_to_speak_of_something_else_is_quiet_and_no_error(x: Place) -> None:
    x.world.add(_entry("only", "Larkfield once"))
    before = _search(x, "once")
    x.world.edit("only", "Never mind", x.later(minutes=5))

    assert collect(_searching(x, "once").poll(before.cursor, x.now)).items == []


def test_a_search_whose_last_post_is_beyond_its_reach_is_quiet_and_no_error(x: Place) -> None:
    x.world.add(_entry("only", "Larkfield once"))
    before = _search(x, "once")
    x.later(days=8)

    assert collect(_searching(x, "once").poll(before.cursor, x.now)).items == []


def test_an_empty_first_listing_is_read_again_from_its_beginning(x: Place) -> None:
    x.world.add(_entry("early", "@larkfieldprim early", at=-timedelta(days=20)))
    x.sandbox.fail("x", Fault.EMPTY, path="/mentions")
    before = x.poll()
    assert "@larkfieldprim early" not in before.texts()

    assert "@larkfieldprim early" in x.poll(before.cursor).texts()


def test_a_search_that_shows_no_reply_that_the_mentions_show_is_an_error_and_made_good_later(x: Place) -> None:
    x.world.add(_entry("aside", "By the way", under="thanks", at=-timedelta(hours=3)))
    x.sandbox.fail("x", Fault.EMPTY, path="/search/recent")
    cursor = None
    with pytest.raises(SourceError, match="X's search showed none"):
        for page in x.pages():
            cursor = page.cursor

    x.later(days=2)
    assert "By the way" in x.poll(cursor).texts()


def test_a_sweep_whose_search_shows_nothing_is_an_error_and_deletes_nothing(x: Place) -> None:
    before = x.poll()
    x.sandbox.fail("x", Fault.EMPTY, path="/search/recent")
    pages = []
    with pytest.raises(SourceError, match="none of"):
        for page in x.connector().thread(
            before.saying("Sports day is on Friday").ref, [item.ref for item in before.items], x.now
        ):
            pages.append(page)

    assert collect(pages).gone == []
    assert all(page.totals == {} for page in pages)


def test_a_look_up_that_says_nothing_of_what_was_asked_is_an_error_and_deletes_nothing(x: Place) -> None:
    before = x.poll()
    x.later(days=8)
    # The search, which reaches none of it anyway, and the look-up.
    x.sandbox.fail("x", Fault.EMPTY, times=2, path="/2/tweets")
    with pytest.raises(SourceError, match="none of"):
        x.sweep(before.saying("Sports day is on Friday").ref, [item.ref for item in before.items])


@pytest.mark.parametrize("fault", [Fault.DUPLICATED, Fault.REORDERED])
def test_pages_that_repeat_or_shuffle_bring_everything_once(x: Place, fault: Fault) -> None:
    x.sandbox.fail("x", fault, times=500)
    found = x.poll()
    swept = x.sweep(found.saying("Sports day is on Friday").ref, [item.ref for item in found.items])

    assert found.texts() == x.expected()
    assert len({item.ref for item in swept.items}) == len(swept.items) == len(found.items)


def test_an_address_leads_to_the_post(x: Place) -> None:
    thanks = x.poll().saying("Thanks!")

    assert thanks.url == f"{x.sandbox.page_url('x')}/annbob/status/{thanks.ref.id}"


def test_an_unknown_handle_needs_a_person(x: Place) -> None:
    with pytest.raises(SourceError, match="@nobodyhere") as caught:
        x.poll(handle="nobodyhere")

    assert caught.value.permanent


def test_a_lookup_of_an_old_version_gives_the_newest(x: Place) -> None:
    before = x.poll()
    x.world.edit("comment-1", "Changed", timedelta(0))
    x.later(days=8)
    # Beyond search's reach: the sweep can only look known posts up by their first id.
    swept = x.sweep(before.saying("Sports day is on Friday").ref, [item.ref for item in before.items])

    changed = swept.saying("Changed")
    assert changed.ref == before.saying("Comment 1 <b>& more</b>").ref
    assert "Comment 1 <b>& more</b>" not in swept.texts()
    assert swept.gone == []


def test_an_answer_to_an_edited_post_names_its_first_id(x: Place) -> None:
    x.world.edit("comment-1", "Changed", timedelta(hours=-18))
    x.world.add(_entry("answer-1", "We heard", by="school", under="comment-1"))
    found = x.poll()

    assert found.saying("We heard").parent == found.saying("Changed").ref


def test_more_known_posts_than_one_lookup_takes_are_all_checked(x: Place) -> None:
    x.world.add(*(_entry(f"many-{n}", f"many {n}", under="post") for n in range(150)))
    before = x.poll()
    x.world.delete("many-7", timedelta(0))
    x.later(days=8)
    swept = x.sweep(before.saying("Sports day is on Friday").ref, [item.ref for item in before.items])

    assert swept.gone == [before.saying("many 7").ref]


def test_what_staff_handed_in_is_not_asked_of_x(x: Place) -> None:
    post = x.poll().saying("Sports day is on Friday")

    assert x.sweep(post.ref, [ItemRef("x", "archive:box:7"), ItemRef("facebook", "1")]).gone == []
    assert x.sweep(ItemRef("x", "archive:box:7"), []) == Read()


def test_a_post_we_may_not_see_is_not_gone() -> None:
    kinds = {"1": "resource-not-found", "2": "not-authorized-for-resource"}
    errors = [
        {"resource_id": key, "type": f"https://api.twitter.com/2/problems/{kind}"} for key, kind in kinds.items()
    ]

    assert Found.of({"errors": errors}).missing == {"1"}


def test_the_names_of_xs_next_specification_are_read_as_well() -> None:
    body = {
        "data": [
            {
                "id": "2122917715771684590",
                "text": "New names",
                "edit_history_post_ids": ["2122902616277284590", "2122917715771684590"],
                "referenced_posts": [{"type": "replied_to", "id": "2122887516779962110"}],
            }
        ],
        "includes": {"posts": [{"id": "2122887516779962110", "edit_history_post_ids": ["2122887516779960000"]}]},
    }
    item = _first_item(body)

    assert item.ref.id == "2122902616277284590"
    assert item.parent == ItemRef("x", "2122887516779960000")


@pytest.mark.parametrize("newest", ["2122917715771684590", "nonsense"])
def test_a_version_whose_newest_is_not_to_be_had_is_read_as_it_is(newest: str) -> None:
    # Every look-up is answered with the same old version.
    history = ["2122902616277284590", newest]
    item = _first_item({"data": [{"id": history[0], "text": "old", "edit_history_tweet_ids": history}]})

    assert (item.ref.id, item.text) == (history[0], "old")


def test_a_time_that_cannot_be_read_is_taken_from_the_id() -> None:
    item = _first_item({"data": [{"id": "1578516242867945475", "text": "x", "created_at": "a while ago"}]})

    assert item.published_at is not None
    assert item.published_at.year == 2022


@pytest.mark.parametrize("data", [None, [], {}, 7, "text", [None], [[]], [{"id": 5}], [{"id": "5", "text": None}]])
def test_any_shape_of_data_is_survived(data: Any) -> None:
    with serve([Route(path=".*", body=json.dumps({"data": data}).encode())]) as address:
        found = collect(_searcher(address).poll(None, PRESENT))

    assert len(found.items) + len(found.rejects) == (len(data) if isinstance(data, list) else 0)


def test_a_retweet_is_left_out() -> None:
    tweet = {"id": "5", "text": "RT @a: b", "referenced_tweets": [{"type": "retweeted", "id": "4"}]}
    with serve([Route(path=".*", body=json.dumps({"data": [tweet]}).encode())]) as address:
        assert collect(_searcher(address).poll(None, PRESENT)).items == []


def test_a_listing_that_goes_round_in_a_circle_is_an_error_and_what_it_brought_is_read() -> None:
    body = {"data": [{"id": "5", "text": "round and round"}], "meta": {"next_token": "again"}}
    kept = []
    routes = [Route(path=".*", body=json.dumps(body).encode())]
    with serve(routes) as address, pytest.raises(SourceError, match="circle"):
        for page in _searcher(address).poll(None, PRESENT):
            kept += [item.text for item in page.items]

    assert kept == ["round and round"]


def test_many_conversations_fit_into_few_searches_and_none_is_left_out(x: Place) -> None:
    x.world.add(*(_entry(f"talk-{n}", f"talk {n}", by="school") for n in range(40)))
    conversations = {item.thread.id for item in x.poll().items if item.thread}
    searches = [
        parse_qs(urlsplit(path).query)["query"][0] for _, path in x.sandbox.requests() if "/search/" in path
    ]

    assert {word for query in searches for word in re.findall(r"\d+", query)} == conversations
    assert all(len(query) <= QUERY_LIMIT for query in searches)
    assert len(set(searches)) < 5


def test_a_photo_is_told_with_the_words_that_describe_it(x: Place) -> None:
    x.world.add(_entry("seen", "@larkfieldprim look", photo=True, alt="A broken gate"))

    assert x.poll().saying("@larkfieldprim look").attachments == ("photo: A broken gate",)


def test_a_search_without_a_query_looks_for_the_schools_names(x: Place) -> None:
    names = SchoolNames(names=("Larkfield School",), misspellings=("Larkfeild",), handles=("larkfield_pta",))
    x.world.add(
        _entry("name", "Is Larkfield School open?"),
        _entry("misspelt", "larkfeild again"),
        _entry("handle", "Thanks @larkfield_pta"),
        _entry("apart", "larkfield, a school"),
        _entry("ours", "@larkfieldprim Larkfield School is shut"),
        _entry("own", "Larkfield School is open", by="school"),
    )
    found = collect(_mentions(x, names).poll(None, x.now))

    assert found.texts() == ["Is Larkfield School open?", "Thanks @larkfield_pta", "larkfeild again"]


def test_many_names_are_searched_for_in_several_searches(x: Place) -> None:
    many = tuple(f"The Larkfield School of Northvale number {n}" for n in range(30))
    x.world.add(_entry("last", f"I like {many[-1]}"), _entry("first", f"I like {many[0]}"))
    connector = _mentions(x, SchoolNames(names=many))
    asked = len(x.sandbox.requests())

    assert len(collect(connector.poll(None, x.now)).items) == 2
    searches = [parse_qs(urlsplit(path).query)["query"][0] for _, path in x.sandbox.requests()[asked:]]
    assert len(searches) == 4
    assert all(len(query) <= QUERY_LIMIT for query in searches)


def test_a_search_for_nothing_is_refused_and_says_what_to_do(x: Place) -> None:
    with pytest.raises(ConfigError, match="option 'query'"):
        _mentions(x, SchoolNames())


def _mentions(x: Place, names: SchoolNames) -> Connector:
    options = x.sandbox.options("x")
    account = Account(
        id="said",
        connector="x",
        channel=Channel.MENTION,
        name="said",
        options=options,
        names=names,
        handles=("larkfieldprim", "Larkfield School", "100200300400500"),
    )
    return connect(account, {"token": TOKEN})


def _first_item(body: Any) -> Item:
    with serve([Route(path=".*", body=json.dumps(body).encode())]) as address:
        return collect(_searcher(address).poll(None, PRESENT)).items[0]


def _searcher(address: str) -> Any:
    options = {"query": "larkfield", "base_url": address}
    account = Account(id="search", connector="x", channel=Channel.MENTION, name="search", options=options)
    return connect(account, {"token": "t"})
