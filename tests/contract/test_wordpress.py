"""What is particular to WordPress."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors import connect
from connectors.sandbox import TOKEN, Entry, Fault
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef, Page, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PAGE_SIZE, PRESENT, Place, Read, collect
from tests.contract.recorded import Route, needs_recordings, recording, serve

REST = "/wp-json/wp/v2"


def _account(channel: Channel = Channel.OFFICIAL, **options: object) -> Account:
    return Account(id="site", connector="wordpress", channel=channel, name="site", options=options)


def _visitor(place: Place, **options: object) -> Connector:
    """What anybody sees of the site."""
    return connect(place.account(user="", **options), {})


@contextmanager
def _answering(*routes: Route, password: bool = False) -> Iterator[Connector]:
    with serve(routes) as address:
        account = _account(base_url=address, site="s", user="desk" if password else "")
        yield connect(account, {"token": "t"} if password else {})


def _poll(connector: Connector, cursor: str | None = None) -> Read:
    return collect(connector.poll(cursor, PRESENT))


def _listing(path: str, records: Sequence[Any], **query: str) -> Route:
    """The first page of a listing, and no other."""
    return Route(path=f"{REST}/{path}", query={"page": "1", **query}, body=json.dumps(records).encode())


def _error(path: str, code: str, status: int, **query: str) -> Route:
    return Route(path=path, query=query, status=status, body=json.dumps({"code": code}).encode())


def _comment(number: int, **about: object) -> dict[str, object]:
    content = {"rendered": f"<p>Comment {number}</p>\n"}
    written = "2026-11-18T08:00:00"
    return {"id": number, "post": 1, "parent": 0, "author": 0, "date_gmt": written, "content": content, **about}


#: Listings that nothing else answers are empty.
EMPTY = Route(path=f"{REST}/(posts|comments)", body=b"[]")


def test_a_comment_approved_late_is_found_though_it_is_older_than_the_window(wordpress: Place) -> None:
    wordpress.world.add(
        _old("always", "Seen by everybody"),
        replace(_old("late", "Approved at last"), approved=timedelta(minutes=5)),
    )
    before = collect(_visitor(wordpress).poll(None, wordpress.now))
    wordpress.later(minutes=10)
    after = collect(_visitor(wordpress).poll(before.cursor, wordpress.now))

    assert "Approved at last" not in before.texts()
    assert "Approved at last" in after.texts()


def test_a_backdated_comment_is_found(wordpress: Place) -> None:
    wordpress.world.add(*(_old(f"old-{n}", f"Long ago {n}") for n in range(9)))
    before = wordpress.poll()
    wordpress.later(minutes=10)
    wordpress.world.add(_new("backdated", "I wrote this before all others", -timedelta(days=50)))

    assert "I wrote this before all others" in wordpress.poll(before.cursor).texts()


def test_old_comments_are_read_again_only_when_their_number_changed(wordpress: Place) -> None:
    wordpress.world.add(*(_old(f"old-{n}", f"Long ago {n}") for n in range(9)))
    before = wordpress.poll()
    asked = len(wordpress.sandbox.requests())
    again = wordpress.poll(before.cursor)
    unchanged = len(wordpress.sandbox.requests()) - asked
    wordpress.world.delete("old-0", wordpress.later(minutes=1))
    asked = len(wordpress.sandbox.requests())
    wordpress.poll(again.cursor)

    assert sum(text.startswith("Long ago") for text in again.texts()) < PAGE_SIZE
    assert len(wordpress.sandbox.requests()) - asked > unchanged


def test_nothing_is_missed_after_a_silence_longer_than_the_window(wordpress: Place) -> None:
    before = wordpress.poll()
    at = wordpress.later(days=10)
    wordpress.world.add(_new("meanwhile", "Meanwhile", at))
    wordpress.later(days=60)

    assert "Meanwhile" in wordpress.poll(before.cursor).texts()


def test_a_moderator_sees_what_is_on_hold_and_a_visitor_does_not(wordpress: Place) -> None:
    held = _new("held", "Please read me first", -timedelta(hours=1))
    wordpress.world.add(replace(held, approved=timedelta(days=1)))
    visitor = _visitor(wordpress)
    found = wordpress.poll().saying("Please read me first")

    assert found.visibility is Visibility.HELD
    assert "Please read me first" not in collect(visitor.poll(None, wordpress.now)).texts()
    assert "comments on hold" in wordpress.connector().capabilities().reads
    assert any("only approved comments" in note for note in visitor.capabilities().notes)
    assert (wordpress.connector().capabilities().hidden, visitor.capabilities().hidden) == (True, False)


def test_what_is_in_the_bin_is_gone_and_what_is_in_the_spam_folder_is_read() -> None:
    records = [_comment(3, status="trash"), _comment(2, status="spam"), _comment(1, status="post-trashed")]
    with _answering(_listing("comments", records, type="comment"), EMPTY, password=True) as connector:
        found = _poll(connector)

    assert found.texts() == ["Comment 2"]
    assert found.items[0].visibility is Visibility.HIDDEN
    assert found.gone == [ItemRef("wordpress", "s#comments/3"), ItemRef("wordpress", "s#comments/1")]


def test_a_pingback_is_read_as_what_it_is() -> None:
    ping = _comment(4, type="pingback", author_name="Larkfield Local")
    with _answering(_listing("comments", [ping], type="pings"), EMPTY, password=True) as connector:
        (found,) = _poll(connector).items

    assert found.raw["type"] == "pingback"
    assert found.author.display_name == "Larkfield Local"


def test_a_visitor_who_signs_as_the_school_is_not_the_school(wordpress: Place) -> None:
    with _answering(_listing("comments", [_comment(1, author_name="Larkfield School")]), EMPTY) as connector:
        (found,) = _poll(connector).items

    assert found.author.kind is AuthorKind.UNKNOWN
    assert wordpress.poll().saying("At ten.").author.kind is AuthorKind.SCHOOL


def test_no_address_of_a_comments_author_is_asked_for(wordpress: Place) -> None:
    for item in wordpress.poll().items:
        assert not {"author_email", "author_ip", "author_user_agent"} & set(item.raw)


def test_a_hundred_comments_a_page_are_asked_for_and_no_more(wordpress: Place) -> None:
    with pytest.raises(ConfigError, match="page_size"):
        wordpress.connector(page_size=101)
    wordpress.poll()

    assert all("per_page=100" in path for _, path in wordpress.sandbox.requests())


def test_a_page_past_the_end_is_an_end() -> None:
    past = _error(f"{REST}/posts", "rest_post_invalid_page_number", 400)
    with _answering(_listing("posts", [{"id": 1}]), past, EMPTY) as connector:
        assert len(_poll(connector).items) == 1


def test_a_site_that_keeps_to_no_order_is_read_to_the_end() -> None:
    first, last = (_comment(number, date_gmt="2020-01-01T00:00:00") for number in (1, 4))
    pages = [_listing("comments", [first, _comment(2), last]), _listing("comments", [_comment(3)], page="2")]
    with _answering(*pages, EMPTY) as connector:
        assert _poll(connector).texts() == ["Comment 1", "Comment 2", "Comment 3", "Comment 4"]


def test_the_same_page_twice_is_an_error() -> None:
    same = Route(path=f"{REST}/comments", body=json.dumps([_comment(1)]).encode())
    with _answering(same, EMPTY) as connector, pytest.raises(SourceError, match="circle"):
        _poll(connector)


def test_a_post_that_was_deleted_is_gone_with_its_comments(wordpress: Place) -> None:
    before = wordpress.poll()
    post = before.saying("Sports day is on Friday").ref
    below = {item.ref for item in before.items if item.thread == post}
    wordpress.world.delete("post", wordpress.later(minutes=1))

    assert set(wordpress.sweep(post, below).gone) == below


def test_what_stands_below_a_deleted_comment_moves_up_and_is_not_gone(wordpress: Place) -> None:
    before = wordpress.poll()
    post, question, answer = map(before.saying, ("Sports day is on Friday", "What time does it start?", "At ten."))
    wordpress.world.delete("question", wordpress.later(minutes=1))
    swept = wordpress.sweep(post.ref, [item.ref for item in before.items])

    assert swept.gone == [question.ref]
    assert swept.saying("At ten.").ref == answer.ref
    assert swept.saying("At ten.").parent == post.ref


def test_a_page_with_comments_is_no_deleted_post() -> None:
    ref = ItemRef("wordpress", "s#posts/1")
    missing = _error(f"{REST}/(posts|pages)/1", "rest_post_invalid_id", 404)
    with _answering(missing, _listing("comments", [_comment(1)], post="1"), EMPTY) as connector:
        found = collect(connector.thread(ref, [ref], PRESENT))

    assert found.gone == []
    assert found.texts() == ["Comment 1"]


@pytest.mark.parametrize("code", ["rest_cannot_read", "rest_comment_invalid_id"])
def test_a_comment_no_longer_public_is_gone(code: str) -> None:
    status = 404 if code.endswith("id") else 401
    post = Route(path=f"{REST}/posts/1", body=b'{"id": 1}')
    with _answering(post, _error(f"{REST}/comments/7", code, status), EMPTY) as connector:
        known = ItemRef("wordpress", "s#comments/7")
        found = collect(connector.thread(ItemRef("wordpress", "s#posts/1"), [known], PRESENT))

    assert found.gone == [known]


def test_a_site_that_locks_its_rest_api_deletes_nothing() -> None:
    with _answering(_error(".*", "rest_forbidden", 401)) as connector:
        known = ItemRef("wordpress", "s#comments/7")
        assert collect(connector.thread(ItemRef("wordpress", "s#posts/1"), [known], PRESENT)).gone == []


def test_what_another_site_or_staff_gave_is_not_asked_for(wordpress: Place) -> None:
    post = wordpress.poll().saying("Sports day is on Friday").ref
    foreign = [ItemRef("wordpress", "elsewhere#comments/1"), ItemRef("wordpress", "archive:box:7")]

    assert wordpress.sweep(post, foreign).gone == []
    assert wordpress.sweep(foreign[1], []) == Read()


@pytest.mark.parametrize("fault", [Fault.UNAUTHORISED, Fault.FORBIDDEN])
def test_where_the_rest_api_is_switched_off_the_feeds_are_read_and_that_is_said(
    wordpress: Place, fault: Fault
) -> None:
    rest = collect(_visitor(wordpress).poll(None, wordpress.now))
    wordpress.sandbox.fail("wordpress", fault, path="/wp-json")
    visitor = _visitor(wordpress)
    found = collect(visitor.poll("before", wordpress.now))
    able = visitor.capabilities()

    assert len(found.items) == 12
    assert found.cursor == "before"
    assert not able.deletions
    assert "SWITCHED OFF" in able.notes[0]
    # The same items under the same names and with the same words: nothing is new when the API is back.
    told = {(item.ref, item.revision, item.parent, item.thread, item.kind) for item in rest.items}
    assert {(item.ref, item.revision, item.parent, item.thread, item.kind) for item in found.items} <= told
    collect(visitor.poll(None, wordpress.now))
    assert visitor.capabilities().deletions


def test_a_password_that_is_refused_is_no_reason_to_read_less(wordpress: Place) -> None:
    wordpress.sandbox.fail("wordpress", Fault.UNAUTHORISED)
    with pytest.raises(SourceError, match="application password") as caught:
        wordpress.poll()

    assert caught.value.permanent


def test_a_feed_that_is_shut_as_well_is_a_persons_business() -> None:
    with _answering(_error(".*", "rest_disabled", 403)) as connector, pytest.raises(SourceError) as caught:
        _poll(connector)

    assert caught.value.permanent
    assert "neither its REST API nor its feeds" in str(caught.value)


def test_a_filters_page_is_called_one_and_no_feed() -> None:
    block = Route(path=".*", status=403, body=b"<!doctype html><title>Blocked</title>", content_type="text/html")
    with _answering(block) as connector, pytest.raises(SourceError, match="network filter"):
        _poll(connector)


def test_a_plug_ins_page_for_visitors_is_no_filter_while_the_feeds_can_be_read() -> None:
    refusal = Route(path="/wp-json.*", status=403, body=b"<!doctype html><title>Access denied</title>")
    feed = Route(path="/", query={"feed": "atom"}, body=b"<feed xmlns='http://www.w3.org/2005/Atom'></feed>")
    comments = replace(feed, query={"feed": "comments-atom"})
    with _answering(feed, comments, refusal) as connector:
        _poll(connector)

        assert "SWITCHED OFF" in connector.capabilities().notes[0]


def test_a_site_without_pretty_links_is_read() -> None:
    bare = [
        Route(
            path="/", query={"rest_route": "/wp/v2/comments", "page": "1"}, body=json.dumps([_comment(1)]).encode()
        ),
        Route(path="/", query={"rest_route": "/wp/v2/comments"}, body=b"[]"),
        Route(path="/", query={"rest_route": "/wp/v2/posts"}, body=b"[]"),
        Route(path=".*", status=404, body=b"<!doctype html>", content_type="text/html"),
    ]
    with _answering(*bare) as connector:
        assert _poll(connector).texts() == ["Comment 1"]


def test_a_password_is_sent_over_https_alone_and_belongs_to_somebody() -> None:
    with pytest.raises(ConfigError, match="https"):
        connect(_account(base_url="http://larkfield.example", user="desk"), {"token": TOKEN})
    with pytest.raises(ConfigError, match="'user'"):
        connect(_account(base_url="https://larkfield.example"), {"token": TOKEN})
    with pytest.raises(ConfigError, match="'token'"):
        connect(_account(base_url="https://larkfield.example", user="desk"), {})


def test_somebody_elses_site_is_searched_and_its_conversations_are_left_alone(wordpress: Place) -> None:
    with pytest.raises(ConfigError, match="'search'"):
        connect(_account(Channel.MENTION, base_url="https://news.example"), {})
    with pytest.raises(ConfigError, match="own site everything is read"):
        connect(_account(base_url="https://school.example", search="scarf"), {})
    account = replace(wordpress.account(user="", search="scarf"), channel=Channel.MENTION)
    connector = connect(account, {})
    (found,) = collect(connector.poll(None, wordpress.now)).items

    assert found.text == "Lost: one scarf"
    assert found.author.kind is AuthorKind.UNKNOWN
    assert collect(connector.thread(found.ref, [], wordpress.now)).texts() == ["Lost: one scarf"]


# Counting


def test_the_sites_own_count_of_comments_is_told_for_young_posts_and_swept_threads(wordpress: Place) -> None:
    post = wordpress.poll().saying("Sports day is on Friday").ref
    polled = _totals(wordpress.connector().poll(None, wordpress.now))
    swept = _totals(wordpress.connector().thread(post, [], wordpress.now))

    assert polled[post] == swept[post] == 14
    assert len(polled) == 2


def test_a_count_that_errs_is_told_as_it_is(wordpress: Place) -> None:
    wordpress.world.add(replace(wordpress.world.entry("post"), miscount=3))
    post = wordpress.poll().saying("Sports day is on Friday").ref

    assert _totals(wordpress.connector().thread(post, [], wordpress.now)) == {post: 17}


def test_what_is_in_the_bin_is_not_counted() -> None:
    pages = Route(
        path=f"{REST}/comments",
        query={"type": "comment"},
        body=json.dumps([_comment(1), _comment(2, status="trash")]).encode(),
        headers={"X-WP-Total": "2", "X-WP-TotalPages": "1"},
    )
    none = {"X-WP-Total": "0", "X-WP-TotalPages": "0"}
    pings = Route(path=f"{REST}/comments", query={"type": "pings"}, body=b"[]", headers=none)
    post = Route(path=f"{REST}/posts/1", body=b'{"id": 1}')
    with _answering(post, pages, pings, password=True) as connector:
        ref = ItemRef("wordpress", "s#posts/1")
        assert _totals(connector.thread(ref, [], PRESENT)) == {ref: 1}


def test_a_site_that_does_not_say_how_many_there_are_has_no_total() -> None:
    post = Route(path=f"{REST}/posts/1", body=b'{"id": 1}')
    with _answering(post, _listing("comments", [_comment(1)], post="1"), EMPTY) as connector:
        assert _totals(connector.thread(ItemRef("wordpress", "s#posts/1"), [], PRESENT)) == {}


def test_a_listing_that_counts_comments_and_shows_none_is_an_error_and_nothing_is_gone(wordpress: Place) -> None:
    before = wordpress.poll()
    post = before.saying("Sports day is on Friday").ref
    wordpress.sandbox.fail("wordpress", Fault.EMPTY, times=2, path="/comments")
    with pytest.raises(SourceError, match="none of the 14 comments"):
        wordpress.sweep(post, [item.ref for item in before.items])
    with pytest.raises(SourceError, match="none of the"):
        wordpress.poll(before.cursor)


# Permissions


def test_what_the_passwords_user_may_not_do_is_listed(wordpress: Place) -> None:
    may = {"read": True, "edit_posts": True}
    me = Route(path=f"{REST}/users/me", query={"context": "edit"}, body=json.dumps({"capabilities": may}).encode())
    with _answering(me, password=True) as connector:
        assert connector.access(PRESENT).lacks == ("moderate_comments",)
        assert connector.capabilities().needs == ("edit_posts", "moderate_comments")

    assert wordpress.connector().access(wordpress.now).lacks == ()
    assert _visitor(wordpress).access(wordpress.now).lacks == _visitor(wordpress).capabilities().needs == ()


def test_an_administrators_password_is_more_than_is_needed() -> None:
    may = {"edit_posts": True, "moderate_comments": True, "manage_options": True}
    me = Route(path=f"{REST}/users/me", body=json.dumps({"capabilities": may}).encode())
    with _answering(me, password=True) as connector:
        assert "Editor" in connector.access(PRESENT).notes[0]


@pytest.mark.parametrize("told", [b"{}", b'{"capabilities": []}', b'{"capabilities": {}}', b"[]"])
def test_a_site_that_does_not_tell_what_a_user_may_do_accuses_nobody(told: bytes) -> None:
    with _answering(Route(path=f"{REST}/users/me", body=told), password=True) as connector:
        access = connector.access(PRESENT)

    assert access.lacks == ()
    assert access.notes


def test_a_password_that_was_withdrawn_shows_in_access(wordpress: Place) -> None:
    wordpress.sandbox.fail("wordpress", Fault.EXPIRED)
    with pytest.raises(SourceError, match="expired"):
        wordpress.connector().access(wordpress.now)


def test_the_host_to_allow_is_the_sites(wordpress: Place) -> None:
    connector = connect(_account(base_url="https://www.larkfield.example/news"), {})

    can = connector.capabilities()
    assert can.hosts == can.pages == ("www.larkfield.example",)


# What is in a record


@pytest.mark.parametrize(
    ("html", "words", "attached"),
    [
        ('<p>Look<img src="a.jpg" alt="The new gate"></p>', "Look", ("photo: The new gate",)),
        ('<p>Hi <img class="wp-smiley" src="x/emoji/1f600.svg" alt="😀"></p>', "Hi 😀", ()),
        ("<video src=a></video><iframe title='A map'></iframe>", "", ("video", "embed: A map")),
        ('<img alt="a > b" src=x>', "", ("photo: a > b",)),
        ("<![if x><img", "<![if x><img", ()),
    ],
)
def test_attachments_are_facts_and_never_words_of_the_comment(html: str, words: str, attached: object) -> None:
    with _answering(_listing("comments", [_comment(1, content={"rendered": html})]), EMPTY) as connector:
        (found,) = _poll(connector).items

    assert (found.text, found.attachments) == (words, attached)


def test_a_draft_is_not_public() -> None:
    post = Route(path=f"{REST}/posts/1", body=b'{"id": 1, "status": "draft"}')
    with _answering(post, EMPTY, password=True) as connector:
        (found,) = collect(connector.thread(ItemRef("wordpress", "s#posts/1"), [], PRESENT)).items

    assert found.visibility is Visibility.HIDDEN


# Other people's sites


def test_without_words_of_its_own_an_account_searches_for_each_of_the_schools_names(wordpress: Place) -> None:
    names = SchoolNames(names=("lost", "one scarf"), misspellings=("friday",), handles=("larkfieldprim",))
    account = replace(wordpress.account(user=""), channel=Channel.MENTION, names=names)
    connector = connect(account, {})
    found = collect(connector.poll(None, wordpress.now))
    again = collect(connector.poll(found.cursor, wordpress.now))

    asked = [parse_qs(urlsplit(path).query).get("search") for _, path in wordpress.sandbox.requests()]
    assert found.texts() == again.texts() == ["Lost: one scarf", "Sports day is on Friday"]
    assert ['"one scarf"'] in asked
    assert ["one scarf"] in asked
    assert ["larkfieldprim"] in asked


@needs_recordings
def test_the_recorded_rest_comments_are_all_read() -> None:
    taped = recording("wordpress/wordpress-rest-comments.json")
    page = Route(path=f"{REST}/comments", query={"page": "1"}, body=taped)
    with _answering(page, EMPTY) as connector:
        found = _poll(connector)
    reply = found.saying("Comment 5 bold & Frau Müller 😀")

    assert len(found.items) == 14
    assert found.rejects == []
    assert reply.kind is ItemKind.REPLY
    assert (reply.parent, reply.thread) == (
        ItemRef("wordpress", "s#comments/2"),
        ItemRef("wordpress", "s#posts/1"),
    )
    assert reply.url == "http://127.0.0.1:8085/?p=1#comment-7"
    assert str(reply.published_at) == "2026-11-21 08:11:40+00:00"


@needs_recordings
@pytest.mark.parametrize("name", ["atom", "rss2"])
def test_the_recorded_feed_gives_the_items_of_the_recorded_rest_answer(name: str) -> None:
    taped = recording("wordpress/wordpress-rest-comments.json")
    feed = Route(
        path="/", query={"feed": "comments-atom"}, body=recording(f"wordpress/wordpress-comments-{name}.xml")
    )
    posts = Route(path="/", query={"feed": "atom"}, body=b"<feed xmlns='http://www.w3.org/2005/Atom'></feed>")
    with _answering(Route(path=f"{REST}/comments", query={"page": "1"}, body=taped), EMPTY) as connector:
        rest = {item.ref: item for item in _poll(connector).items}
    with _answering(feed, posts) as connector:
        found = _poll(connector)

    assert len(found.items) == 10
    for item in found.items:
        told = rest[item.ref]
        assert (item.url, item.published_at, item.thread) == (told.url, told.published_at, told.thread)
        assert item.author.display_name == told.author.display_name
        # RSS does not say what a reply answers.
        assert name == "rss2" or (item.revision, item.parent) == (told.revision, told.parent)


@needs_recordings
def test_the_sandbox_words_a_comment_as_the_recording_does(wordpress: Place) -> None:
    taped = json.loads(recording("wordpress/wordpress-rest-comments.json"))
    told = httpx.get(f"{wordpress.sandbox.base_url('wordpress')}{REST}/comments").json()

    assert set(told[0]) == set(taped[0])
    assert {name: type(value) for name, value in told[0].items()} == {
        name: type(value) for name, value in taped[0].items()
    }
    assert set(told[0]["_links"]) <= {"self", "collection", "up", "in-reply-to"}


def _totals(pages: Iterable[Page]) -> dict[ItemRef, int]:
    return {ref: count for page in pages for ref, count in page.totals.items()}


def _old(key: str, text: str) -> Entry:
    return _new(key, text, -timedelta(days=40))


def _new(key: str, text: str, at: timedelta) -> Entry:
    return Entry(key=key, platform="wordpress", at=at, by="parent", under="post", text=text)
