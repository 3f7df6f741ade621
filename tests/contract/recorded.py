"""The recorded answers in ../shared/fixtures, served on loopback to the real connectors.

Nobody here wrote them: where the sandbox and a recording differ, the sandbox is wrong. A test that uses them takes
the mark `needs_recordings`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from connectors.sandbox.bluesky_records import jwt
from monitor.domain.account import Account
from monitor.domain.item import Channel

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
needs_recordings = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason=f"the recorded answers are not here: {FIXTURES} is missing"
)
SECRETS = {"token": "recorded-token"}
#: The Page and the post of the recorded listing of comments.
PAGE = "19292868552"
BLUESKY_DID = "did:plc:xajb2rtgap4e43biw26wcfoe"
COMMENTED_POST = f"{PAGE}_10158407654328553"
_EMPTY_X = json.dumps({"meta": {"result_count": 0}}).encode()
_EMPTY_GRAPH = b'{"data": []}'
#: What Graph says of an object that does not exist.
MISSING_GRAPH = json.dumps(
    {
        "error": {
            "code": 100,
            "type": "GraphMethodException",
            "error_subcode": 33,
            "message": "Unsupported get request",
        }
    }
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`body` answers requests whose path matches `path` and whose query holds `query`; the first that fits."""

    path: str
    body: bytes
    query: dict[str, str] = field(default_factory=dict)
    status: int = 200
    content_type: str | None = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def serve(routes: Sequence[Route]) -> Iterator[str]:
    """Serve `routes` on loopback; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            route = next(
                (
                    route
                    for route in routes
                    if re.fullmatch(route.path, address.path) and route.query.items() <= asked.items()
                ),
                Route(path="", body=b"{}", status=404),
            )
            self.send_response(route.status)
            if route.content_type:
                self.send_header("Content-Type", route.content_type)
            for name, value in route.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(route.body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(route.body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def recorded_accounts() -> Iterator[list[Account]]:
    """Accounts whose connectors read the recordings of X (official and search), Facebook, WordPress and Bluesky."""
    routes = [*x_routes(), *facebook_routes(), *wordpress_routes()]
    routes += bluesky_routes()
    with serve(routes) as address:
        x_options = {"base_url": address, "page_url": "https://x.com"}
        yield [
            _account("x-official", "x", {**x_options, "handle": "TweepyDev"}),
            _account("x-search", "x", {**x_options, "query": "Tweepy"}, Channel.MENTION),
            _account("facebook-page", "facebook", {"base_url": address, "page": PAGE}),
            _account("blog-atom", "feed", {"url": f"{address}/comments.atom"}),
            _account("blog-rss", "feed", {"url": f"{address}/comments.rss"}),
            _account("bluesky-official", "bluesky", {"base_url": address, "handle": "stmarys.test"}),
        ]


def x_routes() -> list[Route]:
    """X's recorded pages; each says that a next one follows, which was not recorded: it is empty here."""

    def taped(name: str) -> bytes:
        return cassette(f"test_client_{name}.yaml")[0]

    return [
        Route(path=".*", query={"pagination_token": _next_token(taped("get_users_mentions"))}, body=_EMPTY_X),
        Route(path=".*", query={"pagination_token": _next_token(taped("get_users_tweets"))}, body=_EMPTY_X),
        Route(path=".*", query={"next_token": _next_token(taped("search_recent_tweets"))}, body=_EMPTY_X),
        Route(path="/2/users/by/username/TweepyDev", body=taped("get_me")),
        Route(path=r"/2/users/\d+/mentions", body=taped("get_users_mentions")),
        Route(path=r"/2/users/\d+/tweets", body=taped("get_users_tweets")),
        Route(path="/2/tweets/search/recent", body=taped("search_recent_tweets")),
        Route(path="/2/tweets", body=taped("get_tweets")),
    ]


def facebook_routes() -> list[Route]:
    """A Page's feed in two pages, and the comments of one post in two.

    The others' were not recorded, though they are counted: those posts went while they were read.
    """
    graph = r"/v[\d.]+/"
    feed, comments = f"{graph}{PAGE}/feed", rf"{graph}(19292868552_10158349356748553|{COMMENTED_POST})/comments"
    return [
        Route(path=feed, query={"after": "after"}, body=recording("facebook/posts/feeds_default_fields_p2.json")),
        Route(path=feed, body=recording("facebook/posts/feeds_default_fields_p1.json")),
        Route(path=comments, query={"after": "after"}, body=recording("facebook/comments/comments_p2.json")),
        Route(path=comments, body=recording("facebook/comments/comments_p1.json")),
        Route(path=rf"{graph}\w+/comments", body=MISSING_GRAPH, status=400),
        Route(path=rf"{graph}\w+/tagged", body=_EMPTY_GRAPH),
        Route(path=rf"{graph}{COMMENTED_POST}", body=recording("facebook/posts/single_post_data.json")),
        Route(
            path=rf"{graph}10158371815748553_10158371930463553",
            body=recording("facebook/comments/comment_info.json"),
        ),
    ]


def wordpress_routes() -> list[Route]:
    """The comments feed of a blog, as Atom and as RSS."""
    atom, rss = (recording(f"wordpress/wordpress-comments-{name}.xml") for name in ("atom", "rss2"))
    return [
        Route(path="/comments.atom", body=atom, content_type="application/atom+xml; charset=UTF-8"),
        Route(path="/comments.rss", body=rss, content_type="application/rss+xml; charset=UTF-8"),
    ]


def bluesky_session() -> Route:
    """What signing in brings: the one answer that was not recorded. It lasts until 2100."""
    tokens = {name: jwt({"exp": 4_102_444_800}, "secret") for name in ("accessJwt", "refreshJwt")}
    body = {"did": BLUESKY_DID, "handle": "stmarys.test", **tokens}
    return Route(path="/xrpc/com.atproto.server.createSession", body=json.dumps(body).encode())


def bluesky_routes() -> list[Route]:
    """A feed of two posts, the thread of one, and notifications; each last page says that another follows.

    The other post's thread was not recorded: it is that post alone, and its reply is there to be looked up.
    """
    feed, notified = (
        json.loads(recording(f"bluesky/{name}.json")) for name in ("getAuthorFeed", "listNotifications")
    )
    other = feed["feed"][1]["post"]
    alone = {"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": other}}
    below = {"posts": [entry for entry in notified["notifications"] if entry.get("reasonSubject") == other["uri"]]}
    app = "/xrpc/app.bsky."
    return [
        bluesky_session(),
        *(
            Route(path=f"{app}.*", query={"cursor": answer["cursor"]}, body=json.dumps({name: []}).encode())
            for name, answer in (("feed", feed), ("notifications", notified))
        ),
        Route(path=f"{app}feed.getAuthorFeed", body=recording("bluesky/getAuthorFeed.json")),
        Route(path=f"{app}notification.listNotifications", body=recording("bluesky/listNotifications.json")),
        Route(path=f"{app}feed.getPostThread", query={"uri": other["uri"]}, body=json.dumps(alone).encode()),
        Route(
            path=f"{app}feed.getPostThread",
            query={"uri": feed["feed"][0]["post"]["uri"]},
            body=recording("bluesky/getPostThread.json"),
        ),
        Route(path=f"{app}feed.getPostThread", body=recording("bluesky/notFound.json"), status=400),
        Route(path=f"{app}feed.getPosts", body=json.dumps(below).encode()),
    ]


def recording(path: str) -> bytes:
    """One recorded body."""
    return (FIXTURES / path).read_bytes()


def cassette(name: str) -> list[bytes]:
    """The bodies of one of X's recordings, in order."""
    taped: Any = yaml.safe_load((FIXTURES / "x" / name).read_text("utf-8"))
    bodies = (interaction["response"]["body"]["string"] for interaction in taped["interactions"])
    return [body if isinstance(body, bytes) else str(body).encode() for body in bodies]


def _next_token(body: bytes) -> str:
    return str(json.loads(body)["meta"]["next_token"])


def _account(key: str, kind: str, options: dict[str, object], channel: Channel = Channel.OFFICIAL) -> Account:
    return Account(id=key, connector=kind, channel=channel, name=key, options=options)
