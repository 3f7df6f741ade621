"""What is particular to Bluesky."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import _bluesky_http, connect
from connectors._bluesky import attachments, language
from connectors._bluesky_http import OVERLAP
from connectors.sandbox import TOKEN, Entry, Fault, Person
from connectors.sandbox.bluesky import NO_MESSAGES, did
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef, Page, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PARENT, PRESENT, SCHOOL, Place, Read, can_be_stored, collect
from tests.contract.recorded import BLUESKY_DID, Route, bluesky_session, needs_recordings, recording, serve

HANDLE = "larkfieldprim.bsky.social"
AUTHOR = "did:plc:um5psm2k4bgldzy3zymqxrdq"
OURS, THEIRS = (f"at://{author}/app.bsky.feed.post/3n2sqvfvmhs26" for author in (BLUESKY_DID, AUTHOR))


def _entry(key: str, text: str, **about: Any) -> Entry:
    return Entry(key=key, platform="bluesky", text=text, **{"by": "parent", "at": -timedelta(hours=1), **about})


def _asked(bluesky: Place, method: str) -> int:
    return sum(method in path for _, path in bluesky.sandbox.requests())


def _searching(bluesky: Place, *queries: str) -> Connector:
    options = {**bluesky.sandbox.options("bluesky"), "handle": HANDLE, "queries": queries}
    account = Account(id="search", connector="bluesky", channel=Channel.MENTION, name="search", options=options)
    return connect(account, {"token": TOKEN})


def _with(bluesky: Place, password: str = TOKEN, **about: Any) -> Connector:
    """The school's own account, told `about` it what `Account` has room for."""
    return connect(replace(bluesky.account(), **about), {"token": password})


def _read_all(bluesky: Place, connector: Connector, cursor: str | None = None) -> Read:
    return collect(connector.poll(cursor, bluesky.now))


def _reader(address: str, **options: object) -> Connector:
    options = {"handle": "stmarys.test", "base_url": address, **options}
    account = Account(id="a", connector="bluesky", channel=Channel.OFFICIAL, name="a", options=options)
    return connect(account, {"token": "t"})


def _view(uri: str = THEIRS, **about: Any) -> dict[str, Any]:
    record = {"$type": "app.bsky.feed.post", "text": "Hello", "createdAt": "2026-11-17T09:00:00Z"}
    return {"uri": uri, "cid": "c", "author": {"did": AUTHOR, "handle": "troll.test"}, "record": record, **about}


def _routes(**answers: Any) -> list[Route]:
    """Answers by the last part of the method's name; whatever is not named is an empty list."""
    given = [Route(path=f".*{name}", body=json.dumps(answer).encode()) for name, answer in answers.items()]
    return [*given, bluesky_session(), Route(path=".*", body=b'{"feed": [], "notifications": [], "posts": []}')]


def _read(**answers: Any) -> Read:
    with serve(_routes(**answers)) as address:
        return collect(_reader(address).poll(None, PRESENT))


def test_one_session_serves_polls_and_sweeps(bluesky: Place) -> None:
    connector = bluesky.connector()
    found = collect(connector.poll(None, bluesky.now))
    collect(connector.poll(found.cursor, bluesky.now))
    collect(connector.thread(found.saying("Sports day is on Friday").ref, [], bluesky.now))

    assert _asked(bluesky, "createSession") == 1


def test_a_session_is_refreshed_in_good_time(bluesky: Place) -> None:
    connector = bluesky.connector()
    collect(connector.poll(None, bluesky.now))
    for _ in range(4):
        bluesky.later(minutes=110)
        assert collect(connector.poll(None, bluesky.now)).items

    assert _asked(bluesky, "refreshSession") == 4
    assert _asked(bluesky, "createSession") == 1


def test_a_session_that_has_run_out_is_replaced(bluesky: Place) -> None:
    connector = bluesky.connector()
    collect(connector.poll(None, bluesky.now))
    bluesky.later(days=90)
    found = collect(connector.poll(None, bluesky.now))

    assert found.texts() == bluesky.expected()
    assert _asked(bluesky, "createSession") == 2


def test_a_session_refused_half_way_is_replaced_once_and_no_more(bluesky: Place) -> None:
    bluesky.sandbox.fail("bluesky", Fault.UNAUTHORISED, path="getPostThread")
    assert bluesky.poll().texts() == bluesky.expected()
    assert _asked(bluesky, "createSession") == 2

    bluesky.sandbox.fail("bluesky", Fault.UNAUTHORISED, times=2, path="getPostThread")
    with pytest.raises(SourceError) as caught:
        bluesky.poll()
    assert caught.value.permanent
    assert _asked(bluesky, "createSession") == 4


def test_no_server_that_an_answer_names_is_asked() -> None:
    elsewhere = {
        "id": BLUESKY_DID,
        "service": [
            {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "http://127.0.0.1:1"}
        ],
    }
    session = json.loads(bluesky_session().body) | {"didDoc": elsewhere}

    assert _read(createSession=session, getAuthorFeed={"feed": [{"post": _view(OURS)}]}).texts() == ["Hello"]


def test_a_reply_right_after_its_parent_is_found_in_the_thread_alone(bluesky: Place) -> None:
    asked = bluesky.world.entry("question")
    bluesky.world.add(_entry("quick", "And where?", under="question", at=asked.at + timedelta(seconds=20)))
    found = bluesky.poll()

    assert found.saying("And where?").kind is ItemKind.REPLY
    assert "And where?" not in _notified(bluesky)


def test_a_reply_that_the_school_hid_is_read_marked_and_not_gone(bluesky: Place) -> None:
    bluesky.world.add(_entry("rude", "You are useless", under="post", hidden=True))
    found = bluesky.poll()
    swept = bluesky.sweep(found.saying("Sports day is on Friday").ref, [item.ref for item in found.items])

    assert found.saying("You are useless").visibility is Visibility.HIDDEN
    assert found.saying("Thanks!").visibility is Visibility.PUBLIC
    assert found.saying("You are useless").raw["hidden"] == ["threadgate"]
    assert found.saying("Thanks!").raw["hidden"] == []
    assert "You are useless" not in _notified(bluesky)
    assert swept.saying("You are useless").raw["hidden"] == ["threadgate"]
    assert swept.gone == []


def test_a_moderators_labels_are_kept_with_the_post() -> None:
    labels = [{"val": "spam"}, {"val": "rude", "neg": True}, {"val": 7}, "nonsense"]
    (item,) = _read(listNotifications={"notifications": [_view(labels=labels, reason="mention")]}).items

    assert item.raw["hidden"] == ["label:spam", "label:7"]
    assert item.visibility is Visibility.PUBLIC


def test_what_moderators_took_out_of_sight_is_hidden() -> None:
    (item,) = _read(listNotifications={"notifications": [_view(labels=[{"val": "!hide"}], reason="mention")]}).items

    assert item.visibility is Visibility.HIDDEN


def test_a_person_whom_the_school_muted_is_still_read_by_everybody_else() -> None:
    author = {"did": AUTHOR, "handle": "troll.test", "viewer": {"muted": True}}
    (item,) = _read(listNotifications={"notifications": [_view(author=author, reason="mention")]}).items

    assert (item.visibility, item.raw["hidden"]) == (Visibility.PUBLIC, ["muted"])


def test_replies_deeper_than_one_answer_goes_are_all_found(bluesky: Place) -> None:
    above = ["thanks", *(f"deep-{n}" for n in range(29))]
    asked = bluesky.world.entry("thanks").at
    bluesky.world.add(
        *(
            # So quick that none of them is notified.
            _entry(f"deep-{n}", f"deep {n}", under=under, at=asked + timedelta(seconds=n + 1))
            for n, under in enumerate(above)
        )
    )
    found = bluesky.poll()

    assert found.texts() == bluesky.expected()
    assert found.saying("deep 29").thread == found.saying("Sports day is on Friday").ref


def test_a_backdated_reply_is_found_by_the_next_poll_and_dated_by_its_key(bluesky: Place) -> None:
    before = bluesky.poll()
    at = bluesky.later(minutes=5)
    bluesky.world.add(_entry("old", "Old hat", under="post", at=at, dated=-timedelta(days=2000)))
    found = bluesky.poll(before.cursor).saying("Old hat")

    assert found.published_at == bluesky.now
    assert found.raw["post"]["record"]["createdAt"].startswith("2021-")


def test_a_backdated_mention_below_all_others_is_found_within_the_hour(bluesky: Place) -> None:
    long_ago = -timedelta(days=3)
    bluesky.world.add(
        *(
            _entry(f"many-{n}", f"{n} @larkfieldprim", at=long_ago + timedelta(seconds=n))
            for n in range(OVERLAP + bluesky.sandbox._server._page_size)
        )
    )
    before = bluesky.poll()
    at = bluesky.later(minutes=5)
    bluesky.world.add(_entry("sly", "Sly @larkfieldprim", at=at, dated=-timedelta(days=2000)))
    next_poll = bluesky.poll(before.cursor)
    bluesky.later(minutes=55)
    an_hour_later = bluesky.poll(next_poll.cursor)

    assert "0 @larkfieldprim" in before.texts()
    assert "0 @larkfieldprim" not in next_poll.texts()
    assert "Sly @larkfieldprim" in an_hour_later.texts()


def test_a_mention_a_little_backdated_is_found_by_the_next_poll(bluesky: Place) -> None:
    before = bluesky.poll()
    at = bluesky.later(minutes=5)
    bluesky.world.add(_entry("late", "Late @larkfieldprim", at=at, dated=at - timedelta(hours=5)))

    assert "Late @larkfieldprim" in bluesky.poll(before.cursor).texts()


def test_mentions_of_the_same_instant_are_not_lost_between_two_pages(bluesky: Place) -> None:
    bluesky.world.add(*(_entry(f"same-{n}", f"{n} @larkfieldprim") for n in range(3)))
    bluesky.world.add(
        *(_entry(f"newer-{n}", f"newer {n} @larkfieldprim", at=timedelta(seconds=-n)) for n in range(3))
    )

    assert {f"{n} @larkfieldprim" for n in range(3)} <= set(bluesky.poll().texts())


def test_more_mentions_of_one_instant_than_a_page_holds_are_searched_for_and_the_gap_is_shown(
    bluesky: Place,
) -> None:
    bluesky.world.add(*(_entry(f"same-{n}", f"{n} @larkfieldprim") for n in range(11)))
    found = bluesky.poll(page_size=4)

    assert {f"{n} @larkfieldprim" for n in range(11)} <= set(found.texts())
    assert [reject.raw for reject in found.rejects] == [{"notifications": "2026-11-18T09:00:00Z"}]


def test_nothing_is_missed_after_a_silence_longer_than_the_window(bluesky: Place) -> None:
    before = bluesky.poll()
    at = bluesky.later(days=10)
    bluesky.world.add(_entry("meanwhile", "Meanwhile", by="school", at=at))
    bluesky.later(days=60)

    assert "Meanwhile" in bluesky.poll(before.cursor).texts()


def test_of_a_thread_that_others_began_only_what_answers_the_school_is_read(bluesky: Place) -> None:
    bluesky.world.add(
        _entry("chat", "Which school is best?"),
        _entry("aside", "Mine!", under="chat"),
        _entry("ours", "We are biased", by="school", under="chat"),
        _entry("to-us", "Ha!", under="ours"),
    )
    found = bluesky.poll()

    assert {"We are biased", "Ha!"} <= set(found.texts())
    assert not {"Which school is best?", "Mine!"} & set(found.texts())


def test_answers_to_a_deleted_post_are_not_gone_with_it(bluesky: Place) -> None:
    before = bluesky.poll()
    post = before.saying("Sports day is on Friday").ref
    bluesky.world.delete("post", bluesky.later(minutes=1))
    swept = bluesky.sweep(post, [item.ref for item in before.items])

    assert swept.gone == [post]
    assert {"What time does it start?", "Thanks!"} <= set(swept.texts())


def test_a_post_behind_a_block_is_not_gone() -> None:
    blocked = {"$type": "app.bsky.feed.defs#blockedPost", "uri": THEIRS, "blocked": True, "author": {"did": AUTHOR}}
    lost = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": THEIRS, "notFound": True}
    ours = {"$type": "app.bsky.feed.defs#threadViewPost", "post": _view(OURS), "replies": [blocked, lost]}
    routes = _routes(getPosts={"posts": []})
    for thread, gone in ((blocked, []), (lost, [ItemRef("bluesky", THEIRS)])):
        known = Route(path=".*getPostThread", query={"uri": THEIRS}, body=json.dumps({"thread": thread}).encode())
        whole = Route(path=".*getPostThread", body=json.dumps({"thread": ours}).encode())
        with serve([known, whole, *routes]) as address:
            swept = collect(
                _reader(address).thread(ItemRef("bluesky", OURS), [ItemRef("bluesky", THEIRS)], PRESENT)
            )
        assert (swept.texts(), swept.rejects, swept.gone) == (["Hello"], [], gone)


def test_more_known_posts_than_one_lookup_takes_are_all_checked(bluesky: Place) -> None:
    bluesky.world.add(
        *(_entry(f"many-{n}", f"many {n} @larkfieldprim", at=-timedelta(minutes=n)) for n in range(60))
    )
    before = bluesky.poll()
    bluesky.world.delete("many-57", bluesky.later(minutes=1))
    swept = bluesky.sweep(before.saying("Lost: one scarf").ref, [item.ref for item in before.items])

    assert swept.gone == [before.saying("many 57 @larkfieldprim").ref]


def test_an_edit_changes_the_records_cid_and_not_its_address(bluesky: Place) -> None:
    before = bluesky.poll().saying("Thanks!")
    bluesky.world.edit("thanks", "Thanks a lot!", bluesky.later(minutes=1))
    after = bluesky.poll().saying("Thanks a lot!")

    assert after.ref == before.ref
    assert after.raw["post"]["cid"] != before.raw["post"]["cid"]


def test_what_is_said_to_the_school_elsewhere_is_a_post(bluesky: Place) -> None:
    bluesky.world.add(_entry("hail", "Well done @LarkfieldPrim"))
    found = bluesky.poll().saying("Well done @LarkfieldPrim")

    assert found.kind is ItemKind.POST
    assert found.parent is None
    assert found.thread == found.ref


def test_likes_and_reposts_have_no_words_and_are_left_out() -> None:
    repost = {"post": _view(), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}
    pinned = {"post": _view(OURS), "reason": {"$type": "app.bsky.feed.defs#reasonPin"}}
    likes = [_view(THEIRS.replace("post", "like"), reason="like"), _view(reason="something-new")]
    alone = {"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": _view(OURS)}}
    listed = {"getAuthorFeed": {"feed": [repost, pinned]}, "listNotifications": {"notifications": likes}}
    found = _read(**listed, getPostThread=alone)

    assert [item.ref.id for item in found.items] == [OURS]
    assert found.rejects == []


def test_a_search_finds_what_any_of_its_queries_says_once(bluesky: Place) -> None:
    bluesky.world.add(
        _entry("one", "Larkfield School is fine"),
        _entry("two", "larkfeild school in Northvale"),
        _entry("three", "the lark field behind the school"),
    )
    found = collect(_searching(bluesky, "larkfield school", "fine", "larkfeild northvale").poll(None, bluesky.now))

    assert found.texts() == ["Larkfield School is fine", "larkfeild school in Northvale"]
    assert {item.channel for item in found.items} == {Channel.MENTION}


def test_without_queries_the_schools_names_and_handles_are_searched_for_as_phrases(bluesky: Place) -> None:
    names = SchoolNames(names=("Larkfield School",), misspellings=("larkfeild",), handles=("@larkfieldprim",))
    bluesky.world.add(
        _entry("one", "At Larkfield School today"),
        _entry("two", "larkfeild again"),
        _entry("three", "The school in Larkfield"),
        _entry("four", "hello @larkfieldprim"),
    )
    connector = _with(bluesky, channel=Channel.MENTION, names=names)

    assert _read_all(bluesky, connector).texts() == [
        "At Larkfield School today",
        "hello @larkfieldprim",
        "larkfeild again",
    ]


def test_queries_of_the_accounts_own_win_over_the_schools_names(bluesky: Place) -> None:
    bluesky.world.add(_entry("one", "At Larkfield School"), _entry("two", "The lantern parade"))
    account = bluesky.account(queries=["lantern"])
    account = replace(account, channel=Channel.MENTION, names=SchoolNames(names=("Larkfield School",)))

    assert _read_all(bluesky, connect(account, {"token": TOKEN})).texts() == ["The lantern parade"]


def test_a_search_that_stops_short_goes_on_with_what_is_earlier(
    bluesky: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sandbox.bluesky.SEARCH_REACH", 10)
    monkeypatch.setattr(_bluesky_http, "REACH", 9)
    bluesky.world.add(*(_entry(f"m-{n}", f"Larkfield {n}", at=-timedelta(hours=n)) for n in range(1, 26)))

    assert len(_read_all(bluesky, _searching(bluesky, "larkfield")).items) == 25


def test_of_a_thread_that_only_speaks_of_the_school_nothing_else_is_read(bluesky: Place) -> None:
    bluesky.world.add(_entry("talk", "Larkfield again"), _entry("aside", "My lunch was nice", under="talk"))
    connector = _searching(bluesky, "again")
    (said,) = collect(connector.poll(None, bluesky.now)).items

    assert collect(connector.thread(said.ref, [said.ref], bluesky.now)).texts() == ["Larkfield again"]


def test_the_counts_of_direct_replies_add_up_to_the_thread(bluesky: Place) -> None:
    below = len(bluesky.expected()) - 1 - 2
    bluesky.world.add(_entry("shy", "Not shown to you", under="post", miscount=2))
    found = list(bluesky.pages())
    totals = {ref: total for page in found for ref, total in page.totals.items()}
    post = collect(found).saying("Sports day is on Friday").ref

    assert totals[post] == below + 1 + 2
    assert totals[collect(found).saying("Lost: one scarf").ref] == 1
    (again,) = [page.totals for page in bluesky.connector().thread(post, [], bluesky.now) if page.totals]
    assert again == {post: below + 1 + 2}


def test_a_reply_whose_parent_was_deleted_is_counted_by_the_sweep(bluesky: Place) -> None:
    before = bluesky.poll()
    post = before.saying("Sports day is on Friday").ref
    known = [item.ref for item in before.items if item.thread == post and item.ref != post]
    bluesky.world.delete("question", bluesky.later(minutes=1))
    swept = list(bluesky.connector().thread(post, known, bluesky.now))

    assert [page.totals for page in swept if page.totals] == [{post: len(known) - 1}]


# Listings that come empty


def test_a_thread_that_comes_empty_against_its_count_is_doubted_once_and_then_read(bluesky: Place) -> None:
    bluesky.sandbox.fail("bluesky", Fault.EMPTY, path="getPostThread")
    with pytest.raises(SourceError, match="none of the 1 replies that it counts") as caught:
        bluesky.poll()

    assert not caught.value.permanent
    assert bluesky.poll().texts() == bluesky.expected()


def test_a_thread_that_stays_empty_is_believed(bluesky: Place) -> None:
    bluesky.world.add(_entry("quiet", "Who is coming?", by="school", miscount=1))
    pages: list[Page] = []
    with pytest.raises(SourceError, match="none of the 1 replies"):
        for found in bluesky.pages():
            pages.append(found)

    assert bluesky.poll(pages[-1].cursor).texts() == bluesky.expected()


@pytest.mark.parametrize("method", ["getAuthorFeed", "listNotifications"])
def test_a_listing_that_comes_empty_though_it_was_not_before_is_doubted(bluesky: Place, method: str) -> None:
    before = bluesky.poll()
    bluesky.sandbox.fail("bluesky", Fault.EMPTY, path=method)
    with pytest.raises(SourceError, match="Bluesky answered, but showed no"):
        bluesky.poll(before.cursor)


def test_posts_that_are_counted_and_not_shown_are_doubted_at_the_very_first_poll(bluesky: Place) -> None:
    bluesky.sandbox.fail("bluesky", Fault.EMPTY, path="getAuthorFeed")
    with pytest.raises(SourceError, match="own posts"):
        bluesky.poll()


def test_a_listing_that_is_empty_since_its_posts_were_deleted_is_not_doubted(bluesky: Place) -> None:
    bluesky.world.add(_entry("hail", "Hail Larkfield"))
    connector = _searching(bluesky, "hail")
    before = _read_all(bluesky, connector)
    bluesky.world.delete("hail", bluesky.later(minutes=1))

    assert _read_all(bluesky, connector, before.cursor).items == []


def test_a_sweep_whose_thread_comes_empty_declares_nothing_gone(bluesky: Place) -> None:
    before = bluesky.poll()
    post = before.saying("Sports day is on Friday").ref
    known = [item.ref for item in before.items if item.thread == post]
    bluesky.sandbox.fail("bluesky", Fault.EMPTY, path="getPostThread")
    pages: list[Page] = []
    with pytest.raises(SourceError, match="none of the"):
        for found in bluesky.connector().thread(post, known, bluesky.now):
            pages.append(found)

    assert {item.ref for found in pages for item in found.items} == set(known)
    assert not any(found.gone for found in pages)


# Direct messages


def _message(key: str, text: str, **about: Any) -> Entry:
    return _entry(key, text, message=True, **about)


def test_direct_messages_are_read_where_the_rule_book_allows_it_and_nowhere_else(bluesky: Place) -> None:
    bluesky.world.add(
        _message("dm", "Is my son safe?"),
        _message("dm-2", "Yes.", by="school", under="dm", at=-timedelta(minutes=30)),
    )
    found = _read_all(bluesky, _with(bluesky, private_messages=True))
    question, answer = found.saying("Is my son safe?"), found.saying("Yes.")

    assert question.kind is answer.kind is ItemKind.MESSAGE
    assert question.thread == answer.thread
    assert question.author.handle == "annbob.bsky.social"
    assert answer.author.kind is AuthorKind.SCHOOL
    assert question.url.startswith(f"{bluesky.sandbox.page_url('bluesky')}/messages/")
    assert question.published_at == PRESENT - timedelta(hours=1)
    asked = _asked(bluesky, "chat.bsky")
    assert not {"Is my son safe?", "Yes."} & set(bluesky.poll().texts())
    assert _asked(bluesky, "chat.bsky") == asked > 0


def test_a_message_request_that_nobody_accepted_is_read(bluesky: Place) -> None:
    bluesky.world.add(_message("stranger", "I know where you live"))

    assert "I know where you live" in _read_all(bluesky, _with(bluesky, private_messages=True)).texts()


def test_a_conversation_is_swept_and_a_deleted_message_is_gone(bluesky: Place) -> None:
    connector = _with(bluesky, private_messages=True)
    bluesky.world.add(_message("dm", "Hello"), _message("dm-2", "Anybody?", at=-timedelta(minutes=30)))
    found = _read_all(bluesky, connector)
    first, second = found.saying("Hello"), found.saying("Anybody?")
    assert first.thread is not None
    bluesky.world.delete("dm", bluesky.later(minutes=1))
    swept = collect(connector.thread(first.thread, [first.ref, second.ref], bluesky.now))

    assert (swept.texts(), swept.gone) == (["Anybody?"], [first.ref])
    assert bluesky.sweep(first.thread, [first.ref]) == Read()


def test_an_app_password_that_does_not_open_messages_is_named_and_stops_nothing(bluesky: Place) -> None:
    bluesky.world.add(_message("dm", "Hello"))
    connector = _with(bluesky, f"{TOKEN}{NO_MESSAGES}", private_messages=True)

    assert _read_all(bluesky, connector).texts() == sorted({*bluesky.expected()} - {"Hello"})
    assert connector.access(bluesky.now).lacks == ("access to your direct messages",)
    assert _asked(bluesky, "chat.bsky") == 0


# What can be told without reading


def test_what_it_needs_depends_on_what_it_may_read(bluesky: Place) -> None:
    public, private = (_with(bluesky, private_messages=told).capabilities() for told in (False, True))

    assert (public.needs, private.needs) == ((), ("access to your direct messages",))
    assert "private messages" not in public.reads
    assert "private messages" in private.reads
    assert public.hosts == ("127.0.0.1",)
    assert _reader("https://bsky.social").capabilities().hosts == ("bsky.social",)
    assert _reader("https://bsky.social").capabilities().pages == ("bsky.app",)


def test_an_app_password_lacks_nothing_and_does_not_end(bluesky: Place) -> None:
    access = _with(bluesky, private_messages=True).access(bluesky.now)

    assert (access.ends, access.lacks, access.notes) == ({}, (), ())


def test_an_account_that_is_switched_off_is_called_that() -> None:
    session = {"did": BLUESKY_DID, "handle": "stmarys.test", "active": False, "status": "deactivated"}
    with (
        serve(_routes(getSession=session)) as address,
        pytest.raises(SourceError, match=r"not active \(deactivated\)") as caught,
    ):
        _reader(address).access(PRESENT)

    assert caught.value.permanent


def test_accounts_that_carry_the_schools_name_are_found_once(bluesky: Place) -> None:
    bluesky.world.people["fake"] = Person(key="fake", name="Larkfield School Official", handle="larkfieldofficial")
    found = list(bluesky.connector().profiles(["Larkfield School", "larkfield"], bluesky.now))

    assert [profile.name for profile in found] == ["Larkfield School", "Larkfield School Official"]
    assert found[1].handle == "larkfieldofficial.bsky.social"
    assert found[1].about == "I am Larkfield School Official."
    assert found[1].url == f"{bluesky.sandbox.page_url('bluesky')}/profile/{found[1].id}"


def test_a_photo_is_told_with_its_alt_text(bluesky: Place) -> None:
    bluesky.world.add(_entry("dog", "Look", under="post", photo=True, alt="A dog in the hall"))

    assert bluesky.poll().saying("Look").attachments == ("photo: A dog in the hall",)


def test_a_session_that_expires_twice_running_is_called_that(bluesky: Place) -> None:
    bluesky.sandbox.fail("bluesky", Fault.EXPIRED, times=2, path="getAuthorFeed")
    with pytest.raises(SourceError, match="has expired") as caught:
        bluesky.poll()

    assert caught.value.permanent


def test_an_address_leads_to_the_post(bluesky: Place) -> None:
    thanks = bluesky.poll().saying("Thanks!")
    key = thanks.ref.id.rpartition("/")[2]

    assert thanks.url == f"{bluesky.sandbox.page_url('bluesky')}/profile/{did(PARENT)}/post/{key}"


def test_what_staff_handed_in_is_not_asked_of_bluesky(bluesky: Place) -> None:
    post = bluesky.poll().saying("Sports day is on Friday")

    assert bluesky.sweep(post.ref, [ItemRef("bluesky", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert bluesky.sweep(ItemRef("bluesky", "archive:box:7"), []) == Read()


def test_a_search_needs_its_queries_and_every_account_a_handle() -> None:
    account = Account(id="a", connector="bluesky", channel=Channel.MENTION, name="a", options={"handle": HANDLE})
    with pytest.raises(ConfigError, match="option 'queries'"):
        connect(account, {"token": "t"})
    with pytest.raises(ConfigError, match="option 'handle'"):
        _reader("http://127.0.0.1:1", handle="not a handle")


def test_a_suspended_account_is_called_that() -> None:
    gone = Route(path=".*", body=b'{"error": "AccountTakedown", "message": "taken down"}', status=401)
    with serve([gone]) as address, pytest.raises(SourceError, match="closed or suspended") as caught:
        collect(_reader(address).poll(None, PRESENT))

    assert caught.value.permanent


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "e30.e30.e30"])
def test_a_session_token_that_cannot_be_read_is_no_crash(token: str) -> None:
    session = json.loads(bluesky_session().body) | {"accessJwt": token}
    with pytest.raises(SourceError):
        _read(createSession=session)


def test_a_listing_that_goes_round_in_a_circle_is_an_error() -> None:
    with pytest.raises(SourceError, match="circle"):
        _read(getAuthorFeed={"feed": [], "cursor": "again"})


@pytest.mark.parametrize(
    "entries", [None, {}, 7, "text", [None], [[]], [{"post": 5}], [{"post": {"uri": "at://x"}}]]
)
def test_any_shape_of_a_listing_is_survived(entries: Any) -> None:
    if not isinstance(entries, list):
        with pytest.raises(SourceError, match="no list"):
            _read(getAuthorFeed={"feed": entries})
        return
    found = _read(getAuthorFeed={"feed": entries})

    assert found.items == []
    assert len(found.rejects) == len(entries)


@pytest.mark.parametrize(
    ("embed", "facts"),
    [
        ({"$type": "app.bsky.embed.images", "images": [{"alt": ""}, {"alt": "A dog"}]}, ("photo", "photo: A dog")),
        ({"$type": "app.bsky.embed.video", "alt": ""}, ("video",)),
        ({"$type": "app.bsky.embed.video#view", "alt": "A dog\nbarks"}, ("video: A dog barks",)),
        ({"$type": "app.bsky.embed.external", "external": {"uri": "https://a.example"}}, ("link",)),
        ({"$type": "app.bsky.embed.record", "record": {"uri": OURS}}, ("quote",)),
        (
            {
                "$type": "app.bsky.embed.recordWithMedia",
                "media": {"$type": "app.bsky.embed.images", "images": [{}]},
            },
            ("photo", "quote"),
        ),
        ({"$type": "app.bsky.embed.hologram"}, ("hologram",)),
        (None, ()),
        ("nonsense", ()),
    ],
)
def test_attachments_are_facts(embed: Any, facts: tuple[str, ...]) -> None:
    assert attachments(embed) == facts


@pytest.mark.parametrize(
    ("named", "code"),
    [(["en"], "en"), (["en-GB", "pl"], "en"), (["eng"], None), ([], None), ([7], None), ("en", None)],
)
def test_a_language_is_one_of_two_letters(named: Any, code: str | None) -> None:
    assert language(named) == code


NAMES = (
    *("uri", "cid", "author", "did", "handle", "displayName", "record", "text", "createdAt", "indexedAt", "reason"),
    *(
        "reply",
        "root",
        "parent",
        "embed",
        "$type",
        "images",
        "alt",
        "labels",
        "val",
        "neg",
        "langs",
        "post",
        "replies",
    ),
    *("replyCount", "threadgate", "hiddenReplies", "thread", "cursor", "error", "facets"),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([OURS, THEIRS, "reply", "0001-01-01T00:00:00+14:00", "9" * 40, "\ud800", "NotFound"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=25,
)
LISTS = st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {"feed": LISTS, "notifications": LISTS, "thread": JSON}, optional={"cursor": LEAVES, "threadgate": JSON}
)


def test_no_answer_is_fatal() -> None:
    routes: list[Route] = []
    with serve(routes) as address:
        connector = _reader(address)

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(document=DOCUMENTS)
        def holds(document: Any) -> None:
            thread = {"$type": "app.bsky.feed.defs#threadViewPost", "post": document["thread"], "replies": []}
            feed = {**document, "feed": [{"post": _view(OURS)}, *document["feed"]], "thread": thread}
            routes[:] = [bluesky_session(), Route(path=".*", body=json.dumps(feed).encode())]
            try:
                found = collect(connector.poll(None, PRESENT))
            except SourceError:
                return
            can_be_stored(found)

        holds()


@pytest.mark.parametrize(
    "document", [{}, [], {"did": 7}, {"accessJwt": "a", "refreshJwt": "b", "did": "", "handle": ""}]
)
def test_no_answer_to_signing_in_is_fatal(document: Any) -> None:
    with pytest.raises(SourceError):
        _read(createSession=document)


@needs_recordings
@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("app.bsky.feed.getAuthorFeed", {"actor": HANDLE}),
        ("app.bsky.feed.getPostThread", {}),
        ("app.bsky.notification.listNotifications", {}),
        ("app.bsky.feed.searchPosts", {"q": "Comment"}),
    ],
)
def test_the_sandbox_answers_in_the_recorded_form(bluesky: Place, method: str, query: dict[str, str]) -> None:
    bluesky.world.add(_entry("rude", "Rude", under="post", hidden=True), _entry("hail", "@larkfieldprim hail"))
    name = method.rpartition(".")[2]
    recorded = json.loads(recording(f"bluesky/{name}{'_pds' if name == 'searchPosts' else ''}.json"))
    if name == "getPostThread":
        query = {"uri": bluesky.poll().saying("Sports day is on Friday").ref.id}
    answer = _ask(bluesky, method, query).json()

    assert set(answer) == set(recorded)
    for part in ("post", "author", "node", "entry"):
        sandbox, real = (dict(_parts(document)).get(part, set()) for document in (answer, recorded))
        # What the recorded people and posts happened not to have.
        extra = {"displayName", "viewer", "threadgate"}
        assert sandbox - extra == real - extra, part


@needs_recordings
def test_the_sandbox_refuses_as_recorded(bluesky: Place) -> None:
    gone = f"at://{did(SCHOOL)}/app.bsky.feed.post/3aaaaaaaaaaaa"
    answer = _ask(bluesky, "app.bsky.feed.getPostThread", {"uri": gone})
    recorded = recording("bluesky/notFound.json").decode()
    bluesky.sandbox.fail("bluesky", Fault.UNAUTHORISED, path="getPosts")

    assert (answer.status_code, answer.json()["error"]) == (400, json.loads(recorded)["error"])
    assert answer.json()["message"] == json.loads(recorded)["message"].replace(BLUESKY_DID, did(SCHOOL))
    assert _ask(bluesky, "app.bsky.feed.getPosts", {}).json() == json.loads(recording("bluesky/badToken.json"))


def _ask(bluesky: Place, method: str, query: dict[str, str]) -> httpx.Response:
    root = f"{bluesky.sandbox.base_url('bluesky')}/xrpc"
    session = httpx.post(
        f"{root}/com.atproto.server.createSession", json={"identifier": HANDLE, "password": TOKEN}
    ).json()
    return httpx.get(f"{root}/{method}", params=query, headers={"Authorization": f"Bearer {session['accessJwt']}"})


def _notified(bluesky: Place) -> list[str]:
    answer = _ask(bluesky, "app.bsky.notification.listNotifications", {}).json()
    texts = []
    while answer["notifications"]:
        texts += [entry["record"]["text"] for entry in answer["notifications"]]
        query = {"cursor": answer["cursor"]}
        answer = _ask(bluesky, "app.bsky.notification.listNotifications", query).json()
    return texts


def _parts(document: Any) -> Iterator[tuple[str, set[str]]]:
    """The names that posts, authors, nodes of threads and entries of feeds have, all of one sort together."""
    found: dict[str, set[str]] = {}
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()
            sort = "post" if "record" in value and "author" in value else "author" if "handle" in value else ""
            sort = sort or ("node" if "threadContext" in value else "entry" if set(value) == {"post"} else "")
            found.setdefault(sort, set()).update(value)
    yield from found.items()


def test_what_the_school_wrote_under_other_handles_is_its_own() -> None:
    options = {"handle": "stmarys.test"}
    with serve(_routes(listNotifications={"notifications": [_view(reason="mention")]})) as address:
        account = Account(
            id="a",
            connector="bluesky",
            channel=Channel.OFFICIAL,
            name="a",
            handles=("@Troll.test",),
            options={**options, "base_url": address},
        )
        (item,) = collect(connect(account, {"token": "t"}).poll(None, PRESENT)).items

    assert item.author.kind is AuthorKind.SCHOOL
