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
from connectors.sandbox import youtube as youtube_sandbox
from connectors.sandbox.youtube import ACCESS_TOKEN
from monitor.domain.account import Access, Account, Budget
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, Read, can_be_stored, collect
from tests.contract.recorded import Route, serve
from tests.contract.test_hostile_answers import LEAVES

SIGN_IN = {"refresh_token": TOKEN, "client_id": "an-id", "client_secret": "a-client-secret"}
CHANNEL, VIDEO = "UC" + "a" * 22, "v" * 11


def _entry(key: str, under: str | None, at: timedelta, **about: Any) -> Entry:
    return Entry(key=key, platform="youtube", at=at, under=under, text=key, **{"by": "parent", **about})


def _owner(place: Place) -> Connector:
    return connect(place.account(), SIGN_IN)


def _mentions(place: Place, **options: Any) -> Connector:
    account = place.account(**options)
    names = SchoolNames(
        names=("Larkfield School",), misspellings=("Larkfeild School",), handles=("@larkfieldprim",)
    )
    return connect(replace(account, channel=Channel.MENTION, names=names), {"token": TOKEN})


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
    states = {item.text: item.visibility for item in found.items}
    assert {states["held"], states["held reply"], states["spam"]} == {Visibility.HELD}
    assert states["Thanks!"] is Visibility.PUBLIC
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


def test_what_the_owner_rejected_is_hidden_and_not_gone(youtube: Place) -> None:
    before = collect(_owner(youtube).poll(None, youtube.now))
    post, question = (before.saying(text).ref for text in ("Sports day is on Friday", "What time does it start?"))
    youtube.world.add(replace(youtube.world.entry("question"), hidden=True))
    swept = collect(_owner(youtube).thread(post, [question], youtube.now))

    assert swept.saying("What time does it start?").visibility is Visibility.HIDDEN
    assert swept.gone == []


def test_a_comment_that_was_approved_is_public_from_then_on(youtube: Place) -> None:
    youtube.world.add(_entry("waiting", "post", -timedelta(hours=2), approved=timedelta(hours=1)))
    owner = _owner(youtube)
    before = collect(owner.poll(None, youtube.now))
    youtube.later(hours=1)
    after = collect(owner.poll(before.cursor, youtube.now))

    assert before.saying("waiting").visibility is Visibility.HELD
    assert after.saying("waiting").visibility is Visibility.PUBLIC


def test_reading_to_the_very_end_takes_half_of_a_days_quota_at_most(youtube: Place) -> None:
    youtube.world.add(*(_entry(f"old {n}", "post", -timedelta(days=50 + n)) for n in range(40)))
    cursor = youtube.poll().cursor
    youtube.later(hours=7)
    before = len(youtube.sandbox.requests())
    youtube.poll(cursor, daily_units=20)
    thrifty = len(youtube.sandbox.requests()) - before
    youtube.poll(cursor)

    assert thrifty < len(youtube.sandbox.requests()) - before - thrifty


def test_each_page_tells_what_it_spent_and_together_it_is_every_list_that_was_asked_for(youtube: Place) -> None:
    connector = youtube.connector()
    polled = sum(page.spent for page in connector.poll(None, youtube.now))
    assert polled == len(youtube.sandbox.requests())

    post = youtube.poll().saying("Sports day is on Friday").ref
    asked = len(youtube.sandbox.requests())
    swept = sum(page.spent for page in connector.thread(post, [], youtube.now))
    assert swept == len(youtube.sandbox.requests()) - asked


def test_what_a_broken_poll_spent_is_told_with_the_next(youtube: Place) -> None:
    connector = youtube.connector()
    youtube.sandbox.fail("youtube", Fault.SERVER_ERROR, path="/playlistItems")
    with pytest.raises(SourceError):
        collect(connector.poll(None, youtube.now))

    assert sum(page.spent for page in connector.poll(None, youtube.now)) == len(youtube.sandbox.requests())


def test_the_quota_is_a_budget_of_units_for_a_day_in_california(youtube: Place) -> None:
    told = youtube.connector(daily_units=50_000).capabilities()

    assert told.budget == Budget(unit="units", cap=50_000, period="day", zone="America/Los_Angeles")


def test_totals_tell_what_youtube_counts_and_what_the_owner_alone_is_shown_besides(youtube: Place) -> None:
    youtube.world.add(
        _entry("held", "post", -timedelta(hours=2), category="held-for-review"),
        replace(youtube.world.entry("other-post"), miscount=2),
    )
    pages = list(youtube.connector().poll(None, youtube.now))
    found = collect(pages)
    post, other = (found.saying(text).ref for text in ("Sports day is on Friday", "Lost: one scarf"))
    told = {ref: total for page in pages for ref, total in page.totals.items()}

    assert told == {post: sum(item.thread == post for item in found.items) - 1, other: 1 + 2}
    swept = {ref: n for page in _owner(youtube).thread(post, [], youtube.now) for ref, n in page.totals.items()}
    assert swept == {post: told[post] + 1}
    assert not {ref for page in _owner(youtube).poll(None, youtube.now) for ref in page.totals}


def test_no_total_is_told_where_comments_are_turned_off(youtube: Place) -> None:
    youtube.world.add(replace(youtube.world.entry("post"), category="comments-disabled"))
    pages = list(youtube.connector().poll(None, youtube.now))

    assert collect(pages).saying("Sports day is on Friday").ref not in {ref for one in pages for ref in one.totals}


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


def test_a_mention_account_finds_videos_of_others_by_the_schools_names(youtube: Place) -> None:
    at = -timedelta(hours=3)
    said = ("Larkfield School fire alarm", "we left larkfeild school", "ask @larkfieldprim")
    others = ("Larkfield Farm School", "A cat")
    youtube.world.add(
        *(_entry(text, None, at) for text in (*said, *others)),
        _entry("Our own Larkfield School tour", None, at, by="school"),
        _entry("I know that one", said[0], at),
    )
    pages = list(_mentions(youtube).poll(None, youtube.now))
    found = collect(pages)

    assert found.texts() == sorted(said)
    assert {(item.channel, item.kind) for item in found.items} == {(Channel.MENTION, ItemKind.POST)}
    fire = found.saying(said[0]).ref
    assert {ref: n for page in pages for ref, n in page.totals.items()}[fire] == 1
    assert "I know that one" in collect(_mentions(youtube).thread(fire, [], youtube.now)).texts()


def test_an_own_query_is_searched_for_instead_of_the_names(youtube: Place) -> None:
    at = -timedelta(hours=3)
    youtube.world.add(_entry("Larkfield School", None, at), _entry("Northvale drop-off", None, at))

    found = collect(_mentions(youtube, query="northvale", channel="").poll(None, youtube.now))
    assert found.texts() == ["Northvale drop-off"]


def test_a_mention_account_without_anything_to_search_for_says_what_to_do(youtube: Place) -> None:
    with pytest.raises(ConfigError, match="option 'query', or the school's names"):
        connect(replace(youtube.account(), channel=Channel.MENTION), {"token": TOKEN})


def test_an_official_account_needs_a_channel(youtube: Place) -> None:
    with pytest.raises(ConfigError, match="option 'channel'"):
        youtube.connector(channel="")


def test_names_too_many_for_one_search_are_spread_over_several(youtube: Place) -> None:
    names = SchoolNames(names=tuple(f"Larkfield School number {n} of the county" for n in range(20)))
    youtube.world.add(_entry("larkfield school number 19 of the county", None, -timedelta(hours=1)))
    connector = connect(replace(youtube.account(), channel=Channel.MENTION, names=names), {"token": TOKEN})

    assert collect(connector.poll(None, youtube.now)).texts() == ["larkfield school number 19 of the county"]
    assert _asked(youtube, "/search") > 1


def test_searches_are_so_far_apart_that_a_days_allowance_suffices(youtube: Place) -> None:
    connector, cursor = _mentions(youtube, daily_searches=24), None
    for _ in range(24 * 12):
        cursor = collect(connector.poll(cursor, youtube.now)).cursor
        youtube.later(minutes=5)
    assert _asked(youtube, "/search") == 24

    spent = sum(page.spent for page in connector.poll(cursor, youtube.now))
    assert spent == 1  # The search itself has a quota of its own: finding the school's channel has not.


def test_a_video_that_the_search_shows_late_is_found(youtube: Place) -> None:
    connector = _mentions(youtube)
    before = collect(connector.poll(None, youtube.now))
    youtube.later(hours=40)
    quiet = collect(connector.poll(before.cursor, youtube.now))
    youtube.world.add(_entry("Larkfield School", None, timedelta(hours=1)))
    youtube.later(hours=2)

    assert collect(connector.poll(quiet.cursor, youtube.now)).texts() == ["Larkfield School"]


def test_someone_elses_hidden_comments_are_not_asked_for(youtube: Place) -> None:
    at = -timedelta(hours=3)
    youtube.world.add(_entry("Larkfield School", None, at), _entry("Well", "Larkfield School", at))
    account = replace(youtube.account(query="larkfield"), channel=Channel.MENTION)
    connector = connect(account, SIGN_IN)
    video = collect(connector.poll(None, youtube.now)).saying("Larkfield School").ref

    assert "Well" in collect(connector.thread(video, [], youtube.now)).texts()
    assert _asked(youtube, "moderationStatus=") == 0


def test_channels_that_bear_the_schools_name_are_found_for_one_search_and_one_unit_a_name(youtube: Place) -> None:
    connector = youtube.connector()
    (found,) = connector.profiles(["Larkfield School"], youtube.now)

    assert (found.name, found.handle) == ("Larkfield School", "larkfieldprim")
    assert found.url.endswith(f"/channel/{found.id}")
    assert connector.capabilities().finds_profiles
    assert len(youtube.sandbox.requests()) == 2


def test_a_sign_in_tells_what_it_lacks_and_when_leave_ends(youtube: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = _owner(youtube)
    assert owner.access(youtube.now) == Access()
    assert youtube.connector().access(youtube.now) == Access()

    monkeypatch.setattr(youtube_sandbox, "SCOPE", "https://www.googleapis.com/auth/youtube.readonly")
    monkeypatch.setattr(youtube_sandbox, "LEAVE_ENDS_IN", 7 * 24 * 3600)
    told = owner.access(youtube.now)

    assert told.lacks == owner.capabilities().needs
    assert told.ends == {"the sign-in": youtube.now + timedelta(days=7)}


def test_the_hosts_to_allow_are_told_without_asking_any(youtube: Place) -> None:
    account = Account(
        id="yt", connector="youtube", channel=Channel.OFFICIAL, name="yt", options={"channel": CHANNEL}
    )

    keyed = connect(account, {"token": "t"}).capabilities()
    assert (keyed.hosts, keyed.pages) == (("youtube.googleapis.com",), ("www.youtube.com",))
    assert "oauth2.googleapis.com" in connect(account, SIGN_IN).capabilities().hosts


def test_a_sign_in_is_renewed_once_and_again_before_it_ends(youtube: Place) -> None:
    owner = _owner(youtube)
    for _ in range(3):
        collect(owner.poll(None, youtube.now))
    assert _asked(youtube, "/token") == 1

    youtube.later(minutes=56)
    collect(owner.poll(None, youtube.now))
    assert _asked(youtube, "/token") == 2


def test_a_sign_in_that_ended_early_is_renewed_at_the_next_poll(
    youtube: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = _owner(youtube)
    collect(owner.poll(None, youtube.now))
    monkeypatch.setattr(youtube_sandbox, "ACCESS_TOKEN", "another")
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
        (_refusal("keyExpired", 400), "access token.*has expired", True, None),
        (
            _refusal("badRequest", 400, message="API key expired.", details=[{"reason": "API_KEY_INVALID"}]),
            "access token.*has expired",
            True,
            None,
        ),
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


def _video(count: int = 0) -> Route:
    about = {"id": VIDEO, "snippet": {"title": "Choir"}, "statistics": {"commentCount": str(count)}}
    return Route(path=".*/videos", body=json.dumps({"kind": "x", "items": [about]}).encode())


EMPTY = b'{"kind": "x", "items": []}'


def test_no_comments_although_some_are_counted_are_an_error_and_nothing_is_gone() -> None:
    upload = {"id": "UU1", "contentDetails": {"videoId": VIDEO}, "snippet": {"title": "Choir"}}
    uploads = Route(path=".*/playlistItems", body=json.dumps({"kind": "x", "items": [upload]}).encode())
    with _answering(_video(5), uploads, Route(path=".*/comment.*", body=EMPTY)) as connector:
        with pytest.raises(SourceError, match="none of the 5 comments it counts") as polled:
            collect(connector.poll(None, PRESENT))
        pages = []
        with pytest.raises(SourceError, match="none of the 5 comments it counts"):
            for page in connector.thread(ItemRef("youtube", VIDEO), [ItemRef("youtube", "Ugthere123456")], PRESENT):
                pages.append(page)

    assert not polled.value.permanent
    assert collect(pages).gone == []


def test_videos_that_cannot_be_looked_up_are_not_gone_while_the_channel_lists_others(youtube: Place) -> None:
    before = youtube.poll()
    post = before.saying("Sports day is on Friday").ref
    youtube.sandbox.fail("youtube", Fault.EMPTY, times=50, path="/videos")
    with pytest.raises(SourceError, match="did not show a video") as caught:
        youtube.sweep(post, [item.ref for item in before.items])

    assert not caught.value.permanent


def test_a_channel_that_is_not_shown_is_no_refusal_while_its_newest_video_is_there(youtube: Place) -> None:
    before = youtube.poll()
    youtube.sandbox.fail("youtube", Fault.EMPTY, path="/channels")
    with pytest.raises(SourceError, match="although there are some") as caught:
        youtube.poll(before.cursor)

    assert not caught.value.permanent


def test_a_look_up_that_leaves_out_a_comment_shown_just_now_proves_no_deletion() -> None:
    thread = {"id": "Ugthere123456", "snippet": {"topLevelComment": {"id": "Ugthere123456", "snippet": {}}}}
    threads = Route(path=".*/commentThreads", body=json.dumps({"kind": "x", "items": [thread]}).encode())
    known = [ItemRef("youtube", "Ugother123456")]
    with (
        _answering(_video(1), threads, Route(path=".*/comments", body=EMPTY)) as connector,
        pytest.raises(SourceError, match="trying again"),
    ):
        collect(connector.thread(ItemRef("youtube", VIDEO), known, PRESENT))


def test_no_videos_although_there_were_some_are_an_error_while_the_newest_is_still_there(youtube: Place) -> None:
    upload = {"id": "UU1", "contentDetails": {"videoId": VIDEO}, "snippet": {"title": "Choir"}}
    uploads = Route(path=".*/playlistItems", body=json.dumps({"kind": "x", "items": [upload]}).encode())
    nothing = [Route(path=f".*/{name}", body=EMPTY) for name in ("playlistItems", "commentThreads")]
    with _answering(uploads, _video(), nothing[1]) as connector:
        cursor = collect(connector.poll(None, PRESENT)).cursor
    with _answering(*nothing, _video()) as connector, pytest.raises(SourceError, match="showed no video"):
        collect(connector.poll(cursor, PRESENT))
    with _answering(*nothing, Route(path=".*/videos", body=EMPTY)) as connector:
        assert collect(connector.poll(cursor, PRESENT)).items == []


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


@pytest.mark.parametrize("channel", Channel)
def test_no_answer_is_fatal(channel: Channel) -> None:
    routes: list[Route] = []
    with serve(routes) as address:
        options = {"channel": CHANNEL, "base_url": address, "query": "larkfield"}
        account = Account(id="a", connector="youtube", channel=channel, name="a", options=options)
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
