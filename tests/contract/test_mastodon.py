"""What is particular to Mastodon."""

import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml

from connectors import connect
from connectors.sandbox import TOKEN, Entry, Fault, Person
from connectors.sandbox.mastodon_view import status_id
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef, Page, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, Read, collect
from tests.contract.recorded import FIXTURES, Route, needs_recordings, serve

ME = {"id": "1", "username": "larkfieldprim", "acct": "larkfieldprim"}
NO_NOTIFICATIONS = {"accounts": [], "statuses": [], "notification_groups": []}
#: Shortly after the recordings were made.
RECORDED = datetime(2026, 8, 2, tzinfo=UTC)
ALONE = {"ancestors": [], "descendants": []}


def _entry(key: str, text: str, *, hours: float = -1, **about: Any) -> Entry:
    return Entry(key=key, platform="mastodon", at=timedelta(hours=hours), text=text, **{"by": "parent", **about})


def _looking(mastodon: Place, **options: object) -> Connector:
    whole = {**mastodon.sandbox.options("mastodon"), **options}
    account = Account(id="found", connector="mastodon", channel=Channel.MENTION, name="found", options=whole)
    return connect(account, {"token": TOKEN})


def _look(mastodon: Place, **options: object) -> Read:
    return collect(_looking(mastodon, **options).poll(None, mastodon.now))


def _asked(mastodon: Place, path: str) -> list[dict[str, list[str]]]:
    addresses = [urlsplit(address) for _, address in mastodon.sandbox.requests()]
    return [parse_qs(address.query) for address in addresses if path in address.path]


# Mentions and notifications


def test_a_post_that_names_the_school_is_found_without_being_an_answer(mastodon: Place) -> None:
    mastodon.world.add(_entry("hail", "Well done @LarkfieldPrim"))
    found = mastodon.poll().saying("Well done @LarkfieldPrim")

    assert found.kind is ItemKind.POST
    assert (found.parent, found.thread) == (None, found.ref)


def test_a_mention_in_a_conversation_of_others_is_read_and_the_conversation_is_not(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("talk", "My lunch was nice", hours=-3),
        _entry("so-what", "So was mine", hours=-2, under="talk"),
        _entry("named", "Ask @larkfieldprim for the recipe", under="so-what"),
    )
    found = mastodon.poll()
    named = found.saying("Ask @larkfieldprim for the recipe")

    assert "My lunch was nice" not in found.texts()
    assert "So was mine" not in found.texts()
    assert named.parent is not None
    assert named.thread is not None
    assert named.thread not in (named.ref, named.parent)
    swept = mastodon.sweep(named.thread, [named.ref])
    assert swept.texts() == ["Ask @larkfieldprim for the recipe"]
    assert swept.gone == []


def test_what_stands_below_an_answer_of_the_schools_elsewhere_is_read(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("hail", "@larkfieldprim where do I pay?", hours=-5),
        _entry("here", "At the office.", hours=-4, by="school", under="hail"),
        _entry("and-when", "And when?", hours=-3, under="here"),
    )
    found = mastodon.poll()
    question, answer, more = map(found.saying, ("@larkfieldprim where do I pay?", "At the office.", "And when?"))

    assert answer.thread == more.thread == question.ref
    assert (answer.parent, more.parent) == (question.ref, answer.ref)
    assert answer.author.kind is AuthorKind.SCHOOL


def test_notifications_that_the_account_filters_are_read(mastodon: Place) -> None:
    mastodon.world.add(_entry("newcomer", "@larkfieldprim is this you?", category="filtered"))

    assert "@larkfieldprim is this you?" in mastodon.poll().texts()


def test_more_mentions_than_a_page_holds_are_read_to_the_window_and_no_further(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"m-{n}", f"@larkfieldprim number {n}", hours=-24 * n) for n in range(1, 45)))
    found = [text for text in mastodon.poll().texts() if "number" in text]

    assert set(found) >= {f"@larkfieldprim number {n}" for n in range(1, 30)}
    assert len(_asked(mastodon, "/notifications")) < 11


def test_mentions_written_during_a_long_silence_are_read(mastodon: Place) -> None:
    before = mastodon.poll()
    at = mastodon.later(days=2) / timedelta(hours=1)
    mastodon.world.add(*(_entry(f"m-{n}", f"@larkfieldprim {n}", hours=at + n) for n in range(20)))
    mastodon.later(days=60)
    after = mastodon.poll(before.cursor)

    assert {f"@larkfieldprim {n}" for n in range(20)} <= set(after.texts())


def test_an_edited_mention_is_read_again_though_no_notification_tells_of_it(mastodon: Place) -> None:
    mastodon.world.add(_entry("hail", "@larkfieldprim hello"))
    before = mastodon.poll()
    mastodon.world.edit("hail", "@larkfieldprim I know where you live", mastodon.later(days=3))
    after = mastodon.poll(before.cursor)

    assert after.saying("@larkfieldprim I know where you live").ref == before.saying("@larkfieldprim hello").ref


def test_a_mention_that_turns_up_late_is_still_read(mastodon: Place) -> None:
    before = mastodon.poll()
    mastodon.later(minutes=5)
    mastodon.world.add(_entry("lagging", "@larkfieldprim hello?", hours=-30))

    assert "@larkfieldprim hello?" in mastodon.poll(before.cursor).texts()


def test_a_token_of_another_account_is_refused(mastodon: Place) -> None:
    with pytest.raises(SourceError, match="not @someoneelse's own") as caught:
        mastodon.poll(handle="@someoneelse@school.example")

    assert caught.value.permanent
    assert not _asked(mastodon, "/notifications")


# Readings that are broken off


def test_a_reading_that_a_limit_breaks_off_goes_on_where_it_was(mastodon: Place) -> None:
    mastodon.world.add(
        *(_entry(f"own-{n}", f"Notice {n}", hours=-n, by="school") for n in range(1, 30)),
        *(_entry(f"hail-{n}", f"@larkfieldprim {n}", hours=-n) for n in range(1, 30)),
    )
    read: set[str] = set()
    cursor, readings = None, 0
    while readings < 40 and (cursor is None or "read_to" not in json.loads(cursor)):
        readings += 1
        begun = len(mastodon.sandbox.requests())
        with suppress(SourceError):
            for found in mastodon.pages(cursor):
                read |= {item.text for item in found.items}
                cursor = found.cursor
                if len(mastodon.sandbox.requests()) - begun >= 12:
                    mastodon.sandbox.fail("mastodon", Fault.RATE_LIMITED)

    assert 5 < readings < 40
    assert read == set(mastodon.expected())


def test_what_comes_while_a_reading_is_broken_off_is_read_by_the_poll_that_ends_it(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"own-{n}", f"Notice {n}", hours=-n, by="school") for n in range(1, 12)))
    pages = iter(mastodon.pages())
    read = [next(pages) for _ in range(8)]
    at = mastodon.later(minutes=5) / timedelta(hours=1)
    mastodon.world.add(
        _entry("new", "Just now", hours=at, by="school"), _entry("hail", "@larkfieldprim!", hours=at)
    )
    after = mastodon.poll(read[-1].cursor)

    assert "mark" in json.loads(read[-1].cursor or "")
    assert {*collect(read).texts(), *after.texts()} == set(mastodon.expected())
    assert len(after.texts()) == len({item.ref for item in after.items})


def test_the_last_page_asks_to_rest_where_no_request_is_left() -> None:
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-18T10:04:00.000Z"}
    routes = [Route(path=".*/v2/notifications", body=json.dumps(NO_NOTIFICATIONS).encode(), headers=spent)]
    with serve([*routes, *_usual()]) as address:
        *_, last = _connector(address).poll(None, PRESENT)

    assert last.rest_until == PRESENT + timedelta(minutes=4)


# Counts, and listings that come empty


def test_the_counts_of_direct_replies_add_up_to_the_thread(mastodon: Place) -> None:
    below = len(mastodon.expected()) - 1 - 2
    mastodon.world.add(
        _entry("shy", "Not shown to you", under="post", miscount=2),
        _entry("secret", "Between us", under="post", message=True),
    )
    found = list(mastodon.pages())
    totals = {ref: total for page in found for ref, total in page.totals.items()}
    post = collect(found).saying("Sports day is on Friday").ref

    assert totals[post] == below + 1 + 2
    assert totals[collect(found).saying("Lost: one scarf").ref] == 1
    (again,) = [page.totals for page in mastodon.connector().thread(post, [], mastodon.now) if page.totals]
    assert again == {post: below + 1 + 2}


def test_somebody_whom_the_school_muted_is_counted_as_the_server_does(mastodon: Place) -> None:
    mastodon.world.add(_entry("muted", "Listen to me", under="post", category="muted"))
    mastodon.world.add(_entry("heard", "I do", under="muted"))
    below = len(mastodon.expected()) - 1 - 2
    found = list(mastodon.pages())
    post = collect(found).saying("Sports day is on Friday").ref

    assert [page.totals[post] for page in found if post in page.totals] == [below]


def test_a_post_without_replies_counts_none(mastodon: Place) -> None:
    mastodon.world.add(_entry("notice", "The hall is closed", by="school", hours=-24 * 9))
    found = list(mastodon.pages(json.dumps({"read_to": "2026-11-18T09:00:00Z"})))
    notice = collect(found).saying("The hall is closed").ref

    assert [page.totals[notice] for page in found if notice in page.totals] == [0]


def test_a_thread_that_comes_empty_against_its_count_is_doubted_once_and_then_read(mastodon: Place) -> None:
    mastodon.sandbox.fail("mastodon", Fault.EMPTY, path="/context")
    pages: list[Page] = []
    with pytest.raises(SourceError, match="none of the 1 replies that it counts") as caught:
        for found in mastodon.pages():
            pages.append(found)

    assert not caught.value.permanent
    assert "read_to" not in json.loads(pages[-1].cursor or "")
    assert mastodon.poll(pages[-1].cursor).texts() == mastodon.expected()


def test_a_thread_that_stays_empty_is_believed(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("quiet", "Who is coming?", by="school"), _entry("muted", "Me", under="quiet", category="muted")
    )
    pages: list[Page] = []
    with pytest.raises(SourceError, match="none of the 1 replies"):
        for found in mastodon.pages():
            pages.append(found)
    after = mastodon.poll(pages[-1].cursor)

    assert set(after.texts()) == set(mastodon.expected()) - {"Me"}
    assert mastodon.poll(after.cursor).items


@pytest.mark.parametrize(
    ("path", "words"), [("/statuses", "own posts"), ("/v2/notifications", "no mentions, though it showed some")]
)
def test_a_listing_that_comes_empty_though_it_was_not_before_is_doubted(
    mastodon: Place, path: str, words: str
) -> None:
    mastodon.world.add(_entry("hail", "@larkfieldprim hello"))
    before = mastodon.poll()
    mastodon.sandbox.fail("mastodon", Fault.EMPTY, path=path)
    with pytest.raises(SourceError, match=words):
        mastodon.poll(before.cursor)


def test_own_posts_that_are_there_are_missed_for_as_long_as_they_are_not_shown(mastodon: Place) -> None:
    cursor = mastodon.poll().cursor
    for _ in range(3):
        mastodon.sandbox.fail("mastodon", Fault.EMPTY, times=2, path="/statuses")
        with pytest.raises(SourceError, match="none of the school's own posts"):
            for found in mastodon.pages(cursor):
                cursor = found.cursor

    assert "Sports day is on Friday" in mastodon.poll(cursor).texts()


def test_posts_that_are_counted_and_not_shown_are_doubted_at_the_very_first_poll(mastodon: Place) -> None:
    mastodon.world.add(_entry("today", "Good morning", by="school"))
    mastodon.sandbox.fail("mastodon", Fault.EMPTY, path="/statuses")
    with pytest.raises(SourceError, match="own posts, of which it counts 4"):
        mastodon.poll()


def test_a_listing_that_is_empty_since_its_posts_were_deleted_is_not_doubted(mastodon: Place) -> None:
    mastodon.world.add(_entry("hail", "@larkfieldprim hello"))
    before = mastodon.poll()
    mastodon.world.delete("hail", mastodon.later(minutes=1))

    assert "@larkfieldprim hello" not in mastodon.poll(before.cursor).texts()


def test_an_empty_page_does_not_end_a_listing_if_it_was_a_fault(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"m-{n}", f"@larkfieldprim {n}", hours=-24 * n) for n in range(1, 20)))
    pages = iter(mastodon.pages())
    read = []
    for found in pages:
        read += [item.text for item in found.items]
        if "@larkfieldprim 1" in read:
            mastodon.sandbox.fail("mastodon", Fault.EMPTY, path="/v2/notifications")
            break
    read += collect(pages).texts()

    assert set(read) == set(mastodon.expected())


def test_a_sweep_whose_thread_comes_empty_declares_nothing_gone(mastodon: Place) -> None:
    before = mastodon.poll()
    post = before.saying("Sports day is on Friday").ref
    known = [item.ref for item in before.items if item.thread == post]
    mastodon.sandbox.fail("mastodon", Fault.EMPTY, path="/context")
    pages: list[Page] = []
    with pytest.raises(SourceError, match="none of the"):
        for found in mastodon.connector().thread(post, known, mastodon.now):
            pages.append(found)

    assert {item.ref for found in pages for item in found.items} == set(known)
    assert not any(found.gone for found in pages)


def test_a_search_that_goes_round_in_a_circle_is_an_error(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"s-{n}", f"Larkfield at once {n}") for n in range(11)))
    mastodon.sandbox.fail("mastodon", Fault.CIRCLE, times=50, path="/search")
    with pytest.raises(SourceError, match="circle"):
        _look(mastodon, query="larkfield")

    assert len(_asked(mastodon, "/search")) == 2


# What is private


@pytest.mark.parametrize("visibility", ["private", "direct"])
def test_what_is_not_public_is_left_out(mastodon: Place, visibility: str) -> None:
    mastodon.world.add(
        _entry("whisper", "@larkfieldprim between us", category=visibility),
        _entry("below", "Just for you", under="post", category=visibility),
    )
    found = mastodon.poll()
    known = [item.ref for item in found.items]
    swept = mastodon.sweep(found.saying("Sports day is on Friday").ref, known)

    assert not {"@larkfieldprim between us", "Just for you"} & {*found.texts(), *swept.texts()}
    assert swept.gone == []


def test_what_was_written_to_the_school_alone_is_read_where_the_rule_book_allows_it(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("dm", "Is my son safe?", hours=-2, message=True),
        _entry("dm-2", "He is.", under="dm", by="school", message=True),
        _entry("whisper", "@larkfieldprim between us", category="private"),
        _entry("friends", "Not about the school", under="post", category="private"),
    )
    account = replace(mastodon.account(), private_messages=True)
    found = collect(connect(account, {"token": TOKEN}).poll(None, mastodon.now))
    question, answer = found.saying("Is my son safe?"), found.saying("He is.")

    assert question.kind is answer.kind is ItemKind.MESSAGE
    assert found.saying("@larkfieldprim between us").kind is ItemKind.MESSAGE
    assert (answer.parent, answer.thread) == (question.ref, question.ref)
    assert answer.author.kind is AuthorKind.SCHOOL
    assert "Not about the school" not in found.texts()
    assert not {"Is my son safe?", "He is.", "@larkfieldprim between us"} & set(mastodon.poll().texts())


def test_a_search_never_reads_what_is_private(mastodon: Place) -> None:
    direct = [{"id": "5", "content": "larkfield", "visibility": "direct", "account": ME, "mentions": [ME]}]
    found = {"accounts": [], "statuses": direct, "hashtags": []}
    routes = [
        Route(path=".*/search", query={"offset": "1"}, body=json.dumps({**found, "statuses": []}).encode()),
        Route(path=".*/search", body=json.dumps(found).encode()),
    ]
    with serve(routes) as address:
        account = Account(
            id="found",
            connector="mastodon",
            channel=Channel.MENTION,
            name="found",
            options={"base_url": address, "query": "larkfield"},
            private_messages=True,
        )
        assert collect(connect(account, {"token": "t"}).poll(None, PRESENT)).items == []


def test_whom_the_servers_moderators_limited_is_hidden(mastodon: Place) -> None:
    mastodon.world.add(_entry("rude", "Rude", under="post", hidden=True))
    found = mastodon.poll()

    assert found.saying("Rude").visibility is Visibility.HIDDEN
    assert found.saying("Thanks!").visibility is Visibility.PUBLIC


def test_an_unlisted_reply_is_read(mastodon: Place) -> None:
    mastodon.world.add(_entry("quiet", "Psst", under="post", category="unlisted"))

    assert "Psst" in mastodon.poll().texts()


# Threads, deletions and who is hidden in them


def test_a_reply_to_a_deleted_comment_is_not_gone(mastodon: Place) -> None:
    before = mastodon.poll()
    question = before.saying("What time does it start?")
    mastodon.world.delete("question", mastodon.later(minutes=1))
    swept = mastodon.sweep(before.saying("Sports day is on Friday").ref, [item.ref for item in before.items])

    assert swept.gone == [question.ref]
    assert {"At ten.", "Thanks!"} <= set(swept.texts())


def test_the_replies_to_a_deleted_post_are_not_gone(mastodon: Place) -> None:
    before = mastodon.poll()
    post = before.saying("Sports day is on Friday").ref
    mastodon.world.delete("post", mastodon.later(minutes=1))
    swept = mastodon.sweep(post, [item.ref for item in before.items if item.thread == post])

    assert swept.gone == [post]
    assert "What time does it start?" in swept.texts()


def test_somebody_whom_the_school_muted_is_hidden_from_the_thread_and_not_gone(mastodon: Place) -> None:
    before = mastodon.poll()
    post = before.saying("Sports day is on Friday").ref
    mastodon.world.add(_entry("muted", "Listen to me", under="post", category="muted"))
    [key] = [status_id(live) for live in mastodon.world.live("mastodon", mastodon.now) if live.key == "muted"]
    swept = mastodon.sweep(post, [*(item.ref for item in before.items), ItemRef("mastodon", key)])

    assert "Listen to me" in swept.texts()
    assert swept.gone == []


def test_a_post_that_is_answered_after_a_month_is_opened_again(mastodon: Place) -> None:
    before = mastodon.poll()
    mastodon.later(days=10)
    quiet = mastodon.poll(before.cursor)
    contexts = len(_asked(mastodon, "/context"))
    at = mastodon.later(days=15) / timedelta(hours=1)
    mastodon.world.add(_entry("late", "Only just seen this", hours=at, under="post"))

    assert "Only just seen this" in mastodon.poll(quiet.cursor).texts()
    assert len(_asked(mastodon, "/context")) > contexts


def test_a_post_without_replies_is_not_opened_for_ever(mastodon: Place) -> None:
    mastodon.world.add(_entry("notice", "The hall is closed", by="school"))
    before = mastodon.poll()
    opened = len(_asked(mastodon, "/context"))
    mastodon.later(days=5)
    between = mastodon.poll(before.cursor)
    mastodon.later(minutes=5)
    after = mastodon.poll(between.cursor)

    assert "The hall is closed" in after.texts()
    # The posts with replies, twice more; the notice in the first poll and the second.
    assert len(_asked(mastodon, "/context")) == opened + 2 * (opened - 1) + 1


def test_what_staff_handed_in_is_not_asked_of_mastodon(mastodon: Place) -> None:
    post = mastodon.poll().saying("Sports day is on Friday")

    assert mastodon.sweep(post.ref, [ItemRef("mastodon", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert mastodon.sweep(ItemRef("mastodon", "archive:box:7"), []) == Read()


@pytest.mark.parametrize("status", [404, 410])
def test_a_post_that_the_server_does_not_know_is_gone(status: int) -> None:
    routes = [
        Route(path=".*/statuses/7", body=b'{"error": "Record not found"}', status=status),
        Route(path=".*/context", body=json.dumps(ALONE).encode()),
        Route(path=".*/statuses/5", body=json.dumps({"id": "5", "account": ME}).encode()),
    ]
    assert _sweep(routes, "5", "7").gone == [ItemRef("mastodon", "7")]


@pytest.mark.parametrize(
    "answer", [{"body": b"<html><h1>Not found</h1></html>"}, {"body": b"[]"}, {"body": b"not found"}]
)
def test_a_not_found_that_is_not_mastodons_own_proves_no_deletion(answer: dict[str, bytes]) -> None:
    with pytest.raises(SourceError):
        _sweep([Route(path=".*/statuses/.*", status=404, **answer)], "5", "7")


def test_a_server_too_old_to_group_notifications_needs_a_person() -> None:
    with pytest.raises(SourceError, match=r"Mastodon 4\.3") as caught:
        _poll([Route(path=".*/v2/notifications", body=b'{"error": "Not found"}', status=404)])

    assert caught.value.permanent


# Hashtags and search


def test_hashtags_and_a_search_find_what_they_say_and_nothing_else(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("one", "Sunny at #Larkfield today"),
        _entry("two", "The school in Larkfield is fine", hours=-2),
        _entry("three", "The lark field behind the shop", hours=-2),
    )

    assert _look(mastodon, hashtags=["#larkfield"]).texts() == ["Sunny at #Larkfield today"]
    assert _look(mastodon, query="school larkfield").texts() == ["The school in Larkfield is fine"]
    # Not every server searches, but every one has its hashtags.
    _look(mastodon, hashtags=["larkfield"], query="#larkfield")
    assert any("/timelines/tag/larkfield" in path for _, path in mastodon.sandbox.requests()[-2:])

    both = _look(mastodon, hashtags=["larkfield"], query="larkfield")
    assert both.texts() == ["Sunny at #Larkfield today", "The school in Larkfield is fine"]
    assert both.items[0].channel is Channel.MENTION


def test_a_search_loses_nothing_of_what_was_written_in_the_same_second(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"s-{n}", f"Larkfield at once {n}") for n in range(11)))

    assert len(_look(mastodon, query="larkfield").items) == 11


def test_the_schools_names_are_looked_for_as_hashtags_and_as_phrases(mastodon: Place) -> None:
    names = SchoolNames(names=("Larkfield School",), misspellings=("larkfeild",), handles=("@larkfieldprim",))
    mastodon.world.add(
        _entry("one", "Sunny at #LarkfieldSchool"),
        _entry("two", "Larkfield School is fine"),
        _entry("three", "larkfeild again"),
        _entry("four", "hello larkfieldprim"),
        _entry("five", "The school in Larkfield"),
    )
    account = replace(mastodon.account(), channel=Channel.MENTION, names=names)
    connector = connect(account, {"token": TOKEN})

    assert collect(connector.poll(None, mastodon.now)).texts() == [
        "Larkfield School is fine",
        "Sunny at #LarkfieldSchool",
        "hello larkfieldprim",
        "larkfeild again",
    ]
    assert connector.capabilities().reads == ("hashtags", "search")


def test_hashtags_of_the_accounts_own_win_over_the_schools_names(mastodon: Place) -> None:
    account = mastodon.account(hashtags=["lanterns"])
    account = replace(account, channel=Channel.MENTION, names=SchoolNames(names=("Larkfield School",)))
    mastodon.world.add(_entry("one", "Larkfield School"), _entry("two", "#lanterns!"))

    assert collect(connect(account, {"token": TOKEN}).poll(None, mastodon.now)).texts() == ["#lanterns!"]


def test_accounts_that_carry_the_schools_name_are_found_once(mastodon: Place) -> None:
    mastodon.world.people["fake"] = Person(key="fake", name="Larkfield School Official", handle="larkfieldofficial")
    found = list(mastodon.connector().profiles(["Larkfield School", "larkfield"], mastodon.now))

    assert [profile.handle for profile in found] == ["larkfieldprim", "larkfieldofficial"]
    assert (found[1].name, found[1].about) == ("Larkfield School Official", "I am Larkfield School Official.")
    assert found[1].url == f"{mastodon.sandbox.page_url('mastodon')}/@larkfieldofficial"
    (asked, _) = _asked(mastodon, "/search")
    assert "resolve" not in asked


# What the token may do


def test_a_token_with_all_its_scopes_lacks_nothing(mastodon: Place) -> None:
    access = mastodon.connector().access(mastodon.now)

    assert (access.ends, access.lacks, access.notes) == ({}, (), ())


@pytest.mark.parametrize(
    ("scopes", "lacks"),
    [
        (["read"], ()),
        (["read:accounts", "write"], ("read:statuses", "read:notifications", "read:search")),
        ([7], ("read:accounts", "read:statuses", "read:notifications", "read:search")),
    ],
)
def test_scopes_that_a_token_lacks_are_named(scopes: list[object], lacks: tuple[str, ...]) -> None:
    with serve([Route(path=".*/apps/.*", body=json.dumps({"scopes": scopes}).encode())]) as address:
        assert _connector(address).access(PRESENT).lacks == lacks


def test_a_server_that_does_not_tell_scopes_is_no_error() -> None:
    with serve([Route(path=".*/apps/.*", body=b'{"name": "Schoolwatch"}')]) as address:
        access = _connector(address).access(PRESENT)

    assert (access.lacks, access.notes) == ((), ("the server does not say what the access token may do",))


def test_what_it_needs_and_asks_is_told(mastodon: Place) -> None:
    told = mastodon.connector().capabilities()
    looking = _looking(mastodon, query="larkfield").capabilities()

    assert told.needs == ("read:accounts", "read:statuses", "read:notifications", "read:search")
    assert looking.needs == ("read:statuses", "read:search")
    assert told.hosts == told.pages == ("127.0.0.1",)
    assert told.finds_profiles
    assert "private messages" not in told.reads


def test_hashtags_are_read_to_the_window_with_an_overlap(mastodon: Place) -> None:
    mastodon.world.add(*(_entry(f"t-{n}", f"#larkfield {n}", hours=-1 - 24 * n) for n in range(40)))
    found = _look(mastodon, hashtags=["larkfield"])
    again = collect(_looking(mastodon, hashtags=["larkfield"]).poll(found.cursor, mastodon.now))

    assert len(found.items) == 30
    assert len(again.items) == 7


def test_of_a_conversation_that_only_speaks_of_the_school_nothing_else_is_read(mastodon: Place) -> None:
    mastodon.world.add(
        _entry("talk", "Nice weather", hours=-2),
        _entry("tag", "Not so in #larkfield", under="talk"),
        _entry("aside", "Oh dear", hours=-0.5, under="tag"),
    )
    [said] = _look(mastodon, hashtags=["larkfield"]).items
    assert said.thread is not None
    assert said.thread != said.ref
    mastodon.world.edit("tag", "Lovely in #larkfield", timedelta(0))
    connector = _looking(mastodon, hashtags=["larkfield"])

    assert collect(connector.thread(said.thread, [said.ref], mastodon.now)).texts() == ["Lovely in #larkfield"]
    assert said.text == "Not so in #larkfield"


def test_an_account_needs_to_know_what_to_read() -> None:
    def account(channel: Channel, **options: object) -> Account:
        where = {"base_url": "https://school.example", **options}
        return Account(id="ours", connector="mastodon", channel=channel, name="ours", options=where)

    with pytest.raises(ConfigError, match="option 'handle'"):
        connect(account(Channel.OFFICIAL), {"token": "t"})
    with pytest.raises(ConfigError, match="option 'hashtags' or 'query'"):
        connect(account(Channel.MENTION), {"token": "t"})
    with pytest.raises(ConfigError, match="option 'hashtags"):
        connect(account(Channel.MENTION, hashtags=["two words"]), {"token": "t"})


# Words, pictures, addresses


def test_a_content_warning_is_part_of_the_text(mastodon: Place) -> None:
    mastodon.world.add(_entry("warned", "You will see", under="post", title="A threat to the head"))

    assert "A threat to the head\nYou will see" in mastodon.poll().texts()


def test_the_text_is_what_a_reader_sees() -> None:
    html = (
        '<p><span class="h-card"><a href="https://x.example/@larkfieldprim">@<span>larkfieldprim</span></a></span> '
        'see <a href="https://x.example/a/b"><span class="invisible">https://</span>'
        '<span class="ellipsis">x.example/a</span><span class="invisible">/b</span></a><br />now</p><p>&lt;3</p>'
    )
    vote = {"options": [{"title": "Yes"}, {"title": "No"}]}
    item = _first({"content": html, "spoiler_text": "", "poll": vote})

    assert item.text == "@larkfieldprim see https://x.example/a/b\nnow\n<3\nYes\nNo"


def test_attachments_are_facts_with_their_alt_text() -> None:
    media = [
        {"type": "image", "description": "The head,\nasleep", "url": "https://x.example/1.png"},
        {"type": "gifv", "description": None},
        {"type": None},
        7,
    ]

    assert _first({"media_attachments": media}).attachments == ("photo: The head, asleep", "gifv", "attachment")


@pytest.mark.parametrize(("code", "told"), [("en", "en"), ("zh-CN", "zh"), ("gsw", None), (None, None), ("", None)])
def test_a_language_is_told_by_two_letters(code: str | None, told: str | None) -> None:
    assert _first({"language": code}).lang == told


def test_a_photo_is_told_with_its_alt_text(mastodon: Place) -> None:
    mastodon.world.add(_entry("dog", "Look", under="post", photo=True, alt="A dog in the hall"))

    assert mastodon.poll().saying("Look").attachments == ("photo: A dog in the hall",)


def test_an_address_leads_to_the_post(mastodon: Place) -> None:
    thanks = mastodon.poll().saying("Thanks!")

    assert thanks.url == f"{mastodon.sandbox.page_url('mastodon')}/@annbob/{thanks.ref.id}"


@pytest.mark.parametrize(
    ("author", "ours"),
    [
        ({"id": "1", "acct": "renamed"}, True),
        ({"id": "9", "acct": "LarkfieldPrim"}, True),
        ({"id": "9", "acct": "larkfieldprim@elsewhere.example"}, False),
        ({}, False),
    ],
)
def test_only_the_school_itself_is_the_school(author: dict[str, str], ours: bool) -> None:
    assert (_first({"account": author}).author.kind is AuthorKind.SCHOOL) is ours


# Answers that are odd


def test_a_listing_that_goes_round_in_a_circle_is_an_error() -> None:
    page = {**NO_NOTIFICATIONS, "notification_groups": [{"page_min_id": "5"}]}
    with pytest.raises(SourceError, match="circle"):
        _poll([Route(path=".*/v2/notifications", body=json.dumps(page).encode())])


def test_a_short_page_without_a_link_is_not_the_last() -> None:
    def statuses(*keys: str) -> bytes:
        return json.dumps([{"id": key, "content": key, "account": ME} for key in keys]).encode()

    path = ".*/accounts/1/statuses"
    routes = [
        Route(path=path, query={"max_id": "7"}, body=statuses("5")),
        Route(path=path, query={"max_id": "5"}, body=b"[]"),
        Route(path=path, body=statuses("9", "7")),
    ]
    assert _poll(routes).texts() == ["5", "7", "9"]


@pytest.mark.parametrize("reset", ["soon", "", "0", "2026-99-99", "1e400", "2026-11-18T09:00:00Z"])
def test_a_limit_that_ends_at_no_time_we_can_use_is_waited_for_all_the_same(reset: str) -> None:
    limit = Route(
        path=".*", body=b'{"error": "Too many requests"}', status=429, headers={"X-RateLimit-Reset": reset}
    )
    with pytest.raises(SourceError) as caught:
        _poll([limit])

    assert not caught.value.permanent
    assert caught.value.retry_at is not None
    assert timedelta(minutes=1) <= caught.value.retry_at - PRESENT <= timedelta(hours=1)


def test_odd_limit_headers_of_a_good_answer_do_no_harm() -> None:
    odd = {"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "many"}

    assert _poll([Route(path=".*/accounts/1/statuses", body=b"[]", headers=odd)]) == Read(pages=ANY, cursor=ANY)


def test_a_server_that_is_down_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    connector = _connector("http://127.0.0.1:9")
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError, match="did not answer"):
        collect(connector.poll(None, PRESENT))

    assert caplog.text.count("Starting new HTTP connection") == 1


@pytest.mark.parametrize("path", ["verify_credentials", "/v2/notifications", "/accounts/1/statuses", "/context"])
@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"[7]", b'{"statuses": 7}', b'{"descendants": {}}', b'"text"', b"7"]
)
def test_an_answer_of_another_shape_is_a_source_error_or_a_reject(path: str, body: bytes) -> None:
    post = json.dumps([{"id": "5", "content": "Hello", "account": ME}]).encode()
    routes = [
        Route(path=f".*{path}", query={"max_id": "5"}, body=b"[]"),
        Route(path=f".*{path}", body=body),
        Route(path=".*/accounts/1/statuses", query={"max_id": "5"}, body=b"[]"),
        Route(path=".*/accounts/1/statuses", body=post),
    ]
    try:
        found = _poll(routes)
    except SourceError:
        return
    assert path == "/accounts/1/statuses"
    assert found.items == []


# The recorded answers of a real server


@needs_recordings
def test_the_recorded_mentions_are_all_read() -> None:
    taped = _taped("test_grouped_notification_pagination")
    listing = "/api/v2/notifications"
    routes = [
        # The page after the second was not recorded.
        Route(path=listing, query={"max_id": "33"}, body=json.dumps(NO_NOTIFICATIONS).encode()),
        Route(
            path=listing,
            query={"max_id": "38"},
            body=taped[f"GET {listing}?limit=5&expand_accounts=full&max_id=38"],
        ),
        Route(path=listing, body=taped[f"GET {listing}?limit=5&expand_accounts=full"]),
        # The two posts that it counts were not recorded.
        Route(
            path="/api/v1/accounts/verify_credentials",
            body=json.dumps(
                json.loads(taped["GET /api/v1/accounts/verify_credentials"]) | {"statuses_count": 0}
            ).encode(),
        ),
        Route(path=r"/api/v1/accounts/\d+/statuses", body=b"[]"),
    ]
    with serve(routes) as address:
        found = collect(_connector(address, handle="mastodonpy_test").poll(None, RECORDED))

    assert found.texts() == [f"@mastodonpy_test hey how you doing - {n}!" for n in range(10)]
    assert found.rejects == []
    newest = found.saying("@mastodonpy_test hey how you doing - 9!")
    assert newest.ref == ItemRef("mastodon", "117020579970985201")
    assert newest.kind is ItemKind.POST
    assert newest.author.handle == "admin"
    assert newest.published_at is not None
    assert newest.published_at.isoformat() == "2026-08-01T13:52:25.750000+00:00"


@needs_recordings
def test_a_recorded_edit_is_a_new_revision_of_the_same_post() -> None:
    taped = _taped("test_status_edit")
    [post] = [call.split()[1].removesuffix("/source") for call in taped if call.endswith("/source")]
    versions = []
    for body in (taped["POST /api/v1/statuses"], taped[f"GET {post}"]):
        with serve([Route(path=post, body=body)]) as address:
            ref = ItemRef("mastodon", post.rpartition("/")[2])
            versions += collect(_finder(address).thread(ref, [ref], RECORDED)).items

    before, after = versions
    assert before.ref == after.ref
    assert before.revision != after.revision
    assert before.published_at == after.published_at
    assert after.text == "the best editor? why, of course it is the KDE Advanced Text Editor, Kate"


@needs_recordings
def test_a_recorded_search_of_a_server_that_keeps_no_index_finds_nothing() -> None:
    [body] = [body for call, body in _taped("test_search").items() if call.endswith("type=statuses")]
    with serve([Route(path="/api/v2/search", body=body)]) as address:
        assert collect(_finder(address).poll(None, RECORDED)).items == []


@needs_recordings
def test_the_sandbox_answers_as_the_recorded_server_does(mastodon: Place) -> None:
    mastodon.world.add(_entry("hail", "@larkfieldprim hello"))
    real = json.loads(
        _taped("test_grouped_notification_pagination")["GET /api/v2/notifications?limit=5&expand_accounts=full"]
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    ours = httpx.get(f"{mastodon.sandbox.base_url('mastodon')}/api/v2/notifications", headers=headers).json()

    assert set(ours) == set(real)
    for listing in real:
        told, played = real[listing][0], ours[listing][0]
        assert set(played) <= set(told)
        assert {name: type(played[name]) for name in played if told[name] is not None} == {
            name: type(told[name]) for name in played if told[name] is not None
        }


def _connector(address: str, handle: str = "larkfieldprim") -> Connector:
    options = {"base_url": address, "handle": handle}
    account = Account(
        id="ours",
        connector="mastodon",
        channel=Channel.OFFICIAL,
        name="ours",
        handles=("larkfieldprim",),
        options=options,
    )
    return connect(account, {"token": "t"})


def _finder(address: str) -> Connector:
    options = {"base_url": address, "query": "mastodonpy_test"}
    account = Account(id="found", connector="mastodon", channel=Channel.MENTION, name="found", options=options)
    return connect(account, {"token": "t"})


def _taped(name: str) -> dict[str, bytes]:
    """The bodies of one recording by method and path with query."""
    tape: Any = yaml.safe_load((FIXTURES / "mastodon" / f"{name}.yaml").read_text("utf-8"))
    return {
        f"{call['request']['method']} {call['request']['uri'].removeprefix('http://localhost:3000')}": (
            call["response"]["body"]["string"].encode()
            if isinstance(call["response"]["body"]["string"], str)
            else call["response"]["body"]["string"]
        )
        for call in tape["interactions"]
    }


def _poll(routes: list[Route]) -> Read:
    with serve([*routes, *_usual()]) as address:
        return collect(_connector(address).poll(None, PRESENT))


def _sweep(routes: list[Route], post: str, known: str) -> Read:
    with serve([*routes, *_usual()]) as address:
        refs = [ItemRef("mastodon", key) for key in (post, known)]
        return collect(_connector(address).thread(refs[0], refs, PRESENT))


def _usual() -> list[Route]:
    """A server on which nothing ever happened."""
    return [
        Route(path=".*/verify_credentials", body=json.dumps(ME).encode()),
        Route(path=".*/v2/notifications", body=json.dumps(NO_NOTIFICATIONS).encode()),
        Route(path=".*/context", body=json.dumps(ALONE).encode()),
        Route(path=".*/accounts/1/statuses", body=b"[]"),
    ]


def _first(fields: dict[str, Any]) -> Any:
    """The one item read from a mention with these fields."""
    told = {**NO_NOTIFICATIONS, "statuses": [{"id": "5", "content": "Hello", **fields}]}
    [item] = _poll([Route(path=".*/v2/notifications", body=json.dumps(told).encode())]).items
    return item
