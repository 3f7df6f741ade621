"""What is particular to X."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors import connect
from connectors._x import Found
from connectors._x_api import QUERY_LIMIT, any_of, batches
from connectors.sandbox import TOKEN, Entry
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Channel, Item, ItemKind, ItemRef
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
    return Entry(key=key, platform="x", at=-timedelta(hours=1), text=text, **{"by": "parent", **about})


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


def test_searches_fit_xs_limit_and_leave_nothing_out() -> None:
    terms = [f"conversation_id:{2_122_917_715_771_684_590 + n}" for n in range(40)]
    narrowed = " -from:larkfieldprim"
    groups = list(batches(terms, narrowed))

    assert [term for group in groups for term in group] == terms
    assert all(len(any_of(group, narrowed)) <= QUERY_LIMIT for group in groups)
    assert len(groups) < 5


def _first_item(body: Any) -> Item:
    with serve([Route(path=".*", body=json.dumps(body).encode())]) as address:
        return collect(_searcher(address).poll(None, PRESENT)).items[0]


def _searcher(address: str) -> Any:
    options = {"query": "larkfield", "base_url": address}
    account = Account(id="search", connector="x", channel=Channel.MENTION, name="search", options=options)
    return connect(account, {"token": "t"})
