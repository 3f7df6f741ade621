"""The Graph API's answers in the words of Facebook and of Instagram, for tests that hold for both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors import connect
from monitor.domain.account import Account
from monitor.domain.item import Channel, ItemRef
from monitor.domain.ports import Connector
from tests.contract.places import PRESENT, Read, collect
from tests.contract.recorded import MISSING_GRAPH, Route, serve

EMPTY = Route(path=".*", body=b'{"data": []}')
REFUSED = {"error": {"code": 10, "type": "OAuthException", "message": "(#10) No"}}
MISSING = json.loads(MISSING_GRAPH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one of the two says things; the account's id is 7, its post's `post_id`."""

    kind: str
    name: str
    subject: str  # the option that holds the account's id
    listing: str  # where the account's posts are listed
    post_id: str
    words: str  # the field of a post's text
    comment_words: str
    time: str
    limit: int  # the error code of its own limit

    def post(self, *, count: int | None = None, **more: Any) -> dict[str, Any]:
        """The account's post, with `count` comments as the platform counts."""
        record = {"id": self.post_id, self.words: "Sports day", self.time: "2026-11-17T09:00:00+0000"}
        if count is not None and self.kind == "facebook":
            record |= {"comments": {"data": [], "summary": {"total_count": count}}}
        elif count is not None:
            record |= {"comments_count": count}
        return record | more

    def comment(self, key: str, **more: Any) -> dict[str, Any]:
        words = {self.comment_words: f"comment {key}", self.time: "2026-11-17T10:00:00+0000"}
        return {"id": self.comment_id(key), **words, **more}

    def comment_id(self, key: str) -> str:
        return f"1_{key}" if self.kind == "facebook" else key


FACEBOOK = Dialect(
    kind="facebook",
    name="Facebook",
    subject="page",
    listing="7/feed",
    post_id="7_1",
    words="message",
    comment_words="message",
    time="created_time",
    limit=80001,
)
INSTAGRAM = Dialect(
    kind="instagram",
    name="Instagram",
    subject="user",
    listing="7/media",
    post_id="1",
    words="caption",
    comment_words="text",
    time="timestamp",
    limit=80002,
)


def connector(
    dialect: Dialect, address: str, secrets: Mapping[str, str] = {}, *, messages: bool = False, **options: object
) -> Connector:
    account = Account(
        id="ours",
        connector=dialect.kind,
        channel=Channel.OFFICIAL,
        name="ours",
        options={dialect.subject: "7", "base_url": address, **options},
        private_messages=messages,
    )
    return connect(account, {"token": "t", **secrets})


def poll(dialect: Dialect, routes: Sequence[Route], cursor: str | None = None, now: datetime = PRESENT) -> Read:
    """One poll of an account for which `routes` answer, and empty lists where they do not."""
    with serve([*routes, EMPTY]) as address:
        return collect(connector(dialect, address).poll(cursor, now))


def sweep(dialect: Dialect, routes: Sequence[Route], *known: str) -> Read:
    """One sweep of its post, below which the ids `known` have been seen."""
    with serve([*routes, EMPTY]) as address:
        refs = [ItemRef(dialect.kind, key) for key in known]
        return collect(connector(dialect, address).thread(ItemRef(dialect.kind, dialect.post_id), refs, PRESENT))


def route(path: str, document: Any, **how: Any) -> Route:
    return Route(path=rf"/v[\d.]+/{path}", body=json.dumps(document).encode(), **how)


def listed(path: str, *records: Any, **how: Any) -> Route:
    return route(path, {"data": records}, **how)
