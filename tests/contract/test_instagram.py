"""What is particular to Instagram."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import connect
from connectors.sandbox import TOKEN, Entry
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef
from tests.contract.graph import EMPTY, INSTAGRAM, MISSING, REFUSED, connector, listed, poll, route, sweep
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import Route, needs_recordings, recording, serve

POST = INSTAGRAM.post(count=0)


def _poll(routes: Sequence[Route], cursor: str | None = None, now: datetime = PRESENT) -> Read:
    return poll(INSTAGRAM, routes, cursor, now)


def _sweep(routes: Sequence[Route], *known: str) -> Read:
    return sweep(INSTAGRAM, routes, *known)


def test_an_answer_to_a_reply_is_one_more_reply_to_the_comment(instagram: Place) -> None:
    found = instagram.poll()
    question, thanks = found.saying("What time does it start?"), found.saying("Thanks!")

    assert question.kind is ItemKind.COMMENT
    assert thanks.kind is ItemKind.REPLY
    assert thanks.parent == question.ref
    assert thanks.thread == found.saying("Sports day is on Friday").ref


def test_an_address_leads_to_the_comment(instagram: Place) -> None:
    found = instagram.poll()
    post, question, answer = map(found.saying, ("Sports day is on Friday", "What time does it start?", "At ten."))

    assert question.url == f"{post.url}c/{question.ref.id}/"
    assert answer.url == f"{post.url}c/{question.ref.id}/r/{answer.ref.id}/"


def test_replies_are_asked_for_where_there_are_some(instagram: Place) -> None:
    question = instagram.poll().saying("What time does it start?")
    asked = [path for _, path in instagram.sandbox.requests() if "/replies" in path]

    assert len(asked) == 1
    assert f"/{question.ref.id}/replies" in asked[0]


def test_photos_that_tag_the_school_are_mentions_and_are_all_read(instagram: Place) -> None:
    # More than two pages; this edge never announces the next.
    for n in range(9):
        instagram.world.add(_tag(f"tag-{n}", hours=n + 1))
    instagram.world.add(
        Entry(
            key="under", platform="instagram", at=-timedelta(hours=1), by="parent", under="tag-3", text="Not ours"
        )
    )
    found = instagram.poll()
    tags = [item for item in found.items if item.channel is Channel.MENTION]

    assert sorted(item.text for item in tags) == sorted(f"tag-{n}" for n in range(9))
    assert {(item.kind, item.author.kind) for item in tags} == {(ItemKind.POST, AuthorKind.UNKNOWN)}
    assert "Not ours" not in found.texts()


def test_somebody_elses_photo_cannot_be_asked_for_and_is_not_gone_for_that(instagram: Place) -> None:
    instagram.world.add(_tag("tag", hours=1))
    tag = instagram.poll().saying("tag")
    swept = instagram.sweep(tag.ref, [tag.ref])
    instagram.world.delete("tag", instagram.later(minutes=1))

    assert (swept.texts(), swept.gone) == (["tag"], [])
    assert instagram.sweep(tag.ref, [tag.ref]).gone == [tag.ref]


def test_an_edited_caption_is_a_new_revision(instagram: Place) -> None:
    before = instagram.poll()
    instagram.world.edit("post", "Sports day is on Monday", instagram.later(minutes=5))
    after = instagram.poll(before.cursor)

    assert after.saying("Sports day is on Monday").ref == before.saying("Sports day is on Friday").ref


def test_a_comment_on_an_old_post_is_found_by_its_count_and_others_are_not_asked_again(instagram: Place) -> None:
    before = instagram.poll()
    at = instagram.later(days=60)
    between = instagram.poll(before.cursor)
    late = Entry(key="late", platform="instagram", at=at, by="parent", under="post", text="Only just seen this")
    instagram.world.add(late)
    asked = len(instagram.sandbox.requests())
    after = instagram.poll(between.cursor)
    comments = {path.split("?")[0] for _, path in instagram.sandbox.requests()[asked:] if "/comments" in path}

    assert "Only just seen this" in after.texts()
    assert len(comments) == 1


def test_nothing_is_missed_after_a_silence_longer_than_the_window(instagram: Place) -> None:
    before = instagram.poll()
    at = instagram.later(days=10)
    instagram.world.add(Entry(key="meanwhile", platform="instagram", at=at, by="school", text="Meanwhile"))
    instagram.later(days=200)

    assert "Meanwhile" in instagram.poll(before.cursor).texts()


def test_a_deleted_post_is_gone_with_everything_below_it(instagram: Place) -> None:
    before = instagram.poll()
    post = before.saying("Sports day is on Friday").ref
    below = {item.ref for item in before.items if item.thread == post}
    instagram.world.delete("post", instagram.later(minutes=1))

    assert set(instagram.sweep(post, below).gone) == below | {post}


def test_an_account_that_cannot_be_read_proves_no_deletion(instagram: Place) -> None:
    post = instagram.poll().saying("Sports day is on Friday").ref
    connector = instagram.connector(user="999")
    with pytest.raises(SourceError) as caught:
        collect(connector.thread(ItemRef("instagram", "998"), [post], instagram.now))

    assert caught.value.permanent


def test_what_staff_handed_in_is_not_asked_of_instagram(instagram: Place) -> None:
    post = instagram.poll().saying("Sports day is on Friday")

    assert instagram.sweep(post.ref, [ItemRef("instagram", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert instagram.sweep(ItemRef("instagram", "archive:box:7"), []) == Read()


def test_the_schools_comments_are_known_though_the_register_has_no_handle(instagram: Place) -> None:
    known = instagram.account()
    account = Account(id="a", connector="instagram", channel=known.channel, name="a", options=known.options)
    found = collect(connect(account, {"token": TOKEN}).poll(None, instagram.now))

    assert found.saying("At ten.").author.kind is AuthorKind.SCHOOL
    assert found.saying("Thanks!").author.kind is AuthorKind.UNKNOWN


def test_it_says_what_cannot_be_read() -> None:
    notes = " ".join(connector(INSTAGRAM, "http://127.0.0.1:1").capabilities().notes)

    assert "webhooks" in notes
    assert "one level deep" in notes


def test_every_picture_of_an_album_is_an_attachment_with_its_alt_text() -> None:
    children = [
        {"id": "2", "media_type": "IMAGE", "alt_text": "Two runners\nat the finish"},
        {"id": "3", "media_type": "VIDEO"},
        {"id": "4", "media_type": "IMAGE"},
    ]
    album = {**POST, "media_type": "CAROUSEL_ALBUM", "children": {"data": children}}
    single = {**POST, "id": "5", "media_type": "IMAGE", "alt_text": "A scarf"}
    found = _poll([listed("7/media", album, single)])

    assert [item.attachments for item in found.items] == [
        ("photo: Two runners at the finish", "video", "photo"),
        ("photo: A scarf",),
    ]


def test_a_hidden_comment_that_is_no_longer_listed_is_not_gone() -> None:
    hidden = INSTAGRAM.comment("8", hidden=True, parent_id="6")
    swept = _sweep([route("1", POST), route("8", hidden), route("9", MISSING, status=400)], "8", "9")
    item = swept.saying("comment 8")

    assert swept.gone == [ItemRef("instagram", "9")]
    assert item.raw["hidden"] is True
    assert item.parent == ItemRef("instagram", "6")


def test_a_comment_that_is_withheld_is_not_gone_and_stops_nothing() -> None:
    withheld = route("8", REFUSED, status=403)
    swept = _sweep([route("1", POST), withheld, route("9", INSTAGRAM.comment("9"))], "8", "9")

    assert swept.gone == []
    assert "comment 9" in swept.texts()


def test_a_post_that_is_withheld_is_not_gone() -> None:
    account, withheld = route("7", {"id": "7"}), route("1", REFUSED, status=403)

    assert _sweep([account, withheld], "8") == Read()


def test_replies_that_no_comment_speaks_of_are_found_by_the_count() -> None:
    routes = [
        listed("7/media", {**POST, "comments_count": 3}),
        listed("1/comments", INSTAGRAM.comment("2"), INSTAGRAM.comment("3")),
        listed("3/replies", INSTAGRAM.comment("4")),
    ]
    found = _poll(routes)

    assert found.saying("comment 4").parent == ItemRef("instagram", "3")
    assert found.rejects == []


def test_a_count_that_stays_higher_than_what_is_shown_is_reported_and_not_looked_into_for_ever() -> None:
    routes = [listed("7/media", {**POST, "comments_count": 3}), listed("1/comments", INSTAGRAM.comment("2"))]
    first = _poll(routes)
    refused = route("2/replies", REFUSED, status=403)
    second = _poll([*routes, refused], first.cursor)
    (reject,) = second.rejects

    assert first.rejects == []
    assert "counts 3 comments" in reject.reason
    assert reject.raw == {"id": "1", "comments_count": 3, "shown": 1}


def test_a_listing_that_grew_while_it_was_read_brings_each_comment_once() -> None:
    follows = {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/?access_token=t&after=x"}
    routes = [
        listed("7/media", {**POST, "comments_count": 3}),
        listed("1/comments", INSTAGRAM.comment("3"), INSTAGRAM.comment("4"), query={"after": "x"}),
        route("1/comments", {"data": [INSTAGRAM.comment("2"), INSTAGRAM.comment("3")], "paging": follows}),
    ]

    assert [text for text in _poll(routes).texts() if text.startswith("comment")] == [
        "comment 2",
        "comment 3",
        "comment 4",
    ]


def test_a_pinned_post_does_not_end_the_list_and_a_page_of_old_ones_does() -> None:
    def listing(*records: Any, after: str) -> dict[str, Any]:
        return {"data": records, "paging": {"cursors": {"after": after}, "next": "https://graph.facebook.com/"}}

    old = {"timestamp": "2025-01-01T09:00:00+0000"}
    routes = [
        route("7/media", listing({**POST, **old, "id": "3", "caption": "old"}, after="c"), query={"after": "b"}),
        route("7/media", REFUSED, status=403, query={"after": "c"}),
        route("7/media", listing({**POST, **old, "id": "2", "caption": "pinned"}, POST, after="b")),
    ]

    assert _poll(routes).texts() == ["Sports day"]


@needs_recordings
def test_recorded_posts_are_read_with_all_their_pictures() -> None:
    posts = json.loads(recording("instagram/medias/medias_fields.json")).values()
    found = _poll([listed("7/media", *posts)], now=datetime(2021, 7, 28, tzinfo=UTC))

    assert [item.text for item in found.items] == ["Peach new", "ALBUM"]
    assert [item.attachments for item in found.items] == [("photo",), ("photo", "photo", "video")]
    assert {item.author.kind for item in found.items} == {AuthorKind.SCHOOL}
    assert found.saying("ALBUM").url == "https://www.instagram.com/p/CRyZpmrjYC4/"
    assert found.saying("Peach new").published_at == datetime(2021, 6, 9, 9, 47, 29, tzinfo=UTC)


@needs_recordings
def test_recorded_comments_and_replies_are_all_read() -> None:
    post = json.loads(recording("instagram/medias/media_default.json"))
    # It was recorded of a post without comments; where no count is given, every comment is asked for replies.
    del post["comments_count"]
    routes = [
        route("1", {**post, "id": "1"}),
        Route(path=".*/1/comments", query={"after": "after"}, body=recording("instagram/medias/comments_p2.json")),
        Route(path=".*/1/comments", body=recording("instagram/medias/comments_p1.json")),
        Route(path=".*/17858154961981086/replies", body=recording("instagram/comments/replies.json")),
    ]
    found = _sweep(routes)
    reply = found.saying("@lixiangguodu123 nihao")

    assert len({item.ref for item in found.items}) == 6
    assert found.rejects == found.gone == []
    assert reply.parent == ItemRef("instagram", "17858154961981086")
    assert reply.author.kind is AuthorKind.UNKNOWN
    assert reply.published_at == datetime(2020, 8, 7, 3, 30, 6, tzinfo=UTC)


@needs_recordings
def test_a_recorded_comment_asked_for_by_its_id_is_read() -> None:
    key = "17892250648466172"
    single = Route(path=f".*/{key}", body=recording("instagram/comments/comment_fields.json"))
    swept = _sweep([route("1", POST), single], key)

    assert swept.saying("@ikroskun Hey, guys").author.handle == "ikroskun"
    assert swept.gone == []


@needs_recordings
def test_a_recorded_refusal_is_a_refusal_and_no_deletion() -> None:
    with pytest.raises(SourceError) as caught:
        _sweep([Route(path=".*", body=recording("facebook/error.json"), status=400)], "8")

    assert caught.value.permanent


def test_a_mention_account_reads_no_more_than_the_posts_that_tag_the_account(instagram: Place) -> None:
    instagram.world.add(_tag("tag", hours=1))
    reader = connect(replace(instagram.account(), channel=Channel.MENTION), {"token": TOKEN})

    assert collect(reader.poll(None, instagram.now)).texts() == ["tag"]
    assert reader.capabilities().reads == ("posts that tag the account",)


def test_an_old_post_that_was_silent_is_read_again_though_its_count_stays() -> None:
    old = {"timestamp": "2026-09-20T09:00:00+0000"}
    posts = listed("7/media", INSTAGRAM.post(count=1, **old))
    with serve([posts, EMPTY]) as address, pytest.raises(SourceError):
        for page in connector(INSTAGRAM, address).poll(None, PRESENT):
            cursor = page.cursor

    assert "comment 2" in _poll([posts, listed("1/comments", INSTAGRAM.comment("2"))], cursor).texts()


def _tag(key: str, hours: int) -> Entry:
    at = -timedelta(hours=hours)
    return Entry(key=key, platform="instagram", at=at, by="parent", text=key, tags_school=True)
