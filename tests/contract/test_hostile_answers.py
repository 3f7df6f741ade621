"""Whatever shape an answer has, it ends as items, rejects or a SourceError, and what is kept can be stored."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import connect
from monitor.domain.account import Account
from monitor.domain.errors import SourceError
from monitor.domain.item import Channel
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
        ["replied_to", "2026-11-17T10:00:00", "0001-01-01T00:00:00+14:00", "http://[", "9" * 40, "\ud800"]
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


@contextmanager
def _answering(kind: str, options: dict[str, object]) -> Iterator[tuple[Connector, list[Route]]]:
    routes: list[Route] = []
    with serve(routes) as address:
        options = {**options, "base_url": address}
        channel = Channel.MENTION if {"query", "search"} & set(options) else Channel.OFFICIAL
        account = Account(id="a", connector=kind, channel=channel, name="a", options=options, private_messages=True)
        yield connect(account, {"token": "t"}), routes


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("x", {"query": "larkfield"}),
        ("facebook", {"page": "1"}),
        ("instagram", {"user": "1"}),
        ("wordpress", {"user": "u", "search": "larkfield"}),
    ],
)
def test_no_answer_is_fatal(kind: str, options: dict[str, object]) -> None:
    with _answering(kind, options) as (connector, routes):

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(document=DOCUMENTS)
        def holds(document: Any) -> None:
            told = document["data"] if kind == "wordpress" else document
            last = Route(path=".*", query={"page": "2"}, body=b"[]")
            routes[:] = [last, Route(path=".*", body=json.dumps(told).encode())]
            try:
                found = collect(connector.poll(None, PRESENT))
            except SourceError:
                return
            can_be_stored(found)

        holds()
