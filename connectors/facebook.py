"""A Facebook Page through the Graph API, read with facebook-sdk.

Every poll lists the Page's posts of the last weeks (its own, visitors', and those that tag it) and reads the
comments of each to the end: Facebook may order comments by rank whatever is asked, so that nothing already known
says that the rest is. https://developers.facebook.com/docs/graph-api/reference/page/feed and /object/comments
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from connectors._fields import Unreadable, dig, instant, mappings, page, read, text, web_url
from connectors._graph import Graph, GraphError, GraphOptions, connected, is_missing
from connectors._http import Service
from connectors._options import need_secret
from monitor.domain.account import Account, Capabilities
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.item import Author, AuthorKind, Item, ItemKind, ItemRef, Page, Raw, Reject
from monitor.domain.ports import Connector

PLATFORM = "facebook"
POST_FIELDS = "id,from{id,name},message,created_time,permalink_url,is_hidden,attachments{media_type,type}"
COMMENT_FIELDS = (
    "id,from{id,name},message,created_time,parent{id},permalink_url,is_hidden,attachment{type},comment_count"
)
_ID = re.compile(r"\d+(_\d+)?")


class Options(GraphOptions):
    """`page` is the Page's id; the rest has good defaults."""

    page: str = Field(pattern=r"^\d+$")
    #: Posts older than this are read by sweeps of their threads, not by every poll.
    window_days: float = Field(default=30, gt=0, le=365)
    page_size: int = Field(default=100, ge=1, le=100)


def connect(account: Account, options: Options, secrets: Mapping[str, str]) -> Connector:
    """A reader of one Page. Raises ConfigError."""
    return Facebook(account, options, need_secret(account, secrets, "token"))


class Facebook(Connector):
    """Reads one Page."""

    def __init__(self, account: Account, options: Options, token: str) -> None:
        self._account = account
        self._options = options
        self._token = token
        self._own = {options.page, *account.handles}
        self._service = Service(
            name="Facebook",
            account=account.id,
            remedy="Ask your technician to sign in to Facebook as an administrator of the Page, make a new Page "
            "token with pages_read_engagement and pages_read_user_content, and put it where the account's "
            "`secrets: token` points",
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            reads=("own posts", "visitor posts", "posts that tag the Page", "comments", "replies"),
            edits=True,
            deletions=True,
            notes=(
                f"every poll reads the posts of the last {self._options.window_days:g} days",
                "comments under other people's posts that tag the Page cannot be read",
            ),
        )

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        """All posts of the window and all their comments. Only the last page moves the cursor."""
        since = now - timedelta(days=self._options.window_days)
        since = min(since, _read_to(cursor) or since)
        seen: set[str] = set()
        with self._graph(now) as graph:
            for edge in ("feed", "tagged"):
                params = {"fields": POST_FIELDS, "since": int(since.timestamp()), "limit": self._options.page_size}
                for records in graph.listing(self._options.page, edge, params):
                    fresh = [record for record in records if _post_id(record) not in seen]
                    seen.update(_post_id(record) for record in fresh)
                    yield page((read(record, self._post) for record in fresh), cursor=cursor)
                    for post in filter(self._on_our_page, map(_post_id, fresh)):
                        for results in self._comments(graph, post):
                            yield page(results, cursor=cursor)
        yield Page(cursor=json.dumps({"read_to": format_instant(now)}))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        """The post `ref` and all its comments; what is `known` but not listed is asked for one by one."""
        if not _is_ours(ref):
            return
        seen: set[ItemRef] = set()
        with self._graph(now) as graph:
            post = graph.single(ref.id, POST_FIELDS)
            if post is None:
                # "Does not exist" may also mean "not for you": prove that the token still reads the Page.
                graph.get_object(self._options.page, fields="id")
                yield Page(gone=tuple(dict.fromkeys([ref, *filter(_is_ours, known)])))
                return
            yield page([read(post, self._post)])
            for results in self._comments(graph, ref.id):
                seen.update(result.ref for result in results if isinstance(result, Item))
                yield page(results)
            for missing in [item for item in known if _is_ours(item) and item not in seen and item != ref]:
                record = graph.single(missing.id, COMMENT_FIELDS)
                if record is None:
                    yield Page(gone=(missing,))
                else:
                    yield page([self._comment(record, ref.id)])

    def _graph(self, now: datetime) -> AbstractContextManager[Graph]:
        return connected(self._service, self._options, self._token, now, f"the Page {self._options.page}")

    def _on_our_page(self, post: str) -> bool:
        """Whether `post` stands on the Page itself: comments elsewhere are not ours to read."""
        return post.startswith(f"{self._options.page}_")

    def _comments(self, graph: Graph, post: str) -> Iterator[list[Item | Reject]]:
        """Comments and replies alike ("stream"): the default lists top-level comments alone."""
        params = {
            "fields": COMMENT_FIELDS,
            "filter": "stream",
            "order": "chronological",
            "limit": self._options.page_size,
        }
        try:
            for records in graph.listing(post, "comments", params):
                yield [self._comment(record, post) for record in records]
        except GraphError as error:
            # The post went while we were reading: the next sweep of its thread reports that.
            if not is_missing(error.result):
                raise

    def _post(self, record: Raw) -> Item:
        post = text(record, "id")
        if not post:
            raise Unreadable("the post has no id")
        ref = ItemRef(PLATFORM, post)
        return Item(
            ref=ref,
            channel=self._account.channel,
            kind=ItemKind.POST,
            author=self._author(record),
            text=text(record, "message"),
            url=web_url(text(record, "permalink_url")),
            published_at=instant(text(record, "created_time")),
            thread=ref,
            attachments=_attachments(record),
            raw=record,
        )

    def _comment(self, record: Any, post: str) -> Item | Reject:
        def convert(raw: Raw) -> Item:
            comment, parent = _comment_ids(raw, post)
            if not comment:
                raise Unreadable("the comment has neither an id nor an address that holds one")
            return Item(
                ref=ItemRef(PLATFORM, comment),
                channel=self._account.channel,
                kind=ItemKind.REPLY if parent else ItemKind.COMMENT,
                author=self._author(raw),
                text=text(raw, "message"),
                url=web_url(text(raw, "permalink_url")),
                published_at=instant(text(raw, "created_time")),
                parent=ItemRef(PLATFORM, parent or post),
                thread=ItemRef(PLATFORM, post),
                attachments=_attachments(raw),
                raw=raw,
            )

        return read(record, convert)

    def _author(self, record: Raw) -> Author:
        """`from` is missing for people who have not met the app, and always without a Page token."""
        author = text(record, "from", "id")
        return Author(
            id=author,
            display_name=text(record, "from", "name"),
            kind=AuthorKind.SCHOOL if author in self._own else AuthorKind.UNKNOWN,
        )


def _is_ours(ref: ItemRef) -> bool:
    """Whether Facebook itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and _ID.fullmatch(ref.id) is not None


def _post_id(record: Any) -> str:
    return text(record, "id")


def _comment_ids(raw: Raw, post: str) -> tuple[str, str]:
    """A comment's id and its parent comment's ("" for a top-level comment).

    Both also stand in the permalink, which some answers carry without the fields themselves.
    """
    number = post.rpartition("_")[2]
    address = parse_qs(urlsplit(web_url(text(raw, "permalink_url"))).query)
    top = address.get("comment_id", [""])[0]
    reply = address.get("reply_comment_id", [""])[0]
    linked = f"{number}_{reply or top}" if reply or top else ""
    linked_parent = f"{number}_{top}" if reply else ""
    return text(raw, "id") or linked, text(raw, "parent", "id") or linked_parent


def _attachments(record: Raw) -> tuple[str, ...]:
    """Kinds of attachments as facts; nothing is downloaded."""
    found = [dig(record, "attachment"), *mappings(dig(record, "attachments", "data"))]
    return tuple(
        text(entry, "media_type") or text(entry, "type") or "attachment" for entry in found if entry is not None
    )


def _read_to(cursor: str | None) -> datetime | None:
    try:
        return parse_instant(json.loads(cursor or "{}")["read_to"])
    except (LookupError, TypeError, ValueError):
        return None
