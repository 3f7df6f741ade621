"""The recorded answers of real platforms, read by the same connectors."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors import connect
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef
from tests.contract.places import Read, collect
from tests.contract.recorded import (
    BLUESKY_DID,
    COMMENTED_POST,
    SECRETS,
    Route,
    bluesky_session,
    cassette,
    needs_recordings,
    recorded_accounts,
    recording,
    serve,
)

pytestmark = needs_recordings
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Account]]:
    with recorded_accounts() as found:
        yield {account.id: account for account in found}


def _poll(account: Account) -> Read:
    return collect(connect(account, SECRETS).poll(None, NOW))


def test_xs_recorded_mentions_and_posts_are_all_read(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["x-official"])
    told = [
        post
        for name in ("get_users_mentions", "get_users_tweets")
        for post in json.loads(cassette(f"test_client_{name}.yaml")[0])["data"]
    ]

    assert {item.ref.id for item in found.items} == {post["id"] for post in told}
    assert len(found.items) == len(told) == 12
    assert found.rejects == []


def test_xs_recorded_posts_have_no_time_but_their_ids_do(accounts: dict[str, Account]) -> None:
    mention = _poll(accounts["x-official"]).saying("@MercyKnifed @Twitter what the fuck???")

    assert mention.published_at is not None
    # Recorded at 22:43:18 UTC.
    assert mention.published_at.isoformat(timespec="seconds") == "2022-10-07T22:42:54+00:00"
    assert mention.author.kind is AuthorKind.UNKNOWN


def test_xs_recorded_search_is_read(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["x-search"])

    assert len(found.items) == 10
    assert all(item.text.endswith("tweepy") for item in found.items)


def test_facebooks_recorded_feed_and_comments_are_all_read(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["facebook-page"])
    posts = [item for item in found.items if item.kind is ItemKind.POST]

    assert (len(posts), len(found.items)) == (10, 25)
    assert found.rejects == []
    assert all(item.published_at is not None and item.url for item in found.items)
    assert "photo" in posts[0].attachments


def test_facebooks_recorded_comments_without_an_id_take_it_from_their_address(accounts: dict[str, Account]) -> None:
    connector = connect(accounts["facebook-page"], SECRETS)
    found = collect(connector.thread(ItemRef("facebook", COMMENTED_POST), [], NOW))
    reply = next(item for item in found.items if item.text.startswith("Hi, please access the Instagram"))

    assert reply.ref == ItemRef("facebook", "10158407654328553_10158409983033553")
    assert reply.parent == ItemRef("facebook", "10158407654328553_10158407903973553")
    assert reply.kind is ItemKind.REPLY
    assert reply.author.kind is AuthorKind.UNKNOWN
    assert len({item.ref for item in found.items}) == 16


def test_facebooks_recorded_refusal_is_a_refusal_and_no_deletion() -> None:
    refusal = recording("facebook/error.json")
    with serve([Route(path=".*", body=refusal, status=400)]) as address:
        account = Account(
            id="page",
            connector="facebook",
            channel=Channel.OFFICIAL,
            name="page",
            options={"page": "1", "base_url": address},
        )
        connector = connect(account, SECRETS)
        with pytest.raises(SourceError) as caught:
            collect(connector.thread(ItemRef("facebook", "1_2"), [ItemRef("facebook", "2_3")], NOW))

    assert caught.value.permanent


@pytest.mark.parametrize("key", ["blog-atom", "blog-rss"])
def test_wordpress_recorded_comments_are_all_read(accounts: dict[str, Account], key: str) -> None:
    found = _poll(accounts[key])

    assert len(found.items) == 10
    assert found.rejects == []
    newest = found.items[0]
    assert newest.text == "Comment 14 bold & Frau Müller 😀"
    assert newest.author.display_name == "P14"
    assert newest.kind is ItemKind.COMMENT
    assert newest.ref == ItemRef("feed", "http://127.0.0.1:8085/?p=1#comment-16")
    assert newest.thread == ItemRef("feed", "http://127.0.0.1:8085/?p=1")
    assert newest.published_at == datetime(2026, 11, 21, 8, 20, 40, tzinfo=UTC)


def test_wordpress_atom_says_what_a_reply_answers(accounts: dict[str, Account]) -> None:
    reply = _poll(accounts["blog-atom"]).items[-1]

    assert reply.parent == ItemRef("feed", "http://127.0.0.1:8085/?p=1#comment-2")
    assert reply.kind is ItemKind.REPLY
    assert reply.text == "In reply to P0.\nComment 5 bold & Frau Müller 😀"


def test_wordpress_gives_the_same_items_as_atom_and_as_rss(accounts: dict[str, Account]) -> None:
    atom, rss = _poll(accounts["blog-atom"]).items, _poll(accounts["blog-rss"]).items

    assert [(item.ref, item.revision) for item in atom] == [(item.ref, item.revision) for item in rss]


def test_blueskys_recorded_feed_thread_and_notifications_are_all_read(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["bluesky-official"])

    assert found.texts() == [
        "BACKDATED reply",
        "Open day Saturday",
        "Sports day at Testschool is on Friday",
        "even worse nested",
        "hey @stmarys.test bad school",
        "reply one",
    ]
    assert found.rejects == []
    assert found.saying("Open day Saturday").author.kind is AuthorKind.SCHOOL
    assert found.saying("reply one").kind is ItemKind.COMMENT
    assert found.saying("hey @stmarys.test bad school").kind is ItemKind.POST


def test_blueskys_recorded_nested_reply_names_what_it_answers(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["bluesky-official"])
    nested = found.saying("even worse nested")

    assert nested.kind is ItemKind.REPLY
    assert nested.thread == found.saying("Sports day at Testschool is on Friday").ref
    # The reply above it was hidden by the school, and so was never notified.
    assert nested.parent == ItemRef(
        "bluesky", "at://did:plc:um5psm2k4bgldzy3zymqxrdq/app.bsky.feed.post/3n2sqsnayyc26"
    )


def test_blueskys_recorded_backdated_reply_is_dated_by_its_key(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["bluesky-official"])

    assert found.saying("BACKDATED reply").published_at == datetime(2026, 11, 21, 9, 9, 11, 110_000, UTC)
    # Recorded with a date three minutes ahead of its arrival.
    assert found.saying("Open day Saturday").published_at == datetime(2026, 11, 21, 9, 9, 10, 984_000, UTC)


def test_blueskys_recorded_sweep_finds_nothing_gone(accounts: dict[str, Account]) -> None:
    found = _poll(accounts["bluesky-official"])
    connector = connect(accounts["bluesky-official"], SECRETS)
    known = [item.ref for item in found.items if item.kind is not ItemKind.POST]
    swept = collect(connector.thread(found.saying("Open day Saturday").ref, known, NOW))

    assert swept.gone == []
    assert {"reply one", "BACKDATED reply", "even worse nested"} <= set(swept.texts())


def test_blueskys_recorded_answer_about_a_deleted_post_makes_it_gone(accounts: dict[str, Account]) -> None:
    deleted = ItemRef("bluesky", f"at://{BLUESKY_DID}/app.bsky.feed.post/3aaaaaaaaaaaa")

    assert collect(connect(accounts["bluesky-official"], SECRETS).thread(deleted, [], NOW)).gone == [deleted]


@pytest.mark.parametrize("name", ["searchPosts_anon", "searchPosts_pds"])
def test_blueskys_recorded_search_is_read(name: str) -> None:
    body = recording(f"bluesky/{name}.json")
    routes = [
        bluesky_session(),
        Route(path=".*", query={"cursor": json.loads(body)["cursor"]}, body=b'{"posts": []}'),
        Route(path=".*/app.bsky.feed.searchPosts", body=body),
    ]
    with serve(routes) as address:
        found = collect(connect(_bluesky(address, Channel.MENTION), SECRETS).poll(None, NOW))

    assert found.texts() == ["BACKDATED reply", "reply one"]


def test_blueskys_recorded_refusal_asks_for_a_new_app_password() -> None:
    routes = [
        bluesky_session(),
        Route(path=".*", body=recording("bluesky/badToken.json"), status=400),
    ]
    with serve(routes) as address, pytest.raises(SourceError, match="new app password") as caught:
        collect(connect(_bluesky(address, Channel.OFFICIAL), SECRETS).poll(None, NOW))

    assert caught.value.permanent


def _bluesky(address: str, channel: Channel) -> Account:
    options = {"handle": "stmarys.test", "base_url": address, "queries": ["reply"]}
    return Account(id="bluesky", connector="bluesky", channel=channel, name="Bluesky", options=options)
