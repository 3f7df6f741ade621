"""What X counts, what it charges, and when it asks for rest."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from connectors import connect
from connectors._x import totals
from connectors._x_api import Prices, Spending
from connectors.sandbox import TOKEN, Entry, Fault
from monitor.domain.account import Account, Budget
from monitor.domain.errors import SourceError
from monitor.domain.item import Channel, Item, ItemRef, Page
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, collect
from tests.contract.recorded import Route, serve


def _searching(where: Mapping[str, object], query: str) -> Connector:
    options = {**where, "query": query}
    account = Account(id="search", connector="x", channel=Channel.MENTION, name="search", options=options)
    return connect(account, {"token": TOKEN})


def _entry(key: str, text: str, **about: Any) -> Entry:
    return Entry(key=key, platform="x", text=text, **{"at": -timedelta(hours=1), "by": "parent", **about})


def test_a_conversations_total_counts_answers_at_every_depth(x: Place) -> None:
    pages = list(x.pages())
    found = collect(pages)
    post, other = found.saying("Sports day is on Friday").ref, found.saying("Lost: one scarf").ref

    assert _totals(pages) == {post: 14, other: 1}
    assert _totals(x.connector().thread(post, [item.ref for item in found.items], x.now)) == {post: 14}


def test_a_count_that_disagrees_is_told_as_it_is(x: Place) -> None:
    x.world.add(_entry("talk", "Open day", by="school"), _entry("yes", "Lovely", under="talk", miscount=2))
    pages = list(x.pages())

    assert _totals(pages)[collect(pages).saying("Open day").ref] == 3


def test_an_answer_to_what_was_deleted_counts_in_its_conversation(x: Place) -> None:
    found = x.poll()
    post = found.saying("Sports day is on Friday").ref
    x.world.delete("question", x.later(minutes=5))
    known = [item.ref for item in found.items if item.text != "What time does it start?"]

    assert _totals(x.connector().thread(post, known, x.now)) == {post: 13}


def test_where_only_part_of_a_conversation_was_read_its_total_is_left_out(x: Place) -> None:
    before = x.poll()
    x.later(minutes=10)

    assert _totals(x.pages(before.cursor)) == {}
    assert _totals(_searching(x.sandbox.options("x"), "friday").poll(None, x.now)) == {}


def test_answers_to_an_earlier_version_count_as_well() -> None:
    edited = {"edit_history_tweet_ids": ["2122902616277284590", "2122902617277284590"], "text": "Open day"}
    about = {"conversation_id": "2122902616277284590", "public_metrics": {"reply_count": 0}}
    answer = {"referenced_tweets": [{"type": "replied_to", "id": "2122902616277284590"}], "text": "Lovely"}
    body = [{"id": "2122902617277284590", **edited, **about}, {"id": "2122902618277284590", **answer, **about}]
    items = _items({"data": body})

    assert totals(items) == {items[0].ref: 1}


def test_a_count_that_x_leaves_out_makes_no_total() -> None:
    post = {"id": "2122902616277284590", "conversation_id": "2122902616277284590", "text": "x"}
    for metrics in ({}, {"reply_count": None}, {"reply_count": -1}, {"reply_count": 10**30}):
        assert totals(_items({"data": [{**post, "public_metrics": metrics}]})) == {}
    assert list(totals(_items({"data": [{**post, "public_metrics": {"reply_count": 3}}]})).values()) == [3]


def test_what_x_charges_is_counted_once_a_day(x: Place) -> None:
    connector = x.connector()
    first = list(connector.poll(None, x.now))
    posts, people, photos = len(collect(first).items), 2, 1

    assert _spent(first) == pytest.approx(posts * 0.005 + people * 0.010 + photos * 0.005)
    assert _spent(connector.poll(first[-1].cursor, x.now)) == 0
    x.later(days=1)
    assert _spent(connector.poll(None, x.now)) == pytest.approx(_spent(first))


def test_after_a_restart_the_days_resources_are_counted_again(x: Place) -> None:
    first = _spent(x.pages())

    assert first > 0
    assert _spent(x.pages()) == first


def test_what_a_poll_cost_before_it_failed_is_told_and_moves_no_cursor(x: Place) -> None:
    connector, before = x.connector(), x.poll()
    x.sandbox.fail("x", Fault.SERVER_ERROR, path="/tweets")
    failed = []
    with pytest.raises(SourceError):
        for page in connector.poll(before.cursor, x.now):
            failed.append(page)

    assert _spent(failed) > 0
    assert {page.cursor for page in failed} == {before.cursor}
    assert _spent(failed) + _spent(connector.poll(before.cursor, x.now)) == _spent(x.pages(before.cursor))


def test_what_a_page_cost_that_could_not_be_stored_is_still_due(x: Place) -> None:
    connector = x.connector()
    page = next(connector.poll(None, x.now))

    assert page.spent > 0
    assert _spent(connector.poll(None, x.now)) == pytest.approx(_spent(x.pages()))


def test_sweeping_the_same_day_again_costs_nothing(x: Place) -> None:
    connector = x.connector()
    found = collect(connector.poll(None, x.now))
    post = found.saying("Sports day is on Friday").ref
    known = [item.ref for item in found.items if item.thread == post]

    assert _spent(connector.thread(post, known, x.now)) == 0
    x.later(hours=5)
    assert _spent(connector.thread(post, known, x.now)) == 0


def test_an_old_conversation_is_swept_at_the_price_of_its_posts_alone(x: Place) -> None:
    found = x.poll()
    post = found.saying("Sports day is on Friday").ref
    known = [item.ref for item in found.items if item.thread == post]
    x.world.delete("comment-3", x.later(days=8))
    pages = list(x.connector().thread(post, known, x.now))

    assert _spent(pages) == pytest.approx((len(known) - 1) * 0.005)
    assert collect(pages).gone == [found.saying("Comment 3 <b>& more</b>").ref]
    assert _totals(pages) == {post: len(known) - 2}


def test_an_edit_of_an_old_post_is_read_in_full(x: Place) -> None:
    found = x.poll()
    post = found.saying("Sports day is on Friday").ref
    x.world.edit("comment-1", "Changed", timedelta(0))
    x.later(days=8)

    assert x.sweep(post, [item.ref for item in found.items]).saying("Changed").author.handle == "annbob"


def test_what_is_read_as_the_day_turns_counts_for_both_days() -> None:
    spending = Spending(Prices(post=0.005, user=0.010, media=0.005, message=0.010))
    noon = PRESENT.replace(hour=12)
    for at in (noon, noon.replace(hour=23, minute=55), noon + timedelta(hours=13)):
        spending.charge({"data": [{"id": "1"}]}, "post", at)

    assert spending.due == pytest.approx(2 * 0.005)


def test_own_posts_and_mentions_are_cheaper_for_whoever_owns_the_app() -> None:
    spending = Spending(Prices(post=0.005, user=0.010, media=0.005, message=0.010))
    spending.charge({"data": [{"id": "1"}, {"id": "2"}]}, "post", PRESENT, 0.001)
    assert spending.due == pytest.approx(0.002)

    # Found by a search as well, at its full price.
    spending.charge({"data": [{"id": "1"}], "errors": [{"resource_id": "3"}]}, "post", PRESENT)
    assert spending.due == pytest.approx(0.006)


def test_the_budget_is_the_accounts_own(x: Place) -> None:
    assert x.connector(monthly_cap=12).capabilities().budget == Budget(unit="US$", cap=12, period="month")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (429, "usage-capped", "usage cap"),
        (403, "usage-capped", "usage cap"),
        (402, "credits", "credit is used up"),
        (403, "credits", "credit is used up"),
        (402, "", "credit is used up"),
    ],
)
def test_what_only_money_cures_is_called_that(status: int, kind: str, words: str) -> None:
    body = {"title": "No", "type": f"https://api.twitter.com/2/problems/{kind}"}
    routes = [Route(path=".*", status=status, body=json.dumps(body).encode())]
    with serve(routes) as address, pytest.raises(SourceError, match=words) as caught:
        collect(_searching({"base_url": address}, "larkfield").poll(None, PRESENT))

    assert caught.value.permanent
    assert "console.x.com" in str(caught.value)
    assert "new token" not in str(caught.value)


def test_where_no_request_is_left_x_is_left_alone_until_the_reset() -> None:
    reset = PRESENT + timedelta(minutes=9)
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(reset.timestamp()))}
    with serve([Route(path=".*", body=b"{}", headers=headers)]) as address:
        pages = list(_searching({"base_url": address}, "larkfield").poll(None, PRESENT))

    assert pages[-1].rest_until == reset


def _totals(pages: Iterable[Page]) -> dict[ItemRef, int]:
    return {ref: count for page in pages for ref, count in page.totals.items()}


def _spent(pages: Iterable[Page]) -> float:
    return sum(page.spent for page in pages)


def _items(body: Any) -> list[Item]:
    with serve([Route(path=".*", body=json.dumps(body).encode())]) as address:
        return collect(_searching({"base_url": address}, "larkfield").poll(None, PRESENT)).items
