"""What is particular to YouTube. No recordings exist: the answers follow the API's reference."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import connect
from connectors.sandbox import TOKEN, Entry, Fault
from connectors.sandbox.youtube import ACCESS_TOKEN
from monitor.domain.account import Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, Read, can_be_stored, collect
from tests.contract.recorded import Route, serve
from tests.contract.test_hostile_answers import LEAVES

SIGN_IN = {"refresh_token": TOKEN, "client_id": "an-id", "client_secret": "a-client-secret"}
CHANNEL, VIDEO = "UC" + "a" * 22, "v" * 11


def _entry(key: str, under: str, at: timedelta, **about: Any) -> Entry:
    return Entry(key=key, platform="youtube", at=at, under=under, text=key, **{"by": "parent", **about})


def _owner(place: Place) -> Connector:
    return connect(place.account(), SIGN_IN)


def _asked(place: Place, part: str) -> int:
    return sum(part in path for _, path in place.sandbox.requests())


def test_replies_that_a_thread_does_not_carry_are_listed_apart(youtube: Place) -> None:
    youtube.world.add(*(_entry(f"reply {n}", "question", timedelta(hours=-n - 1)) for n in range(9)))
    found = youtube.poll()

    assert found.texts() == youtube.expected()
    assert _asked(youtube, "parentId=") > 1


def test_listed_replies_are_not_listed_again_until_their_number_changes_or_an_hour_has_passed(
    youtube: Place,
) -> None:
    youtube.world.add(*(_entry(f"reply {n}", "question", timedelta(hours=-n - 1)) for n in range(9)))
    first = youtube.poll()
    once = _asked(youtube, "parentId=")
    youtube.later(minutes=5)
    second = youtube.poll(first.cursor)
    assert _asked(youtube, "parentId=") == once

    youtube.world.add(_entry("one more", "question", youtube.later(minutes=5)))
    third = youtube.poll(second.cursor)
    assert "one more" in third.texts()
    twice = _asked(youtube, "parentId=")
    assert twice > once

    youtube.later(hours=1)
    youtube.poll(third.cursor)
    assert _asked(youtube, "parentId=") > twice


def test_an_answer_to_a_reply_hangs_below_the_first_comment(youtube: Place) -> None:
    found = youtube.poll()

    assert found.saying("Thanks!").kind is ItemKind.REPLY
    assert found.saying("Thanks!").parent == found.saying("What time does it start?").ref


def test_a_reply_under_a_comment_older_than_the_window_is_found(youtube: Place) -> None:
    youtube.world.add(_entry("long ago", "post", -timedelta(days=50)))
    before = youtube.poll()
    assert "long ago" not in before.texts()

    youtube.world.add(_entry("only now", "long ago", youtube.later(hours=7)))
    assert {"long ago", "only now"} <= set(youtube.poll(before.cursor).texts())


def test_nothing_is_missed_after_a_silence_longer_than_the_window(youtube: Place) -> None:
    before = youtube.poll()
    youtube.world.add(_entry("meanwhile", "post", youtube.later(days=10)))
    youtube.later(days=60)

    assert "meanwhile" in youtube.poll(before.cursor).texts()


def test_a_quiet_poll_does_not_read_what_is_older_than_the_window(youtube: Place) -> None:
    youtube.world.add(*(_entry(f"old {n}", "post", -timedelta(days=50 + n)) for n in range(40)))
    first = youtube.poll()
    whole = _asked(youtube, "allThreadsRelatedToChannelId")
    youtube.later(minutes=5)
    youtube.poll(first.cursor)

    assert _asked(youtube, "allThreadsRelatedToChannelId") - whole < whole / 2


def test_the_owner_sees_what_is_held_for_review_and_likely_spam(youtube: Place) -> None:
    at = -timedelta(hours=2)
    youtube.world.add(
        _entry("held", "post", at, category="held-for-review"),
        _entry("spam", "post", at, category="likely-spam"),
        _entry("held reply", "question", at, category="held-for-review"),
    )
    owner = _owner(youtube)
    found = collect(owner.poll(None, youtube.now))

    assert found.texts() == youtube.expected()
    states = {item.text: item.raw["snippet"].get("moderationStatus") for item in found.items}
    assert (states["held"], states["held reply"]) == ("heldForReview", "heldForReview")
    assert (states["spam"], states["Thanks!"]) == ("likelySpam", "published")
    assert "comments held for review" in owner.capabilities().reads
    post = found.saying("Sports day is on Friday").ref
    assert {"held", "spam", "held reply"} <= set(collect(owner.thread(post, [], youtube.now)).texts())


def test_an_api_key_sees_nothing_hidden_and_says_so(youtube: Place) -> None:
    youtube.world.add(_entry("held", "post", -timedelta(hours=2), category="held-for-review"))

    assert "held" not in youtube.poll().texts()
    assert "held for review" in " ".join(youtube.connector().capabilities().notes)


def test_a_comment_approved_late_is_found_at_its_old_place(youtube: Place) -> None:
    held = _entry("held", "post", -timedelta(days=3), category="held-for-review")
    youtube.world.add(held)
    before = youtube.poll()
    youtube.later(hours=1)
    youtube.world.add(replace(held, category=""))

    assert "held" in youtube.poll(before.cursor).texts()


def test_a_comment_approved_after_the_window_is_found(youtube: Place) -> None:
    held = _entry("held", "post", -timedelta(days=3), category="held-for-review")
    youtube.world.add(held)
    before = youtube.poll()
    youtube.later(days=60)
    quiet = youtube.poll(before.cursor)
    youtube.world.add(replace(held, category=""))
    youtube.later(hours=7)

    assert "held" in youtube.poll(quiet.cursor).texts()


def test_a_sweep_by_itself_knows_the_school(youtube: Place) -> None:
    post = youtube.poll().saying("Sports day is on Friday").ref
    swept = youtube.sweep(post, [])

    assert {swept.saying(text).author.kind for text in ("Sports day is on Friday", "At ten.")} == {
        AuthorKind.SCHOOL
    }


def test_a_day_whose_quota_is_half_used_is_not_read_to_the_very_end(youtube: Place) -> None:
    youtube.world.add(*(_entry(f"old {n}", "post", -timedelta(days=50 + n)) for n in range(40)))
    cursor = youtube.poll().cursor
    youtube.later(hours=7)
    before = len(youtube.sandbox.requests())
    youtube.poll(cursor, daily_units=20)
    thrifty = len(youtube.sandbox.requests()) - before
    youtube.poll(cursor)

    assert thrifty < len(youtube.sandbox.requests()) - before - thrifty


def test_comments_that_are_turned_off_are_neither_a_refusal_nor_deleted(youtube: Place) -> None:
    before = youtube.poll()
    post = before.saying("Sports day is on Friday")
    youtube.world.add(replace(youtube.world.entry("post"), category="comments-disabled"))
    youtube.later(hours=1)
    swept = youtube.sweep(post.ref, [item.ref for item in before.items])

    assert swept.texts() == [post.text]
    assert swept.gone == []
    assert "Lost: one scarf" in youtube.poll(before.cursor).texts()


@pytest.mark.parametrize("private", [True, False])
def test_a_video_deleted_or_made_private_is_gone_with_everything_below_it(youtube: Place, private: bool) -> None:
    before = youtube.poll()
    post = before.saying("Sports day is on Friday").ref
    below = {item.ref for item in before.items if item.thread == post}
    if private:
        youtube.world.add(replace(youtube.world.entry("post"), category="private"))
    else:
        youtube.world.delete("post", youtube.later(minutes=1))

    assert set(youtube.sweep(post, below).gone) == below | {post}
    assert set(collect(_owner(youtube).thread(post, list(below), youtube.now)).gone) == below | {post}


def test_a_first_comment_takes_its_replies_along(youtube: Place) -> None:
    before = youtube.poll()
    post = before.saying("Sports day is on Friday")
    below = [before.saying(text).ref for text in ("What time does it start?", "At ten.", "Thanks!")]
    youtube.world.delete("question", youtube.later(minutes=1))
    swept = youtube.sweep(post.ref, [item.ref for item in before.items if item.thread == post.ref])

    assert set(swept.gone) == set(below)


def test_a_channel_without_videos_is_no_failure(youtube: Place) -> None:
    for key in ("post", "other-post"):
        youtube.world.delete(key, timedelta(hours=-1))

    assert youtube.poll().items == []


def test_what_staff_handed_in_is_not_asked_of_youtube(youtube: Place) -> None:
    post = youtube.poll().saying("Sports day is on Friday")

    assert youtube.sweep(post.ref, [ItemRef("youtube", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert youtube.sweep(ItemRef("youtube", "archive:box:7"), []) == Read()


def test_a_videos_text_is_its_title_and_its_description(youtube: Place) -> None:
    youtube.world.add(
        Entry(key="v", platform="youtube", at=-timedelta(hours=1), by="school", title="Choir", text="In the hall")
    )
    video = youtube.poll().saying("Choir\nIn the hall")

    assert (video.kind, video.attachments, video.author.kind) == (ItemKind.POST, ("video",), AuthorKind.SCHOOL)


def test_units_are_counted_over_a_restart_and_from_midnight_in_california_anew(youtube: Place) -> None:
    first = youtube.poll()
    used = len(youtube.sandbox.requests())
    again = youtube.connector()
    collect(again.poll(first.cursor, youtube.now))
    total = len(youtube.sandbox.requests())

    assert f"{total} of 10,000 quota units a day used on 2026-11-18" in again.capabilities().notes[0]
    youtube.later(hours=22)  # midnight in California is 8:00 UTC
    collect(again.poll(first.cursor, youtube.now))
    assert "used on 2026-11-19" in again.capabilities().notes[0]
    assert f" {used} of" not in again.capabilities().notes[0]


def test_a_sign_in_is_renewed_once_and_again_before_it_ends(youtube: Place) -> None:
    owner = _owner(youtube)
    for _ in range(3):
        collect(owner.poll(None, youtube.now))
    assert _asked(youtube, "/token") == 1

    youtube.later(minutes=56)
    collect(owner.poll(None, youtube.now))
    assert _asked(youtube, "/token") == 2


def test_a_sign_in_that_ended_early_is_renewed_at_the_next_poll(youtube: Place) -> None:
    owner = _owner(youtube)
    collect(owner.poll(None, youtube.now))
    owner._access = ("ended", youtube.now + timedelta(hours=1))  # type: ignore[attr-defined]
    with pytest.raises(SourceError, match="signing in again") as caught:
        collect(owner.poll(None, youtube.now))

    assert not caught.value.permanent
    assert collect(owner.poll(None, youtube.now)).texts() == youtube.expected()


def test_a_sign_in_that_is_refused_needs_a_person(youtube: Place) -> None:
    revoked = connect(youtube.account(), {**SIGN_IN, "refresh_token": "revoked"})
    with pytest.raises(SourceError, match=r"access token.*sign in as the channel") as caught:
        collect(revoked.poll(None, youtube.now))

    assert caught.value.permanent


def test_no_secret_of_a_sign_in_reaches_url_log_or_error(youtube: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        collect(_owner(youtube).poll(None, youtube.now))
        youtube.sandbox.fail("youtube", Fault.TRUNCATED, path="/token")
        with pytest.raises(SourceError) as caught:
            collect(_owner(youtube).poll(None, youtube.now))
    told = f"{caplog.text}{caught.value!r}{youtube.sandbox.requests()}"

    assert not [secret for secret in (TOKEN, ACCESS_TOKEN, "a-client-secret") if secret in told]


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_a_sign_in_needs_all_three_secrets(youtube: Place, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        connect(youtube.account(), {name: value for name, value in SIGN_IN.items() if name != missing})


@contextmanager
def _answering(*routes: Route) -> Iterator[Connector]:
    found = {"kind": "youtube#channelListResponse", "items": [{"id": CHANNEL, "contentDetails": {}}]}
    channels = Route(path=".*/channels", body=json.dumps(found).encode())
    with serve([*routes, channels]) as address:
        options = {"channel": CHANNEL, "base_url": address}
        account = Account(id="yt", connector="youtube", channel=Channel.OFFICIAL, name="yt", options=options)
        yield connect(account, {"token": "t"})


def _refusal(reason: str, status: int = 403, **more: Any) -> Route:
    error = {"code": status, "message": "<b>no</b>", "errors": [{"reason": reason, "domain": "x"}], **more}
    return Route(path=".*", body=json.dumps({"error": error}).encode(), status=status)


def _quota(limit: str) -> dict[str, Any]:
    return {"details": [{"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": limit}}]}


@pytest.mark.parametrize(
    ("refusal", "said", "permanent", "wait"),
    [
        (_refusal("quotaExceeded"), "daily quota.*renewed at 08:00 UTC", False, 60),
        (_refusal("dailyLimitExceeded"), "daily quota", False, 60),
        (_refusal("rateLimitExceeded", 429, **_quota("defaultPerDayPerProject")), "daily quota", False, 60),
        (_refusal("rateLimitExceeded", 429, **_quota("defaultPerMinutePerProject")), "slow down", False, 15),
        (_refusal("userRateLimitExceeded"), "slow down", False, 15),
        (_refusal("keyInvalid", 400), "access token", True, None),
        (_refusal("accessNotConfigured"), "not switched on", True, None),
        (_refusal("ipRefererBlocked"), "bars our API key", True, None),
        (_refusal("insufficientPermissions"), r"youtube\.force-ssl", True, None),
        (_refusal("forbidden"), "403", True, None),
        (_refusal("processingFailure", 400), "trouble of its own", False, None),
        (_refusal("backendError", 503), "trouble of its own", False, None),
        (_refusal("badRequest", 400), "400", True, None),
    ],
)
def test_a_reason_is_told_in_words(refusal: Route, said: str, permanent: bool, wait: int | None) -> None:
    with _answering(refusal) as connector, pytest.raises(SourceError, match=said) as caught:
        collect(connector.poll(None, PRESENT))

    assert caught.value.permanent is permanent
    assert caught.value.retry_at == (PRESENT + timedelta(minutes=wait) if wait else None)
    assert "<b>" not in str(caught.value)


def test_the_last_hour_of_a_used_up_day_is_waited_for_only() -> None:
    now = datetime.fromisoformat("2026-07-01T06:40:00+00:00")  # summer: midnight in California is 7:00 UTC
    with _answering(_refusal("quotaExceeded")) as connector, pytest.raises(SourceError) as caught:
        collect(connector.poll(None, now))

    assert caught.value.retry_at == now + timedelta(minutes=20)


def test_an_unknown_channel_proves_no_deletion() -> None:
    nothing = json.dumps({"kind": "youtube#channelListResponse", "pageInfo": {"totalResults": 0}}).encode()
    with _answering(Route(path=".*", body=nothing)) as connector:
        with pytest.raises(SourceError, match=f"no channel {CHANNEL}") as caught:
            collect(connector.thread(ItemRef("youtube", VIDEO), [], PRESENT))

        assert caught.value.permanent


def test_a_missing_comment_that_is_left_out_of_the_answer_is_gone() -> None:
    video = {"kind": "youtube#videoListResponse", "items": [{"id": VIDEO, "snippet": {"title": "Choir"}}]}
    there = {"id": "Ugthere123456", "snippet": {"textDisplay": "Here"}}
    routes = [
        Route(path=".*/videos", body=json.dumps(video).encode()),
        Route(path=".*/commentThreads", body=b'{"kind": "youtube#commentThreadListResponse", "items": []}'),
        Route(path=".*/comments", body=json.dumps({"kind": "x", "items": [there]}).encode()),
    ]
    known = [ItemRef("youtube", "Ugthere123456"), ItemRef("youtube", "Uggone1234567")]
    with _answering(*routes) as connector:
        swept = collect(connector.thread(ItemRef("youtube", VIDEO), known, PRESENT))

    assert swept.texts() == ["Choir", "Here"]
    assert swept.gone == known[1:]


def test_a_comment_on_no_video_is_read_all_the_same() -> None:
    comment = {"id": "Ugpost1234567", "snippet": {"channelId": CHANNEL, "textDisplay": "On a picture"}}
    thread = {"id": "Ugpost1234567", "snippet": {"topLevelComment": comment, "totalReplyCount": "many"}}
    threads = json.dumps({"kind": "x", "items": [thread]}).encode()
    empty = Route(path=".*/playlistItems", body=b'{"kind": "x", "items": []}')
    with _answering(empty, Route(path=".*/commentThreads", body=threads)) as connector:
        item = collect(connector.poll(None, PRESENT)).saying("On a picture")

    assert (item.parent, item.thread, item.kind) == (None, None, ItemKind.COMMENT)
    assert item.url == f"https://www.youtube.com/channel/{CHANNEL}/community?lc=Ugpost1234567"


def test_a_listing_that_goes_round_in_a_circle_is_an_error() -> None:
    page = json.dumps({"kind": "x", "items": [], "nextPageToken": "again"}).encode()
    with (
        _answering(Route(path=".*/playlistItems", body=page)) as connector,
        pytest.raises(SourceError, match="circle"),
    ):
        collect(connector.poll(None, PRESENT))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items": {}}', b'{"items": 7}', b'"text"', b"null", b"[" * 5000])
def test_an_answer_of_another_shape_is_a_source_error(body: bytes) -> None:
    with _answering(Route(path=".*/commentThreads", body=body), Route(path=".*", body=body)) as connector:
        with pytest.raises(SourceError):
            collect(connector.poll(None, PRESENT))
        with pytest.raises(SourceError):
            collect(connector.thread(ItemRef("youtube", VIDEO), [], PRESENT))


#: Names that the connector looks for, so that the nonsense stands where it can do harm.
NAMES = (
    *("items", "id", "kind", "nextPageToken", "snippet", "contentDetails", "status", "privacyStatus", "videoId"),
    *("topLevelComment", "totalReplyCount", "replies", "comments", "authorChannelId", "value", "authorDisplayName"),
    *("textDisplay", "textOriginal", "publishedAt", "updatedAt", "parentId", "imageUrl", "title", "resourceId"),
    *("error", "errors", "reason", "details", "metadata", "defaultAudioLanguage", "relatedPlaylists", "uploads"),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), max_size=4)
DOCUMENTS = st.fixed_dictionaries({"items": RECORDS}, optional={"error": JSON, "nextPageToken": JSON, "kind": JSON})


def test_no_answer_is_fatal() -> None:
    routes: list[Route] = []
    with serve(routes) as address:
        options = {"channel": CHANNEL, "base_url": address}
        account = Account(id="a", connector="youtube", channel=Channel.MENTION, name="a", options=options)
        connector = connect(account, {"token": "t"})

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(document=DOCUMENTS, status=st.sampled_from([200, 200, 200, 403, 404]))
        def holds(document: Any, status: int) -> None:
            channel = {"id": CHANNEL, "contentDetails": {"relatedPlaylists": {"uploads": "UU"}}}
            first = Route(path=".*/channels", body=json.dumps({"items": [channel]}).encode())
            routes[:] = [first, Route(path=".*", body=json.dumps(document).encode(), status=status)]
            for pages in (connector.poll(None, PRESENT), connector.thread(ItemRef("youtube", VIDEO), [], PRESENT)):
                try:
                    found = collect(pages)
                except SourceError:
                    continue
                can_be_stored(found)

        holds()
