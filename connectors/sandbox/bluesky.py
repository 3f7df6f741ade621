"""Bluesky's methods (XRPC) and its post pages, as far as a school's account needs them.

Reference: docs.bsky.app/docs/category/http-reference; what it does not say was learnt from recorded answers: lists
stand in the order of the date that an author gives, some replies are not notified, a thread is cut off at a depth.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import Entry, Live, Person, World, number

KIND = "bluesky"
BRAND = pages.Brand(name="Bluesky (sandbox)", colour="#0a7aff")
DOMAIN = "bsky.social"
#: A reply this soon after what it answers is not notified.
TOO_SOON = timedelta(minutes=1)
#: Replies are notified to this many authors above them.
ABOVE = 5
LOOKUP_LIMIT = 25
_POST = "app.bsky.feed.post"
_KEY_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_NOT_A_POST = {"uri": ["nor", "this"], "record": "nonsense", "author": 7}
_NONSENSE = {**_NOT_A_POST, "post": _NOT_A_POST, "reason": "reply"}


def platform(world: World, password: str) -> Platform:
    """Bluesky, telling `world` to those who sign in with `password`."""
    sandbox = _Bluesky(world, password)
    return Platform(
        site="bluesky",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("feed", "posts", "notifications", "thread.replies"),
        nonsense=_NONSENSE,
    )


def jwt(claims: Mapping[str, Any], secret: str) -> str:
    """A token that says `claims`, signed with `secret` (RFC 7519)."""
    head, body = (_base64(json.dumps(part).encode()) for part in ({"typ": "at+jwt", "alg": "HS256"}, claims))
    return f"{head}.{body}.{_base64(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), 'sha256'))}"


class _Bluesky:
    def __init__(self, world: World, password: str) -> None:
        self._world = world
        self._password = password

    def api(self, request: Request) -> Answer:
        method = request.path.removeprefix("/xrpc/")
        if (request.method, method) == ("POST", "com.atproto.server.createSession"):
            return self._sign_in(request)
        scope = "refresh" if method == "com.atproto.server.refreshSession" else "appPass"
        if refusal := self._unauthorised(request, f"com.atproto.{scope}"):
            return refusal
        view = _View(self._world, request)
        match (request.method, method):
            case ("POST", "com.atproto.server.refreshSession"):
                return self._session(request)
            case ("GET", "app.bsky.feed.getAuthorFeed"):
                return view.author_feed()
            case ("GET", "app.bsky.feed.getPostThread"):
                return view.thread()
            case ("GET", "app.bsky.feed.getPosts"):
                return view.posts()
            case ("GET", "app.bsky.feed.searchPosts"):
                return view.search()
            case ("GET", "app.bsky.notification.listNotifications"):
                return view.notifications()
        return _error(501, "MethodNotImplemented", "Method Not Implemented")

    def page(self, request: Request) -> Answer:
        found = re.fullmatch(r"/profile/([^/]+)/post/(\w+)", request.path)
        view = _View(self._world, request)
        focus = view.by_uri.get(f"at://{found[1]}/{_POST}/{found[2]}") if found else None
        if focus is None:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=depth, anchor=view.uri(live.entry).rpartition("/")[2])
            for live, depth in pages.thread(view.top(focus), view.all)
        ]
        who = focus.author.name if focus.author else "Somebody"
        return pages.page(BRAND, f"{who} on Bluesky", items, focus.key)

    def _sign_in(self, request: Request) -> Answer:
        told = json.loads(request.body or b"{}")
        names = (handle(self._world.school), did(self._world.school))
        if told.get("identifier") not in names or told.get("password") != self._password:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session(request)

    def _session(self, request: Request) -> Answer:
        school = self._world.school

        def token(scope: str, lasts: timedelta) -> str:
            times = {"iat": int(request.now.timestamp()), "exp": int((request.now + lasts).timestamp())}
            return jwt({"scope": f"com.atproto.{scope}", "sub": did(school), **times}, self._password)

        tokens = {
            "accessJwt": token("appPass", timedelta(hours=2)),
            "refreshJwt": token("refresh", timedelta(days=60)),
        }
        return json_answer({"did": did(school), "handle": handle(school), "active": True, **tokens})

    def _unauthorised(self, request: Request, scope: str) -> Answer | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        except (LookupError, ValueError):
            return _error(401, "AuthMissing", "Authentication Required")
        if token != jwt(claims, self._password) or claims["scope"] != scope:
            return _refuse(Fault.UNAUTHORISED, request)
        if claims["exp"] <= request.now.timestamp():
            return _error(400, "ExpiredToken", "Token has expired")
        return None


class _View:
    """The world's Bluesky as one request sees it. What answers something deleted is there, but in no thread."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        self.all = world.live(KIND, request.now)
        self._by_key = {live.key: live for live in self.all}
        self._below: dict[str, list[Live]] = {}
        for live in self.all:
            self._below.setdefault(live.entry.under or "", []).append(live)

    @cached_property
    def by_uri(self) -> Mapping[str, Live]:
        return {self.uri(live.entry): live for live in self.all}

    def uri(self, entry: Entry) -> str:
        author = did(self._world.people[entry.by]) if entry.by else _did(entry.key)
        microseconds = int((self._world.present + entry.at).timestamp() * 1_000_000)
        key, rest = "", (microseconds << 10) | (number(entry.key) & 0x3FF)
        for _ in range(13):
            key, rest = _KEY_DIGITS[rest & 31] + key, rest >> 5
        return f"at://{author}/{_POST}/{key}"

    def top(self, live: Live) -> Live:
        """The topmost post that still exists."""
        above = self._by_key.get(live.entry.under or "")
        return self.top(above) if above else live

    def author_feed(self) -> Answer:
        asked = self._request.query.get("actor", "")
        own = [live for live in self.all if live.author and asked in (did(live.author), handle(live.author))]
        return self._listing("feed", own, lambda live: {"post": self._post(live)}, self._mark)

    def search(self) -> Answer:
        query = self._request.query.get("q", "")
        if not query:
            return _error(400, "InvalidRequest", 'Error: Params must have the property "q"')
        found = [live for live in self.all if matches(query, {}, live.text)]
        return self._listing("posts", found, self._post, self._mark)

    def notifications(self) -> Answer:
        wanted = self._request.repeated.get("reasons")
        reasons = {live.key: self._reason(live) for live in self.all}
        found = [live for live in self.all if reasons[live.key] and (not wanted or reasons[live.key] in wanted)]

        def entry(live: Live) -> dict[str, Any]:
            shown = ("uri", "cid", "author", "record", "indexedAt", "labels")
            kept = {name: value for name, value in self._post(live).items() if name in shown}
            about = self._answered(live) if reasons[live.key] == "reply" else None
            subject = {"reasonSubject": self.uri(about.entry)} if about else {}
            return {**kept, "reason": reasons[live.key], **subject, "isRead": False}

        rest = {"priority": False, "seenAt": _time(self._request.now)}
        return self._listing("notifications", found, entry, lambda live: _time(self.sorted_at(live)), rest)

    def posts(self) -> Answer:
        uris = self._request.repeated.get("uris", [])
        if not 1 <= len(uris) <= LOOKUP_LIMIT:
            return _error(400, "InvalidRequest", f"Error: uris must not have more than {LOOKUP_LIMIT} elements")
        return json_answer({"posts": [self._post(self.by_uri[uri]) for uri in uris if uri in self.by_uri]})

    def thread(self) -> Answer:
        uri = self._request.query.get("uri", "")
        live = self.by_uri.get(uri)
        if live is None:
            return _error(400, "NotFound", f"Post not found: {uri}")
        depth = min(int(self._request.query.get("depth", 6)), self._request.page_size)
        return json_answer({"thread": self._node(live, depth)})

    def sorted_at(self, live: Live) -> datetime:
        """The date by which Bluesky sorts: the author's, unless the post arrived before it."""
        return min(self._claimed(live), live.at)

    def _node(self, live: Live, depth: int) -> dict[str, Any]:
        node: dict[str, Any] = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._post(live)}
        node["threadContext"] = {}
        if depth > 0:
            node["replies"] = [self._node(child, depth - 1) for child in self._below.get(live.key, ())]
        return node

    def _listing(
        self,
        name: str,
        found: Iterable[Live],
        show: Callable[[Live], dict[str, Any]],
        mark: Callable[[Live], str],
        rest: Mapping[str, Any] | None = None,
    ) -> Answer:
        """A page of `found`, the latest first; the cursor is the `mark` of the last entry."""
        size = min(int(self._request.query.get("limit", 50)), self._request.page_size)
        last = self._request.query.get("cursor")
        marked = sorted(((mark(live), live.key) for live in found), reverse=True)
        shown = [(place, key) for place, key in marked if last is None or place < last][:size]
        cursor = {"cursor": shown[-1][0]} if shown else {}
        return json_answer({name: [show(self._by_key[key]) for _, key in shown], **cursor, **(rest or {})})

    def _post(self, live: Live) -> dict[str, Any]:
        counts = dict.fromkeys(("bookmarkCount", "repostCount", "likeCount", "quoteCount"), 0)
        view: dict[str, Any] = {
            "uri": self.uri(live.entry),
            "cid": _cid(f"{live.key} {live.text}"),
            "record": self._record(live),
            "replyCount": len(self._below.get(live.key, ())),
            **counts,
            "indexedAt": _time(self.sorted_at(live)),
            "viewer": {"bookmarked": False, "threadMuted": False, "embeddingDisabled": False},
            "labels": [],
        }
        if live.author:
            view["author"] = _profile(live.author)
        replies = [] if live.entry.under else [reply for reply in self.all if reply.entry.hidden]
        if hidden := [self.uri(reply.entry) for reply in replies if self.top(reply) is live]:
            gate = view["uri"].replace(_POST, "app.bsky.feed.threadgate")
            record = {"$type": "app.bsky.feed.threadgate", "post": view["uri"], "hiddenReplies": hidden}
            record["createdAt"] = _time(live.at)
            view["threadgate"] = {"uri": gate, "cid": _cid(gate), "record": record, "lists": []}
        return view

    def _record(self, live: Live) -> dict[str, Any]:
        record: dict[str, Any] = {"$type": _POST, "text": live.text, "langs": ["en"]}
        record["createdAt"] = _time(self._claimed(live))
        if live.entry.under:
            above = {"parent": self._world.entry(live.entry.under), "root": self._first(live.entry)}
            record["reply"] = {
                place: {"uri": self.uri(entry), "cid": _cid(f"{entry.key} {entry.text}")}
                for place, entry in above.items()
            }
        if live.entry.photo:
            image = {"$type": "blob", "ref": {"$link": _cid(f"{live.key} photo")}, "mimeType": "image/jpeg"}
            record["embed"] = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": image}]}
        if self._names_school(live):
            name = f"@{self._world.school.handle}".lower()
            start = len(live.text[: live.text.lower().index(name)].encode("utf-8", "replace"))
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did(self._world.school)}
            index = {"byteStart": start, "byteEnd": start + len(name)}
            record["facets"] = [{"$type": "app.bsky.richtext.facet", "index": index, "features": [feature]}]
        return record

    def _reason(self, live: Live) -> str:
        """Why the school is told of a post, "" where it is not."""
        if live.author is self._world.school:
            return ""
        if self._names_school(live):
            return "mention"
        above = self._by_key.get(live.entry.under or "")
        too_soon = above is not None and live.at - above.at <= TOO_SOON
        return "reply" if self._answered(live) and not too_soon and not live.entry.hidden else ""

    def _answered(self, live: Live) -> Live | None:
        """The nearest post of the school's above a reply."""
        above: Live | None = live
        for _ in range(ABOVE):
            above = self._by_key.get(above.entry.under or "") if above else None
            if above and above.author is self._world.school:
                return above
        return None

    def _mark(self, live: Live) -> str:
        milliseconds = int(self.sorted_at(live).timestamp() * 1000)
        return f"{milliseconds}__{_cid(f'{live.key} {live.text}')}"

    def _names_school(self, live: Live) -> bool:
        return f"@{self._world.school.handle}".lower() in live.text.lower()

    def _claimed(self, live: Live) -> datetime:
        return live.at if live.entry.dated is None else self._world.present + live.entry.dated

    def _first(self, entry: Entry) -> Entry:
        """The conversation's first post, deleted or not."""
        return self._first(self._world.entry(entry.under)) if entry.under else entry


def did(person: Person) -> str:
    return _did(person.id_on(KIND))


def handle(person: Person) -> str:
    return f"{person.handle}.{DOMAIN}"


def _did(of: str) -> str:
    return f"did:plc:{_base32(of)[:24]}"


def _cid(of: str) -> str:
    return f"bafyrei{_base32(of)}"


def _base32(of: str) -> str:
    return base64.b32encode(hashlib.sha256(of.encode("utf-8", "replace")).digest()).decode().lower().rstrip("=")


def _base64(of: bytes) -> str:
    return base64.urlsafe_b64encode(of).decode().rstrip("=")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _profile(person: Person) -> dict[str, Any]:
    return {
        "did": did(person),
        "handle": handle(person),
        "displayName": person.name,
        "associated": {"activitySubscription": {"allowSubscriptions": "followers"}},
        "viewer": {"muted": False, "blockedBy": False},
        "labels": [],
    }


def _error(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer({"error": error, "message": message}, status, headers)


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.UNAUTHORISED:
            return _error(400, "InvalidToken", "Token could not be verified")
        case Fault.EXPIRED if request.path.endswith("createSession"):
            # App passwords end by being revoked alone; what expires is the session.
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        case Fault.EXPIRED:
            return _error(400, "ExpiredToken", "Token has expired")
        case Fault.FORBIDDEN:
            return _error(403, "Forbidden", "Forbidden")
        case Fault.RATE_LIMITED:
            reset = int((request.now + timedelta(minutes=10)).timestamp())
            headers = {"ratelimit-limit": "30", "ratelimit-remaining": "0", "ratelimit-reset": str(reset)}
            return _error(429, "RateLimitExceeded", "Rate Limit Exceeded", headers)
        case Fault.RATE_LIMITED_BARE:
            return _error(429, "RateLimitExceeded", "Rate Limit Exceeded")
    return _error(502, "UpstreamFailure", "Upstream Failure")
