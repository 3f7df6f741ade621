"""Whatever shape an answer has, it ends as items, rejects or a SourceError, and what is kept can be stored."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import connect
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Channel, ItemRef, Page
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, can_be_stored, collect
from tests.contract.recorded import Route, serve

#: Names that the connectors look for, so that the nonsense stands where it can do harm.
NAMES = (
    *("data", "id", "text", "message", "includes", "users", "tweets", "media", "media_key", "meta", "next_token"),
    *(
        "errors",
        "type",
        "resource_id",
        "referenced_tweets",
        "edit_history_tweet_ids",
        "conversation_id",
        "author_id",
    ),
    *("created_at", "created_time", "from", "parent", "permalink_url", "attachment", "attachments", "paging"),
    *(
        "content",
        "rendered",
        "title",
        "date_gmt",
        "author",
        "author_name",
        "post",
        "status",
        "featured_media",
        "link",
    ),
    *("cursors", "after", "next", "error", "code", "lang", "username", "name", "note_tweet", "media_keys"),
    *("in_reply_to_id", "account", "acct", "display_name", "spoiler_text", "visibility", "media_attachments"),
    *("description", "mentions", "poll", "options", "replies_count", "language", "url", "uri", "limited"),
    *("caption", "timestamp", "permalink", "comments_count", "replies", "children", "parent_id", "owner"),
    *("summary", "total_count", "comments", "is_hidden", "hidden", "subattachments", "mime_type", "updated_time"),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        [
            *("replied_to", "2026-11-17T10:00:00", "0001-01-01T00:00:00+14:00", "http://[", "9" * 40, "\ud800"),
            *("1", "5", "-1", "٣", "<p>a</p><![x"),
        ]
    ),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), max_size=4)
DOCUMENTS = st.fixed_dictionaries(
    {"data": RECORDS}, optional={"includes": JSON, "errors": JSON, "meta": JSON, "paging": JSON}
)


def _everywhere(document: Any) -> list[Route]:
    return [Route(path=".*", body=json.dumps(document).encode())]


def _pages(document: Any) -> list[Route]:
    return [Route(path=".*", query={"page": "2"}, body=b"[]"), *_everywhere(document["data"])]


def _mastodon(document: Any) -> list[Route]:
    """Where each listing has its own form."""
    posts = document["data"]
    told = {
        ".*/accounts/verify_credentials": {"id": "1", "username": "larkfieldprim"},
        ".*/v2/notifications": {"statuses": posts, "notification_groups": []},
        ".*/accounts/1/statuses": posts,
        ".*/context": {"ancestors": posts[:1], "descendants": posts},
        ".*/statuses/.*": next(iter(posts), {}),
    }
    return [Route(path=path, body=json.dumps(answer).encode()) for path, answer in told.items()]


@contextmanager
def _answering(kind: str, channel: Channel, options: dict[str, object]) -> Iterator[tuple[Connector, list[Route]]]:
    routes: list[Route] = []
    with serve(routes) as address:
        options = {**options, "base_url": address}
        account = Account(id="a", connector=kind, channel=channel, name="a", options=options, private_messages=True)
        yield connect(account, {"token": "t"}), routes


@pytest.mark.parametrize(
    ("kind", "channel", "options", "answers"),
    [
        ("x", Channel.MENTION, {"query": "larkfield"}, _everywhere),
        ("facebook", Channel.OFFICIAL, {"page": "1"}, _everywhere),
        ("instagram", Channel.OFFICIAL, {"user": "1"}, _everywhere),
        ("mastodon", Channel.OFFICIAL, {"handle": "larkfieldprim"}, _mastodon),
        ("wordpress", Channel.MENTION, {"user": "u", "search": "larkfield"}, _pages),
    ],
)
def test_no_answer_is_fatal(
    kind: str, channel: Channel, options: dict[str, object], answers: Callable[[Any], list[Route]]
) -> None:
    with _answering(kind, channel, options) as (connector, routes):

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(document=DOCUMENTS)
        def holds(document: Any) -> None:
            routes[:] = answers(document)
            ref = ItemRef(kind, "5")
            for pages in (connector.poll(None, PRESENT), connector.thread(ref, [ref], PRESENT)):
                found: list[Page] = []
                with suppress(SourceError):
                    found.extend(pages)
                can_be_stored(collect(found))

        holds()
