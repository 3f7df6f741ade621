"""What is particular to Facebook."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors import connect
from connectors._graph import following
from connectors.sandbox import Entry
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import Route, needs_recordings, recording, serve


def _connector(address: str) -> Any:
    options = {"page": "1", "base_url": address}
    account = Account(id="page", connector="facebook", channel=Channel.OFFICIAL, name="page", options=options)
    return connect(account, {"token": "t"})


def test_replies_are_listed_with_the_comments(facebook: Place) -> None:
    found = facebook.poll()

    assert found.saying("What time does it start?").kind is ItemKind.COMMENT
    assert found.saying("Thanks!").kind is ItemKind.REPLY
    assert found.saying("Thanks!").parent == found.saying("At ten.").ref


def test_a_visitors_post_on_the_page_is_read_with_its_comments(facebook: Place) -> None:
    at = -timedelta(hours=2)
    facebook.world.add(
        Entry(key="visitor", platform="facebook", at=at, by="parent", text="Hello from me"),
        Entry(key="under", platform="facebook", at=at, by="parent", under="visitor", text="And me"),
    )
    found = facebook.poll()

    assert found.saying("Hello from me").author.kind is AuthorKind.UNKNOWN
    assert "And me" in found.texts()


def test_a_post_elsewhere_that_tags_the_page_is_read_once_and_its_comments_are_left_alone(facebook: Place) -> None:
    at = -timedelta(hours=2)
    facebook.world.add(
        Entry(key="tag", platform="facebook", at=at, by="parent", text="Look at this", tags_school=True),
        Entry(key="under", platform="facebook", at=at, by="parent", under="tag", text="Not ours to read"),
    )
    found = facebook.poll()

    assert found.texts().count("Look at this") == 1
    assert "Not ours to read" not in found.texts()


def test_a_comment_under_an_old_post_of_the_window_is_found(facebook: Place) -> None:
    before = facebook.poll()
    at = facebook.later(days=25)
    facebook.world.add(
        Entry(key="late", platform="facebook", at=at, by="parent", under="post", text="Only just seen this")
    )

    assert "Only just seen this" in facebook.poll(before.cursor).texts()


def test_nothing_is_missed_after_a_silence_longer_than_the_window(facebook: Place) -> None:
    before = facebook.poll()
    at = facebook.later(days=10)
    facebook.world.add(Entry(key="meanwhile", platform="facebook", at=at, by="parent", text="Meanwhile"))
    facebook.later(days=60)

    assert "Meanwhile" in facebook.poll(before.cursor).texts()


def test_a_deleted_post_is_gone_with_everything_below_it(facebook: Place) -> None:
    before = facebook.poll()
    post = before.saying("Sports day is on Friday").ref
    below = {item.ref for item in before.items if item.thread == post}
    facebook.world.delete("post", facebook.later(minutes=1))
    swept = facebook.sweep(post, below)

    assert set(swept.gone) == below | {post}


def test_a_page_that_cannot_be_read_proves_no_deletion(facebook: Place) -> None:
    before = facebook.poll()
    post = before.saying("Sports day is on Friday").ref
    # To this account everything "does not exist", its own Page first of all.
    connector = facebook.connector(page="999")
    with pytest.raises(SourceError) as caught:
        collect(connector.thread(ItemRef("facebook", "999_1"), [post], facebook.now))

    assert caught.value.permanent


def test_what_staff_handed_in_is_not_asked_of_facebook(facebook: Place) -> None:
    post = facebook.poll().saying("Sports day is on Friday")

    assert facebook.sweep(post.ref, [ItemRef("facebook", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert facebook.sweep(ItemRef("facebook", "archive:box:7"), []) == Read()


def test_an_address_leads_to_the_comment(facebook: Place) -> None:
    url = facebook.poll().saying("At ten.").url

    assert url.startswith(f"{facebook.sandbox.page_url('facebook')}/100200300400500/posts/")
    assert "reply_comment_id=" in url


@needs_recordings
def test_a_listing_paged_by_time_is_followed_without_its_token() -> None:
    more = following(json.loads(recording("facebook/posts/feed_fields_p1.json")))

    assert more == {"until": "1624385168", "__paging_token": "__paging_token"}


def test_json_without_a_content_type_is_read_all_the_same() -> None:
    post = {"id": "1_2", "message": "Hello", "created_time": "2026-11-17T09:00:00+0000"}
    routes = [
        Route(path=".*/feed", body=json.dumps({"data": [post]}).encode(), content_type=None),
        Route(path=".*", body=b'{"data": []}', content_type="text/html"),
    ]
    with serve(routes) as address:
        assert collect(_connector(address).poll(None, PRESENT)).texts() == ["Hello"]


def test_a_listing_that_goes_round_in_a_circle_is_an_error() -> None:
    page = {"data": [], "paging": {"next": "https://graph.facebook.com/x", "cursors": {"after": "again"}}}
    with (
        serve([Route(path=".*", body=json.dumps(page).encode())]) as address,
        pytest.raises(SourceError, match="circle"),
    ):
        collect(_connector(address).poll(None, PRESENT))


@pytest.mark.parametrize("code", [1, 2, 4, 10, 17, 32, 100, 102, 190, 200, 368, 613, 80001, None, "190", {}])
def test_every_error_of_graph_is_a_source_error_with_its_number_in_words(code: Any) -> None:
    body = json.dumps({"error": {"message": "no", "type": "OAuthException", "code": code}}).encode()
    with serve([Route(path=".*", body=body, status=400)]) as address, pytest.raises(SourceError) as caught:
        collect(_connector(address).poll(None, PRESENT))

    assert caught.value.permanent == (code in (10, 100, 102, 190, 200))
    assert (caught.value.retry_at is not None) == (code in (4, 17, 32, 613, 80001))
    assert "Facebook" in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": {}}', b'{"data": 7}', b'"text"', b"null", b"[" * 5000])
def test_an_answer_of_another_shape_is_a_source_error(body: bytes) -> None:
    with serve([Route(path=".*", body=body)]) as address, pytest.raises(SourceError):
        collect(_connector(address).poll(None, PRESENT))
