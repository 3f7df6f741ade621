"""What holds for Facebook and Instagram alike: both are read through the Graph API."""

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import connect
from connectors._graph_access import VERSION_ENDS
from connectors.sandbox import TOKEN, Entry
from connectors.sandbox.graph import app_token
from monitor.domain.account import Access
from monitor.domain.errors import SourceError
from monitor.domain.item import AuthorKind, ItemKind, ItemRef, Page, Visibility
from monitor.domain.ports import Connector
from tests.contract.graph import (
    EMPTY,
    FACEBOOK,
    INSTAGRAM,
    MISSING,
    REFUSED,
    Dialect,
    connector,
    listed,
    poll,
    route,
    sweep,
)
from tests.contract.places import PRESENT, Place, collect
from tests.contract.recorded import Route, serve

APP = app_token(TOKEN)
NEXT = "https://graph.facebook.com/?access_token=t&after=x"


@pytest.fixture(params=(FACEBOOK, INSTAGRAM), ids=lambda dialect: dialect.kind)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return request.param


@pytest.fixture(params=("facebook", "instagram"))
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)


# What is read


def test_a_posts_total_is_what_the_platform_counts_below_it_replies_and_errors_included(place: Place) -> None:
    place.world.add(_entry(place, "miscounted", by="school", miscount=2), _entry(place, "one", under="miscounted"))
    pages = list(place.pages())
    found = collect(pages)
    post, miscounted = found.saying("Sports day is on Friday").ref, found.saying("miscounted").ref
    below = [item for item in found.items if item.thread == post and item.ref != post]
    swept = list(place.connector().thread(miscounted, [], place.now))

    assert _totals(pages)[post] == len(below)
    assert _totals(pages)[miscounted] == 3
    assert _totals(swept) == {miscounted: 3}


def test_a_hidden_comment_is_read_as_hidden(place: Place) -> None:
    place.world.add(_entry(place, "unkind", under="post", hidden=True))
    found = place.poll()

    assert found.saying("unkind").visibility is Visibility.HIDDEN
    assert found.saying("Thanks!").visibility is Visibility.PUBLIC
    assert place.sweep(found.saying("unkind").thread, []).saying("unkind").visibility is Visibility.HIDDEN


def test_the_sweep_of_an_old_post_finds_one_comment_added_and_one_deleted_though_the_count_is_the_same(
    place: Place,
) -> None:
    before = place.poll()
    at = place.later(days=60)
    place.world.add(_entry(place, "late", under="post", at=at))
    place.world.delete("comment-3", at)
    lost = before.saying("Comment 3 <b>& more</b>")
    swept = place.sweep(lost.thread, [item.ref for item in before.items if item.thread == lost.thread])

    assert "late" in swept.texts()
    assert swept.gone == [lost.ref]


def test_doubled_records_are_one_item_each(dialect: Dialect) -> None:
    post, comment = dialect.post(count=1), dialect.comment("8")
    routes = [listed(dialect.listing, post, post), listed(f"{dialect.post_id}/comments", comment, comment)]

    assert poll(dialect, routes).texts() == ["Sports day", "comment 8"]


# Private messages


def test_private_messages_are_neither_asked_for_nor_told_without_leave(place: Place) -> None:
    place.world.add(_entry(place, "in confidence", message=True))

    assert "in confidence" not in place.poll().texts()
    assert not [path for _, path in place.sandbox.requests() if "conversations" in path or "messages" in path]
    assert "private messages" not in place.connector().capabilities().reads
    assert place.sweep(ItemRef(place.kind, "conversation/t_1"), []).items == []


def test_with_leave_messages_are_read_each_in_its_conversation_and_the_schools_as_its_own(place: Place) -> None:
    place.world.add(
        _entry(place, "in confidence", message=True),
        _entry(place, "we will call you", message=True, by="school", under="in confidence"),
        _entry(place, "another matter", message=True),
    )
    reader = _with_leave(place)
    found = collect(reader.poll(None, place.now))
    question, answer, other = map(found.saying, ("in confidence", "we will call you", "another matter"))
    swept = collect(reader.thread(question.thread, [], place.now))

    assert {item.kind for item in (question, answer, other)} == {ItemKind.MESSAGE}
    assert question.thread == answer.thread != other.thread
    assert question.author.kind is AuthorKind.UNKNOWN
    assert answer.author.kind is AuthorKind.SCHOOL
    assert swept.texts() == ["in confidence", "we will call you"]
    assert "private messages" in reader.capabilities().reads


def test_the_next_poll_asks_only_for_the_conversations_that_moved(place: Place) -> None:
    for key in ("in confidence", "another matter"):
        place.world.add(_entry(place, key, message=True, at=-timedelta(days=1)))
    reader = _with_leave(place)
    before = collect(reader.poll(None, place.now))
    at = place.later(hours=5)
    place.world.add(_entry(place, "and one thing more", message=True, under="in confidence", at=at))
    asked = len(place.sandbox.requests())
    after = collect(reader.poll(before.cursor, place.now))

    assert "and one thing more" in after.texts()
    assert len([path for _, path in place.sandbox.requests()[asked:] if "/messages" in path]) == 1


def test_a_conversation_that_is_gone_or_withheld_is_not_taken_for_deleted_messages(dialect: Dialect) -> None:
    for answer, status in ((MISSING, 400), (REFUSED, 403)):
        with serve([route(".*", answer, status=status)]) as address:
            reader = connector(dialect, address, messages=True)
            swept = collect(reader.thread(ItemRef(dialect.kind, "conversation/t_1"), [], PRESENT))

        assert (swept.items, swept.gone) == ([], [])


def test_more_new_messages_than_can_be_read_are_shown_as_missing(dialect: Dialect) -> None:
    now = "2026-11-18T09:59:00+0000"
    messages = [{"id": f"m_{n}", "created_time": now, "message": "again"} for n in range(20)]
    routes = [
        listed(".*/conversations", {"id": "t_1", "updated_time": now}),
        route("t_1/messages", {"data": messages, "paging": {"cursors": {"after": "x"}, "next": NEXT}}),
        EMPTY,
    ]
    with serve(routes) as address:
        reader = connector(dialect, address, messages=True)
        first = collect(reader.poll(None, PRESENT - timedelta(days=1)))
        second = collect(reader.poll(first.cursor, PRESENT))

    assert len(second.items) == 20
    assert first.rejects == []
    assert "last 20 messages" in second.rejects[0].reason


def test_messages_that_the_token_may_not_read_stop_nothing_and_are_told_as_lacking(dialect: Dialect) -> None:
    routes = [listed(dialect.listing, dialect.post(count=0)), route("(7|me)/conversations", REFUSED, status=403)]
    untold = Route(path=r"/v[\d.]+/", body=b"[]")
    with serve([*routes, route("7", {"id": "7"}), untold, EMPTY]) as address:
        reader = connector(dialect, address, messages=True)
        found = collect(reader.poll(None, PRESENT))
        access = reader.access(PRESENT)

    assert found.texts() == ["Sports day"]
    assert json.loads(found.cursor or "")["read_to"]
    assert {"pages_messaging", "instagram_manage_messages"} & set(access.lacks)
    assert any("does not let this token read private messages" in note for note in access.notes)


def test_messages_of_the_time_without_permission_are_read_once_it_is_there(dialect: Dialect) -> None:
    days = [PRESENT + timedelta(days=n) for n in (0, 1, 60)]
    said = [f"{day - timedelta(hours=2):%Y-%m-%dT%H:%M:%S+0000}" for day in days]
    conversation = listed("(7|me)/conversations", {"id": "t_1", "updated_time": said[2]})
    messages = listed("t_1/messages", *({"id": f"m_{at}", "created_time": at, "message": at} for at in said[1:]))
    refused = route("(7|me)/conversations", REFUSED, status=403)
    cursor = None
    for routes, now in (
        ([EMPTY], days[0]),
        ([refused, EMPTY], days[2]),
        ([conversation, messages, EMPTY], days[2]),
    ):
        with serve(routes) as address:
            found = collect(connector(dialect, address, messages=True).poll(cursor, now))
        cursor = found.cursor

    assert found.texts() == said[1:]


def test_one_conversation_that_is_withheld_stops_no_other(dialect: Dialect) -> None:
    now = "2026-11-18T09:59:00+0000"
    routes = [
        listed("(7|me)/conversations", *({"id": key, "updated_time": now} for key in ("t_1", "t_2"))),
        route("t_1/messages", REFUSED, status=403),
        listed("t_2/messages", {"id": "m_2", "created_time": now, "message": "hello"}),
    ]
    with serve([*routes, EMPTY]) as address:
        found = collect(connector(dialect, address, messages=True).poll(None, PRESENT))

    assert found.texts() == ["hello"]
    assert "not permitted" in found.rejects[0].reason


# What is withheld


def test_one_post_whose_comments_are_withheld_stops_no_other_and_is_shown(dialect: Dialect) -> None:
    routes = [
        listed(dialect.listing, _post(dialect, "1", count=5), _post(dialect, "2", count=1)),
        route(f"{_key(dialect, '1')}/comments", REFUSED, status=403),
        listed(f"{_key(dialect, '2')}/comments", dialect.comment("8")),
    ]
    found = poll(dialect, routes)

    assert "comment 8" in found.texts()
    assert [reject.raw for reject in found.rejects] == [{"id": _key(dialect, "1")}]
    assert found.cursor is not None


def test_where_no_posts_comments_may_be_read_a_permission_was_lost(dialect: Dialect) -> None:
    posts = listed(dialect.listing, _post(dialect, "1", count=0), _post(dialect, "2", count=1))
    with pytest.raises(SourceError, match="does not permit") as caught:
        poll(dialect, [posts, route(".*/comments", REFUSED, status=403)])
    assert caught.value.permanent

    with pytest.raises(SourceError, match="does not permit"):
        sweep(dialect, [route(dialect.post_id, dialect.post()), route(".*/comments", REFUSED, status=403)])


# An empty answer is no proof


def test_comments_counted_and_not_shown_are_an_error_once_all_else_was_read(dialect: Dialect) -> None:
    routes = [
        listed(dialect.listing, _post(dialect, "1", count=5), _post(dialect, "2", count=1)),
        listed(f"{_key(dialect, '2')}/comments", dialect.comment("8")),
    ]
    kept: list[Page] = []
    with serve([*routes, EMPTY]) as address, pytest.raises(SourceError, match="none of the 5 comments") as caught:
        for page in connector(dialect, address).poll(None, PRESENT):
            kept.append(page)

    assert "comment 8" in collect(kept).texts()
    assert dialect.name in str(caught.value)
    assert not caught.value.permanent


def test_what_one_post_goes_on_to_hold_back_is_told_once(dialect: Dialect) -> None:
    posts = listed(dialect.listing, _post(dialect, "1", count=5), _post(dialect, "2", count=1))
    shown = listed(f"{_key(dialect, '2')}/comments", dialect.comment("8"))
    cursor = _cursor_left_by_failing(dialect, [posts, shown])

    assert "comment 8" in poll(dialect, [posts, shown], cursor).texts()


def test_silence_everywhere_after_comments_had_been_shown_stays_an_error(dialect: Dialect) -> None:
    post = listed(dialect.listing, dialect.post(count=1))
    before = poll(dialect, [post, listed(f"{dialect.post_id}/comments", dialect.comment("8"))])
    cursor = _cursor_left_by_failing(dialect, [post], before.cursor)
    cursor = _cursor_left_by_failing(dialect, [post], cursor)

    assert json.loads(cursor or "")["counts"] == json.loads(before.cursor or "")["counts"]


def test_posts_seen_last_time_and_no_longer_listed_are_an_error_where_they_still_exist(dialect: Dialect) -> None:
    before = poll(dialect, [listed(dialect.listing, dialect.post())])
    with pytest.raises(SourceError, match="none of the 1 posts"):
        poll(dialect, [route(dialect.post_id, dialect.post())], before.cursor)


def test_posts_that_were_all_deleted_are_no_error(dialect: Dialect) -> None:
    before = poll(dialect, [listed(dialect.listing, dialect.post())])

    assert poll(dialect, [route(dialect.post_id, MISSING, status=400)], before.cursor).items == []


def test_a_sweep_that_is_shown_nothing_declares_nothing_gone_that_exists(dialect: Dialect) -> None:
    there, gone = dialect.comment_id("8"), dialect.comment_id("9")
    routes = [
        route(dialect.post_id, dialect.post(count=2)),
        route(there, dialect.comment("8")),
        route(gone, MISSING, status=400),
    ]
    refs = [ItemRef(dialect.kind, key) for key in (there, gone)]
    kept: list[Page] = []
    with serve([*routes, EMPTY]) as address, pytest.raises(SourceError, match="none of the 2 comments"):
        for page in connector(dialect, address).thread(ItemRef(dialect.kind, dialect.post_id), refs, PRESENT):
            kept.append(page)

    assert "comment 8" in collect(kept).texts()
    assert collect(kept).gone == [refs[1]]


def test_a_known_comment_that_exists_should_have_been_listed_where_nothing_is_counted(dialect: Dialect) -> None:
    key = dialect.comment_id("8")
    with pytest.raises(SourceError, match="none of the 1 comments"):
        sweep(dialect, [route(dialect.post_id, dialect.post()), route(key, dialect.comment("8"))], key)


def test_a_listing_that_goes_round_in_a_circle_ends_in_an_error_after_what_was_read(dialect: Dialect) -> None:
    again = {"data": [dialect.comment("8")], "paging": {"next": NEXT, "cursors": {"after": "again"}}}
    routes = [listed(dialect.listing, dialect.post(count=1)), route(f"{dialect.post_id}/comments", again), EMPTY]
    kept: list[Page] = []
    with serve(routes) as address, pytest.raises(SourceError, match="circle"):
        for page in connector(dialect, address).poll(None, PRESENT):
            kept.append(page)

    assert collect(kept).texts() == ["Sports day", "comment 8"]


# Refusals and limits


@pytest.mark.parametrize("code", [1, 2, 4, 10, 17, 32, 100, 102, 190, 200, 368, 613, "own", None, "190", {}])
def test_every_error_of_graph_is_a_source_error_with_its_number_in_words(dialect: Dialect, code: Any) -> None:
    told = dialect.limit if code == "own" else code
    error = {"error": {"message": "no", "type": "OAuthException", "code": told}}
    with pytest.raises(SourceError, match=dialect.name) as caught:
        poll(dialect, [route(".*", error, status=400)])

    assert caught.value.permanent == (code in (10, 100, 102, 190, 200))
    assert (caught.value.retry_at is not None) == (code in (4, 17, 32, 613, "own"))


def test_an_expired_token_is_called_that(dialect: Dialect) -> None:
    error = {"error": {"message": "no", "type": "OAuthException", "code": 190, "error_subcode": 463}}
    with pytest.raises(SourceError, match="has expired") as caught:
        poll(dialect, [route(".*", error, status=401)])

    assert caught.value.permanent


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": {}}', b'{"data": 7}', b'"text"', b"null", b"[" * 5000])
def test_an_answer_of_another_shape_is_a_source_error(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(SourceError):
        poll(dialect, [Route(path=".*", body=body)])


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"X-App-Usage": '{"call_count": 100, "total_time": 1, "total_cputime": 1}'}, 60),
        ({"X-App-Usage": '{"call_count": 99, "total_time": 100.0, "total_cputime": 1}', "Retry-After": "300"}, 5),
        (
            {"X-Business-Use-Case-Usage": '{"1": [{"type": "instagram", "estimated_time_to_regain_access": 19}]}'},
            19,
        ),
        ({"X-Business-Use-Case-Usage": '{"1": [{"type": "pages", "estimated_time_to_regain_access": 999}]}'}, 60),
    ],
)
def test_a_limit_used_up_keeps_what_was_read_and_asks_no_more(
    dialect: Dialect, headers: dict[str, str], minutes: int
) -> None:
    kept = []
    routes = [listed(dialect.listing, dialect.post(count=0), headers=headers), EMPTY]
    with serve(routes) as address, pytest.raises(SourceError) as caught:
        for page in connector(dialect, address).poll(None, PRESENT):
            kept += page.items

    assert [item.text for item in kept] == ["Sports day"]
    assert caught.value.retry_at == PRESENT + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-App-Usage": '{"call_count": 89, "total_time": 1, "total_cputime": 1}'},
        {"X-Business-Use-Case-Usage": '{"1": [{"type": "ads_insights", "call_count": 100}]}'},
        {"X-App-Usage": "7", "X-Page-Usage": "nonsense", "X-Business-Use-Case-Usage": '{"1": {"call_count": []}}'},
    ],
)
def test_limits_that_are_not_used_up_or_not_ours_stop_nothing(dialect: Dialect, headers: dict[str, str]) -> None:
    routes = [listed(dialect.listing, dialect.post(count=0), headers=headers), EMPTY]
    with serve(routes) as address:
        pages = list(connector(dialect, address).poll(None, PRESENT))

    assert collect(pages).texts() == ["Sports day"]
    assert pages[-1].rest_until is None


def test_a_limit_nearly_used_up_lets_the_poll_end_and_asks_for_a_short_rest(dialect: Dialect) -> None:
    usage = {"X-Page-Usage": '{"call_count": 90, "total_time": 1, "total_cputime": 1}'}
    routes = [listed(dialect.listing, dialect.post(count=0), headers=usage), EMPTY]
    with serve(routes) as address:
        pages = list(connector(dialect, address).poll(None, PRESENT))

    assert collect(pages).texts() == ["Sports day"]
    assert pages[-1].rest_until == PRESENT + timedelta(minutes=10)


# Access


def test_access_tells_when_the_permission_to_read_data_ends(place: Place) -> None:
    access = _asking(place, app_token=APP).access(place.now)

    assert access == Access(
        ends={f"{place.kind.title()}'s permission to read data": place.now + timedelta(days=60)}
    )


def test_the_token_that_is_asked_about_reaches_no_address_and_no_log(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        _asking(place, app_token=APP).access(place.now)

    assert all(TOKEN not in path for _, path in place.sandbox.requests())
    assert TOKEN not in caplog.text


def test_without_the_apps_own_token_access_says_how_to_be_told_more(place: Place) -> None:
    access = _asking(place).access(place.now)

    assert (access.ends, access.lacks) == ({}, ())
    assert "secrets: app_token" in access.notes[0]


def test_a_wrong_token_of_the_app_is_said_to_be_that_and_stops_nothing(place: Place) -> None:
    access = _asking(place, app_token="1|wrong").access(place.now)

    assert "Correct the app's id" in access.notes[0]


def test_a_token_without_a_permission_or_with_one_for_another_account_lacks_it(dialect: Dialect) -> None:
    ours, others, *absent = connector(dialect, "http://127.0.0.1:1").capabilities().needs
    granted = [{"scope": ours, "target_ids": ["7"]}, {"scope": others, "target_ids": ["999"]}]

    assert _access(dialect, {"scopes": [ours, others], "granular_scopes": granted}).lacks == (others, *absent)


def test_an_ending_token_says_when(dialect: Dialect) -> None:
    access = _access(dialect, {"expires_at": 1_795_000_000, "data_access_expires_at": 0, "scopes": []})

    assert access.ends == {"the access token": datetime.fromtimestamp(1_795_000_000, UTC)}


def test_an_answer_of_another_version_is_told_with_the_ends_of_both(
    dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    access = _access(dialect, {"scopes": []}, version="v20.0", headers={"facebook-api-version": "v22.0"})

    assert access.ends["version v20.0 of the API"] == VERSION_ENDS["v20.0"] < PRESENT
    assert access.ends["version v22.0 of the API"] == VERSION_ENDS["v22.0"]
    assert any("answers as version v22.0" in note for note in access.notes)
    assert f"{dialect.name} answers as v22.0, not as v20.0" in caplog.text


@pytest.mark.parametrize(
    "facts",
    [
        None,
        7,
        {},
        {"scopes": 7},
        {"scopes": [None], "expires_at": "soon", "data_access_expires_at": 10**20, "granular_scopes": 7},
        {
            "scopes": [{}, "pages_read_engagement", "instagram_basic"],
            "expires_at": True,
            "granular_scopes": [
                7,
                {"scope": "pages_read_engagement", "target_ids": 7},
                {"scope": "instagram_basic", "target_ids": [{}]},
            ],
        },
    ],
)
def test_facts_of_another_shape_are_no_facts(dialect: Dialect, facts: Any) -> None:
    assert _access(dialect, facts).ends == {}


def test_access_fails_as_a_poll_does(dialect: Dialect) -> None:
    error = {"error": {"message": "no", "type": "OAuthException", "code": 190, "error_subcode": 463}}
    with serve([route(".*", error, status=401)]) as address, pytest.raises(SourceError, match="has expired"):
        connector(dialect, address).access(PRESENT)


def test_the_host_to_allow_is_the_one_that_is_asked(dialect: Dialect) -> None:
    assert connector(dialect, "https://graph.facebook.com").capabilities().hosts == ("graph.facebook.com",)
    assert connector(dialect, "http://127.0.0.1:1").capabilities().hosts == ("127.0.0.1",)


def _entry(place: Place, key: str, **about: Any) -> Entry:
    """Something written an hour ago, by a parent, that says what its key says."""
    return Entry(
        **{"key": key, "platform": place.kind, "at": -timedelta(hours=1), "by": "parent", "text": key, **about}
    )


def _totals(pages: Iterable[Page]) -> dict[ItemRef, int]:
    return {ref: total for page in pages for ref, total in page.totals.items()}


def _with_leave(place: Place) -> Connector:
    return connect(replace(place.account(), private_messages=True), {"token": TOKEN})


def _asking(place: Place, **secrets: str) -> Connector:
    return connect(place.account(), {"token": TOKEN, **secrets})


def _key(dialect: Dialect, post: str) -> str:
    return f"7_{post}" if dialect is FACEBOOK else post


def _post(dialect: Dialect, post: str, count: int) -> dict[str, Any]:
    return dialect.post(count=count, id=_key(dialect, post))


def _cursor_left_by_failing(dialect: Dialect, routes: list[Route], cursor: str | None = None) -> str | None:
    """What a poll that is shown no comments leaves to the next."""
    with serve([*routes, EMPTY]) as address, pytest.raises(SourceError, match="showed none"):
        for page in connector(dialect, address).poll(cursor, PRESENT):
            cursor = page.cursor
    return cursor


def _access(dialect: Dialect, facts: Any, *, headers: dict[str, str] | None = None, **options: object) -> Access:
    """What access says where the platform tells `facts` of the token."""
    answer = [{"code": 200, "body": json.dumps({"data": facts})}]
    routes = [
        Route(path=r"/v[\d.]+/", body=json.dumps(answer).encode()),
        route("7", {"id": "7"}, headers=headers or {}),
    ]
    with serve(routes) as address:
        return connector(dialect, address, {"app_token": "1|s"}, **options).access(PRESENT)
