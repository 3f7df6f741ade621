"""The sandbox itself: its pages for people, how it misbehaves, its clock, and the world of the demo."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors import kinds
from connectors.sandbox import TOKEN, Entry, Fault, Sandbox, World
from connectors.sandbox.bluesky_records import jwt
from connectors.sandbox.reddit import ACCESS
from connectors.sandbox.search import matches
from connectors.sandbox.world import number, offset
from connectors.sandbox.youtube_view import video_id
from tests.contract.places import NETWORKED, PAGE_SIZE, PRESENT, SCHOOL, Place

#: What the demo has to show (issue 2), by category.
SHOWN = (
    *("threat", "disclosure", "safeguarding", "allegation", "hate", "abuse", "press", "spam", "personal-data"),
    *("edited", "deleted", "photo-only", "authorless", "emoji-only", "non-english", "praise", "query"),
    *("overdue", "answered-late", "answered-in-time", "complaint", "complaint-teacher", "complaint-head"),
)

_SESSION = jwt({"scope": "com.atproto.appPass", "exp": PRESENT.timestamp() + 60}, TOKEN)
#: A listing of each platform, what whoever asks has to bring, and where the records stand.
LISTINGS: Mapping[str, tuple[str, Mapping[str, str], Callable[[str], list[object]]]] = {
    "bluesky": (
        "/xrpc/app.bsky.feed.getAuthorFeed?actor=larkfieldprim.bsky.social",
        {"Authorization": f"Bearer {_SESSION}"},
        lambda body: json.loads(body)["feed"],
    ),
    "facebook": (
        f"/v26.0/{SCHOOL.id_on('facebook')}_{number('post')}/comments",
        {"Authorization": f"Bearer {TOKEN}"},
        lambda body: json.loads(body)["data"],
    ),
    "feed": ("/news.atom", {}, lambda body: re.findall(r"<entry>.*?</entry>", body)),
    "instagram": (
        f"/v26.0/17{number('post')}/comments",
        {"Authorization": f"Bearer {TOKEN}"},
        lambda body: json.loads(body)["data"],
    ),
    "mastodon": (
        f"/api/v1/accounts/{SCHOOL.id_on('mastodon')}/statuses",
        {"Authorization": f"Bearer {TOKEN}"},
        json.loads,
    ),
    "reddit": (
        "/r/larkfield/comments",
        {"Authorization": f"bearer {ACCESS}"},
        lambda body: json.loads(body)["data"]["children"],
    ),
    "wordpress": ("/wp-json/wp/v2/comments", {}, json.loads),
    "x": (
        f"/2/users/{SCHOOL.id_on('x')}/mentions",
        {"Authorization": f"Bearer {TOKEN}"},
        lambda body: json.loads(body)["data"],
    ),
    "youtube": (
        f"/youtube/v3/commentThreads?part=snippet&videoId={video_id('post')}",
        {"X-Goog-Api-Key": TOKEN},
        lambda body: json.loads(body)["items"],
    ),
}
#: What each platform says of a token that was good once; a feed has none.
EXPIRED = {
    "bluesky": (400, "ExpiredToken"),
    "facebook": (401, "Session has expired"),
    "feed": (401, "Sorry"),
    "instagram": (401, "Session has expired"),
    "mastodon": (401, "The access token expired"),
    "reddit": (401, "Unauthorized"),
    "wordpress": (401, "You are not currently logged in"),
    "x": (401, "Unauthorized"),
    "youtube": (400, "API key expired"),
}


def _ask(place: Place, **query: str) -> httpx.Response:
    path, headers, _ = LISTINGS[place.kind]
    address = httpx.URL(f"{place.sandbox.base_url(place.kind)}{path}").copy_merge_params(query)
    return httpx.get(address, headers=dict(headers))


def _records(place: Place, answer: httpx.Response) -> list[object]:
    return LISTINGS[place.kind][2](answer.text)


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(PRESENT)


def test_every_item_has_a_page_that_shows_it(networked: Place) -> None:
    for item in networked.poll().items:
        answer = httpx.get(item.url)

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "<b>" not in answer.text
        assert (
            item.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
            in answer.text
        )


def test_the_page_of_a_deleted_post_says_so(networked: Place) -> None:
    url = networked.poll().saying("Lost: one scarf").url
    networked.world.delete("other-post", networked.later(minutes=1))
    answer = httpx.get(url)

    assert answer.status_code == 404
    assert "no longer available" in answer.text


def test_an_empty_listing_holds_nothing_and_is_a_success(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.EMPTY)
    empty, after = _ask(networked), _ask(networked)

    assert (empty.status_code, _records(networked, empty)) == (200, [])
    assert _records(networked, after)


def test_duplicated_reordered_and_poisoned_listings_hold_the_same_records(networked: Place) -> None:
    told = _records(networked, _ask(networked))
    spoilt = []
    for fault in (Fault.DUPLICATED, Fault.REORDERED, Fault.POISONED):
        networked.sandbox.fail(networked.kind, fault)
        spoilt.append(_records(networked, _ask(networked)))

    assert spoilt[0] == [record for record in told for _ in range(2)]
    assert spoilt[1] == told[::-1] != told
    assert spoilt[2][:1] + spoilt[2][2:] == told != spoilt[2]


def test_in_a_circle_every_page_is_the_first_for_as_many_requests_as_planned(networked: Place) -> None:
    following = {"page": "2", "after": "t1_0", "max_id": "1", "cursor": "0"}
    networked.sandbox.fail(networked.kind, Fault.CIRCLE, times=3)
    first, *others = (_ask(networked), _ask(networked, **following), _ask(networked, **following))

    assert len(_records(networked, first)) >= min(PAGE_SIZE, 3)
    assert [other.content for other in others] == [first.content] * 2


def test_a_circle_that_is_over_is_forgotten(wordpress: Place) -> None:
    wordpress.sandbox.fail("wordpress", Fault.CIRCLE, times=2)
    first, _, second = (_ask(wordpress), _ask(wordpress, page="2"), _ask(wordpress, page="2"))
    wordpress.sandbox.fail("wordpress", Fault.CIRCLE)

    assert _ask(wordpress, page="2").content == second.content != first.content


def test_an_expired_token_is_refused_in_the_platforms_own_words(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.EXPIRED)
    answer = _ask(networked)
    status, words = EXPIRED[networked.kind]

    assert answer.status_code == status
    assert words in answer.text


def test_a_school_networks_filter_answers_in_the_platforms_place(networked: Place) -> None:
    networked.sandbox.fail(networked.kind, Fault.BLOCK_PAGE, times=3)
    answers = [_ask(networked) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 403, 302]
    assert all(answer.headers["content-type"].startswith("text/html") for answer in answers)
    assert "securly.com" in answers[2].headers["location"]


def test_what_has_not_happened_yet_cannot_be_seen(networked: Place) -> None:
    soon = Entry(key="soon", platform=networked.kind, at=timedelta(minutes=5), by="school", text="Soon")
    networked.world.add(soon)
    before = networked.poll()
    networked.later(minutes=5)

    assert "Soon" not in before.texts()
    assert "Soon" in networked.poll(before.cursor).texts()


def test_another_server_of_the_same_world_gives_the_same_ids(networked: Place) -> None:
    before = {item.ref for item in networked.poll().items}
    networked.sandbox.stop()
    with Sandbox(networked.world, lambda: networked.now) as another:
        networked.sandbox = another
        assert {item.ref for item in networked.poll().items} == before


def test_the_demos_world_shows_everything_it_has_to(world: World) -> None:
    assert not [category for category in SHOWN if not world.of(category)]
    assert {entry.platform for entry in world.entries()} == set(kinds())
    assert 120 <= len(world.entries()) <= 150


def test_the_demos_answers_belong_to_something_and_come_after_it(world: World) -> None:
    for entry in world.entries():
        if entry.under:
            above = world.entry(entry.under)
            assert above.platform == entry.platform
            assert above.at < entry.at
        assert entry.by is None or entry.by in world.people


def test_the_demos_threat_arrives_within_two_minutes_and_is_never_answered(world: World) -> None:
    (threat,) = world.of("threat")

    assert timedelta(0) < threat.at < timedelta(minutes=2)
    assert not [entry for entry in world.entries() if entry.under == threat.key]


def test_the_demos_overdue_complaint_is_older_than_any_run_of_days_off(world: World) -> None:
    for entry in world.of("overdue"):
        assert entry.at < -timedelta(days=6)
        assert not [other for other in world.entries() if other.under == entry.key]


def test_the_demos_answers_are_in_time_and_late_as_told(world: World) -> None:
    for category, slowest in (("answered-in-time", timedelta(hours=24)), ("answered-late", timedelta(days=9))):
        for entry in world.of(category):
            (answer,) = [
                other
                for other in world.entries()
                if other.under == entry.key and world.people[other.by or ""].school
            ]
            assert (answer.at - entry.at < timedelta(hours=24)) == (category == "answered-in-time")
            assert answer.at - entry.at < slowest


def test_about_fifteen_things_happen_while_one_watches(world: World) -> None:
    after = [moment for moment in world.moments() if moment > PRESENT]

    assert 12 <= len(after) <= 20
    assert after[-1] <= PRESENT + timedelta(minutes=10)


def test_a_world_told_twice_is_the_same_world(world: World) -> None:
    again = World.load(PRESENT)
    now = datetime(2026, 11, 18, 11, tzinfo=UTC)

    assert all(world.live(kind, now) == again.live(kind, now) for kind in NETWORKED)


def test_what_staff_hand_in_is_a_file(world: World, tmp_path: Path) -> None:
    path = world.hand_in(tmp_path, PRESENT)

    assert len(path.read_text("utf-8").splitlines()) == 1 + len(world.live("archive", PRESENT))


@pytest.mark.parametrize(
    ("told", "meant"),
    [("+45s", timedelta(seconds=45)), ("-2d4h30m", -timedelta(days=2, hours=4, minutes=30)), ("+0s", timedelta(0))],
)
def test_an_offset_is_read(told: str, meant: timedelta) -> None:
    assert offset(told) == meant


@pytest.mark.parametrize("told", ["", "+", "5m", "-1w", "+5m2d", "tomorrow"])
def test_no_other_offset_is_guessed(told: str) -> None:
    with pytest.raises(ValueError, match="offset"):
        offset(told)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("larkfield", True),
        ("LARKFIELD school", True),
        ("lark", False),
        ('"school is"', True),
        ('"is school"', False),
        ("larkfield -school", False),
        ("nothing OR larkfield", True),
        ("(nothing OR larkfield) -spam", True),
        ("larkfield (nothing OR spam)", False),
        ("from:ann", True),
        ("-from:ann larkfield", False),
        ("#larkfield", False),
        ("@larkfieldprim", True),
        ("larkfieldprim", True),
        ("conversation_id:7 OR conversation_id:8", True),
        ("", True),
    ],
)
def test_the_search_language_means_what_x_means(query: str, found: bool) -> None:
    facts = {"from": "ann", "to": "", "conversation_id": "8", "is": ""}

    assert matches(query, facts, "Larkfield school is great, @LarkfieldPrim!") is found
