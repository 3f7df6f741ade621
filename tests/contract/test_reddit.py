"""What is particular to Reddit."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import connect
from connectors import reddit as reddit_connector
from connectors._reddit import attachments, vanished, visibility, words
from connectors.sandbox import TOKEN, Edit, Entry, Fault
from connectors.sandbox import reddit as reddit_sandbox
from connectors.sandbox.reddit_view import PRIVATE, base36
from monitor.domain.account import Access, Account
from monitor.domain.errors import ConfigError, SourceError
from monitor.domain.item import AuthorKind, Channel, ItemKind, ItemRef, Page, Visibility
from monitor.domain.mentions import SchoolNames
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Place, Read, can_be_stored, collect
from tests.contract.recorded import Route, serve
from tests.contract.test_hostile_answers import JSON, NAMES

SECRETS = {"client_id": "sandbox-app", "client_secret": TOKEN}
SIGNED_IN = Route(
    path="/api/v1/access_token",
    body=b'{"access_token": "sandbox-access", "token_type": "bearer", "expires_in": 86400, "scope": "*"}',
)
ATOM = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<category term="larkfield" label="r/larkfield"/><id>/r/larkfield/new/.rss</id><title>newest</title>{}</feed>
"""
POST_ENTRY = """<entry><author><name>/u/larkfieldprim</name><uri>https://www.reddit.com/user/larkfieldprim</uri>
</author><content type="html">&lt;!-- SC_OFF --&gt;&lt;div class=&quot;md&quot;&gt;
&lt;p&gt;All &lt;em&gt;welcome&lt;/em&gt;.&lt;/p&gt; &lt;/div&gt;&lt;!-- SC_ON --&gt; submitted by
&lt;a href=&quot;https://www.reddit.com/user/x&quot;&gt; /u/x &lt;/a&gt;</content><id>t3_abc</id>
<link href="https://www.reddit.com/r/larkfield/comments/abc/fair/"/>
<updated>2026-11-18T08:00:00+00:00</updated><published>2026-11-18T08:00:00+00:00</published>
<title>Fair &amp; raffle</title></entry>"""
COMMENT_ENTRY = """<entry><author><name>/u/annbob</name></author><content type="html">&lt;!-- SC_OFF --&gt;&lt;div
class=&quot;md&quot;&gt;&lt;p&gt;Who runs it?&lt;/p&gt;&lt;/div&gt;&lt;!-- SC_ON --&gt;</content><id>t1_xyz</id>
<link href="https://www.reddit.com/r/larkfield/comments/abc/fair/xyz/"/><updated>2026-11-18T09:00:00+00:00</updated>
<title>/u/annbob on Fair &amp; raffle</title></entry>"""


def _connector(address: str, channel: Channel = Channel.OFFICIAL, **options: object) -> Connector:
    where: dict[str, object] = {"base_url": address, "reddit_url": address, "subreddit": "larkfield"}
    account = Account(id="ours", connector="reddit", channel=channel, name="ours", options={**where, **options})
    return connect(account, SECRETS)


@contextmanager
def _told(routes: Sequence[Route], **options: Any) -> Iterator[Connector]:
    with serve([SIGNED_IN, *routes]) as address:
        yield _connector(address, **options)


def _listing(*children: Any, after: str | None = None) -> bytes:
    return json.dumps({"kind": "Listing", "data": {"after": after, "children": list(children)}}).encode()


def _mentions(place: Place, **options: object) -> Read:
    account = place.account(user="", **{"subreddit": "", **options})
    return collect(connect(replace(account, channel=Channel.MENTION), SECRETS).poll(None, place.now))


def _as_moderator(place: Place, *, private_messages: bool = False, **options: object) -> Connector:
    account = replace(place.account(**options), private_messages=private_messages)
    return connect(account, {**SECRETS, "refresh_token": TOKEN})


def _totals(pages: Iterable[Page]) -> dict[ItemRef, int]:
    return {ref: total for page in pages for ref, total in page.totals.items()}


def _entry(key: str, hours: float = 2, **about: Any) -> Entry:
    return Entry(key=key, platform="reddit", at=-timedelta(hours=hours), **{"by": "parent", "text": key, **about})


def _paths(place: Place) -> list[str]:
    return [path for _, path in place.sandbox.requests()]


def test_signing_in_lasts_an_hour(reddit: Place) -> None:
    connector = reddit.connector()
    for minutes in (0, 30, 31):
        reddit.later(minutes=minutes)
        collect(connector.poll(None, reddit.now))

    assert sum("access_token" in path for path in _paths(reddit)) == 2


def test_the_access_token_reaches_no_log_and_no_record(reddit: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = reddit.poll()

    assert reddit_sandbox.ACCESS not in caplog.text
    assert reddit_sandbox.ACCESS not in repr(found)


def test_neither_a_praw_ini_nor_the_environment_changes_who_asks(
    reddit: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "praw.ini").write_text("[DEFAULT]\noauth_url=http://192.0.2.1\nusername=u\npassword=p\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_site", "nowhere")
    monkeypatch.setenv("praw_username", "somebody")
    monkeypatch.setenv("praw_password", "something")

    assert reddit.poll().texts() == reddit.expected()


def test_what_the_newest_item_was_does_not_matter_once_it_is_deleted(reddit: Place) -> None:
    before = reddit.poll()
    at = reddit.later(minutes=5)
    reddit.world.delete("thanks", at)
    reddit.world.delete("other-post", at)
    reddit.world.add(Entry(key="new", platform="reddit", at=at, by="parent", under="post", text="Still heard"))

    assert "Still heard" in reddit.poll(before.cursor).texts()
    assert not [path for path in _paths(reddit) if "before=" in path]


def test_a_long_and_deep_thread_is_read_to_its_end(reddit: Place) -> None:
    chain = [_entry(f"deep-{n}", 10 - n / 10, under=f"deep-{n - 1}" if n else "post") for n in range(24)]
    reddit.world.add(*chain, *(_entry(f"wide-{n}", 9, under="deep-3") for n in range(120)))
    found = reddit.connector().thread(_ref(reddit, "post"), [], reddit.now)

    told = {item.text for item in collect(found).items}
    assert told == set(reddit.expected()) - {"Lost: one scarf", "It is mine"}


def test_a_thread_without_an_end_is_left_after_so_many_requests_and_that_is_said(reddit: Place) -> None:
    reddit.world.add(*(_entry(f"deep-{n}", 10 - n / 10, under=f"deep-{n - 1}" if n else "post") for n in range(20)))
    connector = reddit.connector(thread_requests=2)
    found = collect(connector.thread(_ref(reddit, "post"), [], reddit.now))

    assert [reject.reason for reject in found.rejects] == ["2 requests did not bring the whole thread"]
    assert found.items


def test_the_answers_to_a_deleted_comment_stay(reddit: Place) -> None:
    before = reddit.poll()
    question = before.saying("What time does it start?")
    reddit.world.delete("question", reddit.later(minutes=1))
    after = reddit.poll(before.cursor)
    swept = reddit.sweep(_ref(reddit, "post"), [item.ref for item in before.items])

    assert {"At ten.", "Thanks!"} <= set(after.texts())
    assert swept.gone == [question.ref]
    assert {"At ten.", "Thanks!"} <= set(swept.texts())
    assert "[deleted]" not in [*after.texts(), *swept.texts()]


def test_a_deleted_post_is_gone_and_what_was_said_below_it_is_not(reddit: Place) -> None:
    before = reddit.poll()
    reddit.world.delete("post", reddit.later(minutes=1))
    swept = reddit.sweep(_ref(reddit, "post"), [item.ref for item in before.items])

    assert swept.gone == [_ref(reddit, "post")]
    assert "Thanks!" in swept.texts()


@pytest.mark.parametrize(
    ("record", "how"),
    [
        ({"body": "[deleted]", "author": "[deleted]"}, "deleted"),
        ({"body": "[removed]", "author": "[deleted]"}, "removed"),
        ({"body": "[ Removed by Reddit ]", "author": "annbob", "author_fullname": "t2_1"}, "removed"),
        ({"body": "Only my account is gone", "author": "[deleted]"}, ""),
        ({"body": "[deleted]", "author": "annbob", "author_fullname": "t2_1"}, ""),
        ({"body": "[removed]", "author": "annbob", "entry": {}}, ""),
        ({"title": "Fair", "selftext": "[deleted]", "removed_by_category": "deleted", "is_self": True}, "deleted"),
        ({"title": "Fair", "selftext": "", "removed_by_category": "moderator"}, "removed"),
        ({"title": "Fair", "selftext": "Raffle", "removed_by_category": "automod_filtered"}, "removed"),
        ({"title": "Fair", "selftext": "[removed]", "is_self": True}, "removed"),
        ({"title": "A link", "selftext": "[deleted]", "is_self": False}, ""),
        ({"title": "Fair", "selftext": "", "removed_by_category": None, "author": "[deleted]"}, ""),
    ],
)
def test_deleted_and_removed_are_told_apart_and_from_words_in_brackets(record: dict[str, Any], how: str) -> None:
    assert vanished(record) == how


def test_what_a_moderator_removed_is_gone(reddit: Place) -> None:
    reddit.world.add(_entry("spam", under="post", category="removed"), _entry("reply", 1, under="spam"))
    before = reddit.poll()
    reddit.world.delete("spam", reddit.later(minutes=1))
    swept = reddit.sweep(_ref(reddit, "post"), [item.ref for item in before.items])

    assert swept.gone == [_ref(reddit, "spam")]


@pytest.mark.parametrize(
    ("record", "seen"),
    [
        ({"banned_by": True}, Visibility.HELD),
        ({"banned_by": "AutoModerator"}, Visibility.HELD),
        ({"removed_by_category": "automod_filtered"}, Visibility.HELD),
        ({"removed_by_category": "reddit", "title": "Fair"}, Visibility.HELD),
        ({"banned_by": "larkfieldprim", "removed": True}, Visibility.HIDDEN),
        ({"removed_by_category": "moderator", "title": "Fair"}, Visibility.HIDDEN),
        ({"spam": True}, Visibility.HIDDEN),
        ({"removed": False, "spam": False, "approved": True, "banned_by": None}, Visibility.PUBLIC),
    ],
)
def test_moderators_are_told_what_is_held_and_what_was_removed(record: dict[str, Any], seen: Visibility) -> None:
    told = {"body": "A word", "author_fullname": "t2_1", "can_mod_post": True, **record}

    assert visibility(told) is seen
    assert vanished(told) == ""
    assert visibility({**told, "can_mod_post": False}) is Visibility.PUBLIC


def test_what_its_author_deleted_is_gone_for_moderators_too() -> None:
    assert vanished({"title": "Fair", "removed_by_category": "deleted", "can_mod_post": True}) == "deleted"
    assert vanished({"body": "[deleted]", "author": "[deleted]", "can_mod_post": True}) == "deleted"


def test_a_moderator_reads_what_a_filter_holds_back_and_what_was_removed(reddit: Place) -> None:
    reddit.world.add(
        _entry("waiting", under="post", approved=timedelta(hours=1)),
        _entry("waiting post", approved=timedelta(hours=1)),
        _entry("insult", under="post", hidden=True),
        _entry("reply", 1, under="insult"),
    )
    moderator = _as_moderator(reddit)
    found = collect(moderator.poll(None, reddit.now))

    seen = {item.text: item.visibility for item in found.items if item.visibility is not Visibility.PUBLIC}
    assert seen == {
        "waiting": Visibility.HELD,
        "waiting post": Visibility.HELD,
        "insult": Visibility.HIDDEN,
    }
    assert found.texts() == reddit.expected()
    assert moderator.capabilities().hidden
    reddit.later(hours=1)
    swept = collect(moderator.thread(_ref(reddit, "post"), [item.ref for item in found.items], reddit.now))
    assert swept.saying("waiting").visibility is Visibility.PUBLIC
    assert swept.saying("insult").visibility is Visibility.HIDDEN
    assert swept.gone == []


def test_without_a_moderators_sign_in_it_is_not_shown_and_that_is_said(reddit: Place) -> None:
    reddit.world.add(_entry("waiting", under="post", approved=timedelta(hours=1)))

    assert "waiting" not in reddit.poll().texts()
    assert "moderator's sign-in" in " ".join(reddit.connector().capabilities().notes)
    assert not reddit.connector().capabilities().hidden


def test_a_sign_in_that_does_not_moderate_reads_the_rest_and_says_what_it_lacks(
    reddit: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    reddit.world.add(_entry("seen", 3, text="Traffic", tags_school=True))
    connector = _as_moderator(reddit, subreddit="northvale", user="")

    assert collect(connector.poll(None, reddit.now)).texts() == ["Traffic"]
    assert connector.access(reddit.now) == Access(lacks=("moderator of r/northvale",))
    monkeypatch.setattr(reddit_sandbox, "SCOPE", "read")
    assert _as_moderator(reddit).access(reddit.now) == Access(lacks=("history",))


def test_an_app_that_acts_for_nobody_has_nothing_to_tell_of_its_access(reddit: Place) -> None:
    assert reddit.connector().access(reddit.now) == Access()
    assert _as_moderator(reddit).access(reddit.now) == Access()
    assert _as_moderator(reddit, subreddit="").access(reddit.now) == Access()


@pytest.mark.parametrize("allowed", [True, False])
def test_private_messages_are_read_where_the_rule_book_says_so_alone(reddit: Place, allowed: bool) -> None:
    reddit.world.add(_entry("I must tell you", message=True, title="In private"))
    connector = _as_moderator(reddit, private_messages=allowed)
    found = collect(connector.poll(None, reddit.now))

    messages = [item for item in found.items if item.kind is ItemKind.MESSAGE]
    assert [item.text for item in messages] == (["In private\nI must tell you"] if allowed else [])
    assert [item.thread for item in messages] == ([None] if allowed else [])
    assert ("private messages" in connector.capabilities().reads) is allowed
    assert ("privatemessages" in connector.capabilities().needs) is allowed
    assert any("message/inbox" in path for path in _paths(reddit)) is allowed


def test_a_private_message_is_in_no_public_listing(reddit: Place) -> None:
    reddit.world.add(_entry("I must tell you", message=True))

    assert "I must tell you" not in reddit.poll().texts()
    assert "I must tell you" not in _mentions(reddit, query="tell").texts()


def test_totals_are_told_for_threads_that_were_read_and_leave_out_what_is_shown_as_removed(reddit: Place) -> None:
    reddit.world.add(
        _entry("spam", under="post", hidden=True),
        _entry("reply", 1, under="spam"),
        replace(reddit.world.entry("other-post"), miscount=2),
    )
    pages = list(reddit.connector().poll(None, reddit.now))
    found = collect(pages)
    post, other = _ref(reddit, "post"), _ref(reddit, "other-post")
    below = sum(item.thread == post for item in found.items) - 1

    assert _totals(pages) == {post: below, other: 1 + 2}
    assert _totals(reddit.connector().thread(post, [], reddit.now)) == {post: below}
    assert _totals(_as_moderator(reddit).thread(post, [], reddit.now)) == {post: below + 1}


def test_somebody_elses_thread_that_is_not_read_has_no_total(reddit: Place) -> None:
    reddit.world.add(
        _entry("theirs", 6, text="Which school is best?", tags_school=True),
        _entry("ours", 5, under="theirs", by="school", text="Come and see us"),
    )
    pages = list(reddit.connector().poll(None, reddit.now))

    assert "Come and see us" in collect(pages).texts()
    assert _ref(reddit, "theirs") not in _totals(pages)


def test_an_empty_thread_is_an_error_while_a_comment_of_it_is_there() -> None:
    post = {"name": "t3_abc", "title": "Fair", "author": "x", "subreddit": "larkfield", "num_comments": 4}
    comment = {"name": "t1_xyz", "link_id": "t3_abc", "body": "Well", "author_fullname": "t2_1"}
    things = [{"kind": "t3", "data": post}, {"kind": "t1", "data": comment}]
    bare = json.dumps([json.loads(_listing(things[0])), json.loads(_listing())]).encode()
    routes = [Route(path="/api/info", body=_listing(*things)), Route(path="/comments/abc", body=bare)]
    pages: list[Page] = []
    with _told(routes) as connector, pytest.raises(SourceError, match="none of the 4 comments") as caught:
        pages += connector.thread(ItemRef("reddit", "t3_abc"), [ItemRef("reddit", "t1_xyz")], PRESENT)

    assert not caught.value.permanent
    assert collect(pages).gone == []


def test_a_thread_that_stays_empty_in_a_poll_is_believed_and_keeps_no_other_from_being_read() -> None:
    written = PRESENT.timestamp() - 3600
    about = {"subreddit": "elsewhere", "author": "larkfieldprim", "created_utc": written}
    posts = [{"kind": "t3", "data": {"name": f"t3_{key}", "title": key, **about}} for key in ("abc", "def")]
    ours = {"kind": "t1", "data": {"name": "t1_xyz", "link_id": "t3_abc", "body": "Removed", **about}}
    theirs = {"name": "t1_uvw", "link_id": "t3_def", "parent_id": "t3_def", "body": "Read", "author": "annbob"}
    trees = {"abc": _listing(), "def": _listing({"kind": "t1", "data": theirs})}
    routes = [
        Route(path="/user/larkfieldprim/submitted", body=_listing(*posts)),
        Route(path="/user/larkfieldprim/comments", body=_listing(ours)),
        *(Route(path=f"/comments/{key}", body=b"[{}, %s]" % tree) for key, tree in trees.items()),
    ]
    pages: list[Page] = []
    with _told(routes, user="larkfieldprim", subreddit="") as connector:
        with pytest.raises(SourceError, match="none of the known comments below a post"):
            for page in connector.poll(None, PRESENT):
                pages.append(page)
        again = collect(connector.poll(pages[-1].cursor, PRESENT))

    assert "Read" in collect(pages).texts()
    assert again.texts() == collect(pages).texts()


def test_an_empty_listing_is_an_error_while_what_stood_there_is_still_to_be_seen(reddit: Place) -> None:
    before = reddit.poll()
    reddit.later(minutes=5)
    for listing in ("/new", "/r/larkfield/comments", "/submitted"):
        reddit.sandbox.fail("reddit", Fault.EMPTY, path=listing)
        with pytest.raises(SourceError, match="listed nothing") as caught:
            reddit.poll(before.cursor)
        assert not caught.value.permanent

    for key in ("thanks", "answer", "post", "other-post", "edited-before", *(f"comment-{n}" for n in range(9))):
        reddit.world.delete(key, reddit.now - PRESENT)
    assert reddit.poll(before.cursor, subreddit="").items == []


def test_an_answer_that_leaves_out_the_post_proves_no_deletion() -> None:
    with _told([Route(path="/api/info", body=_listing())]) as connector:
        swept = collect(connector.thread(ItemRef("reddit", "t3_abc"), [ItemRef("reddit", "t1_xyz")], PRESENT))

    assert swept.gone == []


def test_what_reddit_no_longer_knows_is_gone_where_it_did_answer() -> None:
    post = {"kind": "t3", "data": {"name": "t3_abc", "title": "Elsewhere", "author": "x", "subreddit": "other"}}
    with _told([Route(path="/api/info", body=_listing(post))]) as connector:
        swept = collect(connector.thread(ItemRef("reddit", "t3_abc"), [ItemRef("reddit", "t1_xyz")], PRESENT))

    assert swept.gone == [ItemRef("reddit", "t1_xyz")]


def test_more_comments_that_are_always_the_same_are_a_circle() -> None:
    post = {"kind": "t3", "data": {"name": "t3_abc", "title": "Fair", "author": "x", "subreddit": "larkfield"}}
    more = {"kind": "more", "data": {"parent_id": "t3_abc", "children": ["b", "c"]}}
    other = {"kind": "t1", "data": {"id": "a", "name": "t1_a", "body": "Again"}}
    tree = json.dumps([json.loads(_listing(post)), json.loads(_listing(other, more))]).encode()
    again = json.dumps({"json": {"data": {"things": [other]}}}).encode()
    routes = [
        Route(path="/api/info", body=_listing(post)),
        Route(path="/comments/abc", body=tree),
        Route(path="/api/morechildren", body=again),
    ]
    with _told(routes) as connector, pytest.raises(SourceError, match="circle"):
        collect(connector.thread(ItemRef("reddit", "t3_abc"), [], PRESENT))


def test_an_edit_keeps_the_time_of_writing(reddit: Place) -> None:
    reddit.world.add(_entry("later", 5, under="post", edits=(Edit(at=-timedelta(hours=1), text="better"),)))
    item = reddit.poll().saying("better")

    assert item.published_at == PRESENT - timedelta(hours=5)
    assert item.raw["edited"] == (PRESENT - timedelta(hours=1)).timestamp()


def test_no_requests_left_means_a_pause_and_no_sleep(reddit: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reddit_sandbox, "LIMIT", 3)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"slept for {seconds} s"))
    reddit.later(minutes=6)
    connector = reddit.connector()
    with pytest.raises(SourceError, match="slow down") as caught:
        collect(connector.poll(None, reddit.now))
    asked = len(reddit.sandbox.requests())
    with pytest.raises(SourceError, match="slow down"):
        collect(connector.poll(None, reddit.now))

    assert not caught.value.permanent
    assert caught.value.retry_at == reddit.now + timedelta(minutes=4)
    assert len(reddit.sandbox.requests()) == asked
    monkeypatch.setattr(reddit_sandbox, "LIMIT", 1000)
    reddit.later(minutes=4)
    assert collect(connector.poll(None, reddit.now)).texts() == reddit.expected()


def test_the_last_request_of_a_poll_asks_to_rest(reddit: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = len(list(reddit.pages())) and len(_paths(reddit)) - 1  # Signing in is not counted.
    reddit.later(minutes=12)
    monkeypatch.setattr(reddit_sandbox, "LIMIT", asked)
    pages = list(reddit.pages())

    assert pages[-1].rest_until == reddit.now + timedelta(minutes=8)
    assert {page.rest_until for page in pages[:-1]} == {None}


def test_a_sign_in_that_is_not_renewed_needs_a_person() -> None:
    ended = Route(path="/api/v1/access_token", body=b'{"error": "invalid_grant"}', status=400)
    with serve([ended]) as address, pytest.raises(SourceError, match="expired or was withdrawn") as caught:
        collect(_connector(address).poll(None, PRESENT))

    assert caught.value.permanent


def test_a_sign_in_that_was_withdrawn_needs_a_person(reddit: Place) -> None:
    connector = connect(reddit.account(), {**SECRETS, "refresh_token": "withdrawn"})
    with pytest.raises(SourceError, match="access token: it has expired or was withdrawn") as caught:
        collect(connector.poll(None, reddit.now))

    assert caught.value.permanent


def test_subreddits_and_users_that_bear_the_schools_name_are_found(reddit: Place) -> None:
    found = list(reddit.connector().profiles(["Larkfield School", "larkfield"], reddit.now))

    assert [(one.handle, one.name) for one in found] == [
        ("r/larkfield", "Larkfield School's own"),
        ("larkfieldprim", "Larkfield School"),
    ]
    assert [one.url.rpartition("/reddit/")[2] for one in found] == ["r/larkfield", "user/larkfieldprim"]
    assert reddit.connector().capabilities().finds_profiles
    assert list(reddit.connector(feed=True).profiles(["Larkfield"], reddit.now)) == []


def test_the_hosts_to_allow_are_told_without_asking_any() -> None:
    account = Account(
        id="ours", connector="reddit", channel=Channel.OFFICIAL, name="ours", options={"user": "larkfieldprim"}
    )

    can = connect(account, SECRETS).capabilities()
    assert (can.hosts, can.pages) == (("oauth.reddit.com", "www.reddit.com"), ("www.reddit.com",))


def test_a_subreddit_that_does_not_exist_needs_a_person(reddit: Place) -> None:
    with pytest.raises(SourceError, match="no subreddit or user of that name") as caught:
        reddit.poll(subreddit="larkfeild")

    assert caught.value.permanent


def test_a_private_subreddit_needs_a_person(reddit: Place) -> None:
    with pytest.raises(SourceError, match="does not permit") as caught:
        reddit.poll(subreddit=PRIVATE)

    assert caught.value.permanent


def test_answers_to_the_schools_comment_elsewhere_are_read_and_no_more_of_that_thread(reddit: Place) -> None:
    reddit.world.add(
        _entry("theirs", 6, text="Which school is best?", tags_school=True),
        _entry("apart", 5, under="theirs", text="None of our business"),
        _entry("ours", 5, under="theirs", by="school", text="Come and see us"),
        _entry("answer-1", 4, under="ours", text="Is there parking?"),
        _entry("answer-2", 3, under="answer-1", text="There is not"),
    )
    found = reddit.poll()
    reddit.world.add(_entry("answer-3", 0, under="ours", text="I will"))
    swept = reddit.sweep(_ref(reddit, "theirs"), [_ref(reddit, "ours")])

    assert {"Come and see us", "Is there parking?", "There is not"} <= set(found.texts())
    assert "I will" in swept.texts()
    assert "None of our business" not in [*found.texts(), *swept.texts()]


def test_comments_under_the_schools_post_elsewhere_are_read(reddit: Place) -> None:
    reddit.world.add(_entry("ours", 6, by="school", text="We are hiring", tags_school=True))
    before = reddit.poll()
    at = reddit.later(minutes=5)
    reddit.world.add(Entry(key="new", platform="reddit", at=at, by="parent", under="ours", text="What is the pay?"))

    assert reddit.poll(before.cursor).saying("What is the pay?").kind is ItemKind.COMMENT


def test_a_listing_that_ends_too_early_is_made_good_by_the_threads(
    reddit: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reddit.poll()
    # Approved late: it keeps its time, and the overlap does not reach back so far.
    reddit.later(days=3)
    reddit.world.add(_entry("approved late", 19.5, under="post"))
    first = reddit.poll(f'{{"read_to": "{reddit.now.isoformat()}"}}')
    monkeypatch.setattr(reddit_connector, "LISTING_ENDS", 2)
    second = reddit.poll(f'{{"read_to": "{reddit.now.isoformat()}"}}')

    assert "approved late" not in [*before.texts(), *first.texts()]
    assert "approved late" in second.texts()


def test_a_search_finds_posts_wherever_they_are(reddit: Place) -> None:
    reddit.world.add(_entry("said", 3, text="Larkfield school is closing", tags_school=True), _entry("else", 3))
    found = _mentions(reddit, query="larkfield school")

    assert found.texts() == ["Larkfield school is closing"]
    assert found.items[0].channel is Channel.MENTION
    assert _mentions(reddit, query="larkfield school", subreddit="larkfield").texts() == []


def test_names_are_found_in_the_comments_of_a_subreddit(reddit: Place) -> None:
    reddit.world.add(
        _entry("town", 9, text="Traffic again", tags_school=True),
        _entry("named", 8, under="town", text="It is the larkfield run"),
        _entry("unnamed", 8, under="town", text="It is the buses"),
    )
    found = _mentions(reddit, subreddit="northvale", names=["Larkfield", "Larkfeild"])

    assert found.texts() == ["It is the larkfield run"]


def test_the_schools_names_are_searched_for_everywhere_and_looked_for_in_a_subreddits_comments(
    reddit: Place,
) -> None:
    reddit.world.add(
        _entry("far", 9, text="Larkfeild School run", tags_school=True),
        _entry("near", 9, text="Traffic again"),
        _entry("named", 8, under="near", text="It is the larkfield school run"),
        _entry("handle", 8, under="near", text="Ask u/larkfieldprim"),
        _entry("unnamed", 8, under="near", text="It is the larkfield farm"),
    )
    names = SchoolNames(
        names=("Larkfield School",), misspellings=("Larkfeild School",), handles=("@larkfieldprim",)
    )
    account = replace(reddit.account(), channel=Channel.MENTION, names=names)
    found = collect(connect(account, SECRETS).poll(None, reddit.now))

    assert found.texts() == ["Ask u/larkfieldprim", "It is the larkfield school run", "Larkfeild School run"]
    own = replace(account, options={**account.options, "query": "traffic"})
    assert collect(connect(own, SECRETS).poll(None, reddit.now)).texts() == ["Traffic again"]


def test_a_mention_is_looked_up_again_and_its_thread_left_alone(reddit: Place) -> None:
    connector = connect(replace(reddit.account(query="scarf", user=""), channel=Channel.MENTION), SECRETS)
    ref = _ref(reddit, "other-post")
    swept = collect(connector.thread(ref, [ref], reddit.now))
    reddit.world.delete("other-post", reddit.later(minutes=1))

    assert swept.texts() == ["Lost: one scarf"]
    assert collect(connector.thread(ref, [ref], reddit.now)).gone == [ref]


def test_what_staff_handed_in_is_not_asked_of_reddit(reddit: Place) -> None:
    assert reddit.sweep(_ref(reddit, "post"), [ItemRef("reddit", "archive:box:7"), ItemRef("x", "1")]).gone == []
    assert reddit.sweep(ItemRef("reddit", "archive:box:7"), []) == Read()


def test_the_same_page_twice_is_a_circle() -> None:
    record = {"kind": "t3", "data": {"name": "t3_a", "title": "A", "created_utc": PRESENT.timestamp()}}
    routes = [Route(path="/r/larkfield/new", body=_listing(record, after="t3_a"))]
    with _told(routes) as connector, pytest.raises(SourceError, match="circle"):
        collect(connector.poll(None, PRESENT))


@pytest.mark.parametrize(
    ("channel", "options", "message"),
    [
        (Channel.OFFICIAL, {"subreddit": ""}, "'subreddit', 'user' or both"),
        (Channel.MENTION, {"subreddit": ""}, "'query'"),
        (Channel.MENTION, {}, "'query', or the school's names"),
        (Channel.MENTION, {"subreddit": "", "names": ["Larkfield"]}, "'subreddit' is missing"),
        (Channel.OFFICIAL, {"subreddit": "../api"}, "option 'subreddit'"),
    ],
)
def test_an_account_says_what_to_read(channel: Channel, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _connector("http://127.0.0.1:1", channel, **options)


def test_an_app_is_its_id_and_its_secret_and_feeds_need_neither() -> None:
    account = Account(
        id="ours", connector="reddit", channel=Channel.OFFICIAL, name="ours", options={"subreddit": "larkfield"}
    )
    with pytest.raises(ConfigError, match="'client_secret' is missing"):
        connect(account, {"client_id": "sandbox-app"})
    assert not connect(replace(account, options={**account.options, "feed": True}), {}).capabilities().deletions


def test_feeds_give_the_items_under_the_ids_that_the_api_gives() -> None:
    routes = [
        Route(
            path="/r/larkfield/new/.rss", body=ATOM.format(POST_ENTRY).encode(), content_type="application/atom+xml"
        ),
        Route(
            path=".*/comments/.rss", body=ATOM.format(COMMENT_ENTRY).encode(), content_type="application/atom+xml"
        ),
    ]
    with _told(routes, feed=True) as connector:
        found = collect(connector.poll(None, PRESENT))
        assert collect(connector.thread(ItemRef("reddit", "t3_abc"), [], PRESENT)) == Read()
    post, comment = found.saying("Fair & raffle\nAll welcome."), found.saying("Who runs it?")

    assert found.rejects == []
    assert (post.ref.id, comment.ref.id) == ("t3_abc", "t1_xyz")
    assert (comment.thread, comment.parent, comment.kind) == (post.ref, None, ItemKind.COMMENT)
    assert (comment.author.handle, comment.published_at) == ("annbob", PRESENT - timedelta(hours=1))
    assert comment.url == "https://www.reddit.com/r/larkfield/comments/abc/fair/xyz/"


def test_a_feed_that_is_suddenly_empty_is_believed_after_a_day() -> None:
    full, empty = ([Route(path=".*", body=ATOM.format(told).encode())] for told in (POST_ENTRY, ""))
    with _told(full, feed=True) as connector:
        before = collect(connector.poll(None, PRESENT))
    with _told(empty, feed=True) as connector:
        with pytest.raises(SourceError, match="listed nothing in r/larkfield/new"):
            collect(connector.poll(before.cursor, PRESENT + timedelta(hours=23)))
        after = collect(connector.poll(before.cursor, PRESENT + timedelta(hours=25)))

        assert collect(connector.poll(after.cursor, PRESENT + timedelta(hours=26))).items == []


def test_a_feed_that_is_refused_is_called_that_and_says_what_to_do(reddit: Place) -> None:
    with pytest.raises(SourceError, match=r"not signed in.*request an app.*hand in") as caught:
        reddit.poll(feed=True)

    assert not caught.value.permanent
    assert caught.value.retry_at is not None
    assert _paths(reddit) == ["/api/reddit/r/larkfield/new/.rss?limit=100"]


@pytest.mark.parametrize("body", [b"", b"<!doctype html><p>whoa there, pardner", b"{}", ATOM.encode()[:80]])
def test_what_is_no_feed_is_not_taken_for_silence(body: bytes) -> None:
    with (
        _told([Route(path=".*", body=body, content_type="text/html")], feed=True) as connector,
        pytest.raises(SourceError),
    ):
        collect(connector.poll(None, PRESENT))


@pytest.mark.parametrize(
    ("record", "said", "attached"),
    [
        ({"body": "Look ![img](k1)", "media_metadata": {"k1": {"e": "Image"}}}, "Look", ("photo",)),
        ({"body": '![gif](g|1 "ha")', "media_metadata": {"g|1": {"e": "AnimatedImage"}}}, "ha", ("animation",)),
        (
            {"body": "Look https://preview.redd.it/k1.png?s=5", "media_metadata": {"k1": {"e": "Image"}}},
            "Look",
            ("photo",),
        ),
        ({"body": "![img](k1)"}, "![img](k1)", ()),
        ({"title": "T", "selftext": "", "post_hint": "image"}, "T", ("photo",)),
        ({"title": "T", "is_video": True}, "T", ("video",)),
        ({"title": "T", "url_overridden_by_dest": "https://news.example"}, "T", ("link",)),
        ({"title": "T", "poll_data": {"options": [{"text": "Yes"}, {"text": "No"}]}}, "T\nYes\nNo", ("poll",)),
        (
            {
                "title": "T",
                "gallery_data": {"items": [{"caption": "The hall"}, {}]},
                "media_metadata": {"a": {"e": "Image"}, "b": {"e": "Image"}},
            },
            "T\nThe hall",
            ("photo", "photo"),
        ),
    ],
)
def test_pictures_are_facts_and_what_is_said_with_them_is_text(
    record: dict[str, Any], said: str, attached: tuple[str, ...]
) -> None:
    assert words(record) == said
    assert attachments(record) == attached


def test_an_author_whose_account_is_gone_is_unknown_and_his_words_stay() -> None:
    record = {"name": "t1_xyz", "link_id": "t3_abc", "body": "Still here", "author": "[deleted]"}
    routes = [
        Route(path="/r/larkfield/comments", body=_listing({"kind": "t1", "data": record})),
        Route(path=".*", body=_listing()),
    ]
    with _told(routes) as connector:
        item = collect(connector.poll(None, PRESENT)).saying("Still here")

    assert (item.author.kind, item.author.handle, item.published_at) == (AuthorKind.UNKNOWN, "", None)


HOSTILE = st.dictionaries(
    st.sampled_from(
        (
            *NAMES,
            *("name", "title", "selftext", "body", "author", "author_fullname", "created_utc", "permalink"),
            *("replies", "children", "kind", "media_metadata", "poll_data", "gallery_data", "removed_by_category"),
        )
    ),
    st.one_of(JSON, st.sampled_from(["t1_a", "t3_b", "more", "[deleted]", 1e300, -1e12])),
    max_size=8,
)


def test_no_answer_is_fatal() -> None:
    routes: list[Route] = []
    with serve(routes) as address:
        connector = _connector(address, user="larkfieldprim", thread_requests=5)

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(records=st.lists(HOSTILE, max_size=4), more=JSON)
        def holds(records: list[Any], more: Any) -> None:
            things = [{"kind": "t1", "data": record} for record in records]
            tree = [json.loads(_listing()), json.loads(_listing(*things, {"kind": "more", "data": more}))]
            routes[:] = [
                SIGNED_IN,
                Route(path="/comments/.*", body=json.dumps(tree).encode()),
                Route(path="/api/morechildren", body=json.dumps({"json": {"data": {"things": things}}}).encode()),
                Route(path=".*", body=_listing(*things, more)),
            ]
            try:
                found = [
                    *connector.poll(None, PRESENT),
                    *connector.thread(ItemRef("reddit", "t3_b"), [ItemRef("reddit", "t1_a")], PRESENT),
                ]
            except SourceError:
                return
            can_be_stored(collect(found))

        holds()


def _ref(place: Place, key: str) -> ItemRef:
    kind = "t1" if place.world.entry(key).under else "t3"
    return ItemRef("reddit", f"{kind}_{base36(key)}")
