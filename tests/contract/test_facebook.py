"""What is particular to Facebook."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors import connect
from connectors._graph import following
from connectors.sandbox import TOKEN, Entry
from connectors.sandbox.graph import app_token
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.graph import FACEBOOK, connector, listed, poll, route
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import Route, needs_recordings, recording, serve


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
    post = FACEBOOK.post(message="Hello")
    routes = [
        Route(path=".*/feed", body=json.dumps({"data": [post]}).encode(), content_type=None),
        Route(path=".*", body=b'{"data": []}', content_type="text/html"),
    ]
    with serve(routes) as address:
        assert collect(connector(FACEBOOK, address).poll(None, PRESENT)).texts() == ["Hello"]


def test_every_picture_of_an_album_is_an_attachment_and_a_link_has_its_title() -> None:
    pictures = [{"media_type": "photo"}, {"media_type": "video", "type": "video_inline"}]
    album = FACEBOOK.post(
        attachments={"data": [{"media_type": "album", "subattachments": {"data": pictures}, "title": "Photos"}]}
    )
    link = FACEBOOK.post(
        id="7_2", attachments={"data": [{"media_type": "link", "title": "Petition:\nsack the head"}, {}]}
    )
    comment = FACEBOOK.comment("8", attachment={"type": "sticker"})
    found = poll(FACEBOOK, [listed("7/feed", album, link), listed("7_1/comments", comment)])

    assert [item.attachments for item in found.items] == [
        ("photo", "video"),
        ("link: Petition: sack the head", "attachment"),
        ("sticker",),
    ]


def test_a_post_elsewhere_is_swept_without_its_comments(facebook: Place) -> None:
    at = -timedelta(hours=2)
    facebook.world.add(
        Entry(key="tag", platform="facebook", at=at, by="parent", text="Look at this", tags_school=True),
        Entry(key="under", platform="facebook", at=at, by="parent", under="tag", text="Not ours to read"),
    )

    assert facebook.sweep(facebook.poll().saying("Look at this").ref, []).texts() == ["Look at this"]


def test_of_somebody_elses_page_only_what_names_the_school_is_read(facebook: Place) -> None:
    facebook.world.add(
        *(
            Entry(key=key, platform="facebook", at=-timedelta(hours=1), by="parent", under=under, text=text)
            for key, under, text in (
                ("rumour", None, "Is LARKFEILD PRIMARY closing?"),
                ("answer-to-it", "rumour", "So they say"),
                ("aside", "post", "Worse than @larkfieldprim!"),
            )
        )
    )
    reader = _elsewhere(facebook, names=("Larkfield Primary",), misspellings=("larkfeild primary",))
    pages = list(reader.poll(None, facebook.now))
    found = collect(pages)
    rumour = found.saying("Is LARKFEILD PRIMARY closing?")

    assert found.texts() == ["Is LARKFEILD PRIMARY closing?", "So they say", "Worse than @larkfieldprim!"]
    assert {item.author.kind for item in found.items} == {AuthorKind.UNKNOWN}
    assert {ref: total for page in pages for ref, total in page.totals.items()} == {rumour.ref: 1}
    assert collect(reader.thread(rumour.ref, [], facebook.now)).texts() == [rumour.text, "So they say"]
    assert not [path for _, path in facebook.sandbox.requests() if "/tagged" in path]


def test_the_accounts_own_list_of_names_wins(facebook: Place) -> None:
    facebook.world.add(
        Entry(key="aside", platform="facebook", at=-timedelta(hours=1), by="parent", under="post", text="Larkies!")
    )

    found = collect(_elsewhere(facebook, names=("Larkfield",), option=("larkies",)).poll(None, facebook.now))
    assert found.texts() == ["Larkies!"]


def test_posts_that_vanish_are_an_error_though_others_still_tag_the_page() -> None:
    post, tag = FACEBOOK.post(), FACEBOOK.post(id="9_3", message="Look at them")
    before = poll(FACEBOOK, [listed("7/feed", post), listed("7/tagged", tag)])
    with pytest.raises(SourceError, match="none of the 1 posts"):
        poll(FACEBOOK, [listed("7/tagged", tag), route("7_1", post)], before.cursor)


def test_somebody_elses_page_is_not_read_without_names_to_look_for(facebook: Place) -> None:
    with pytest.raises(ConfigError, match="list the school's names"):
        connect(replace(facebook.account(), channel=Channel.MENTION), {"token": TOKEN})


def test_pages_are_searched_for_by_an_app_that_may(facebook: Place) -> None:
    reader = _elsewhere(facebook, names=("Larkfield",))
    found = list(reader.profiles(["larkfield", "LARKFIELD school"], facebook.now))

    assert reader.capabilities().finds_profiles
    assert [(each.id, each.name) for each in found] == [("100200300400500", "Larkfield School")]
    assert found[0].url.endswith("/facebook/larkfieldprim")


def test_without_such_an_app_no_search_is_made(facebook: Place) -> None:
    reader = facebook.connector()

    assert not reader.capabilities().finds_profiles
    assert list(reader.profiles(["larkfield"], facebook.now)) == []
    assert facebook.sandbox.requests() == []


def test_reviews_are_not_asked_for_and_it_says_so(facebook: Place) -> None:
    facebook.poll()

    assert "reviews cannot be read" in " ".join(facebook.connector().capabilities().notes)
    assert not [path for _, path in facebook.sandbox.requests() if "ratings" in path]


def _elsewhere(
    place: Place, *, names: tuple[str, ...], misspellings: tuple[str, ...] = (), option: tuple[str, ...] = ()
) -> Connector:
    """A reader of the Page as of somebody else's, by an app that may read such."""
    known = SchoolNames(names=names, misspellings=misspellings, handles=("larkfieldprim",))
    account = replace(
        place.account(**({"names": option} if option else {})), channel=Channel.MENTION, names=known, handles=()
    )
    return connect(account, {"token": TOKEN, "app_token": app_token(TOKEN)})
