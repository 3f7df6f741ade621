"""Bluesky's methods (XRPC) and its post pages, as far as a school's account needs them.

Reference: docs.bsky.app/docs/category/http-reference; what it does not say was learnt from recorded answers: lists
stand in the order of the date that an author gives, some replies are not notified, a thread is cut off at a depth.
Direct messages are a service of their own (docs.bsky.app, chat.bsky.convo), which the account's server asks.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.bluesky_chat import SERVICE, Chat
from connectors.sandbox.bluesky_records import did, error, handle, jwt
from connectors.sandbox.bluesky_view import POST, View
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import World

BRAND = pages.Brand(name="Bluesky (sandbox)", colour="#0a7aff")
#: After the password: this app password does not open direct messages.
NO_MESSAGES = "-without-messages"
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


class _Bluesky:
    def __init__(self, world: World, password: str) -> None:
        self._world = world
        self._password = password

    def api(self, request: Request) -> Answer:
        method = request.path.removeprefix("/xrpc/")
        if (request.method, method) == ("POST", "com.atproto.server.createSession"):
            return self._sign_in(request)
        scopes = ("refresh",) if method == "com.atproto.server.refreshSession" else ("appPassPrivileged", "appPass")
        if method.startswith("chat."):
            scopes = scopes[:1]
            if request.headers.get("atproto-proxy") != SERVICE:
                return error(501, "MethodNotImplemented", "Method Not Implemented")
        if refusal := self._unauthorised(request, scopes):
            return refusal
        view = View(self._world, request)
        match (request.method, method):
            case ("POST", "com.atproto.server.refreshSession"):
                return self._session(request, self._claims(request)["may"])
            case ("GET", "com.atproto.server.getSession"):
                school = self._world.school
                return json_answer({"did": did(school), "handle": handle(school), "active": True})
            case ("GET", "app.bsky.actor.getProfile"):
                return view.own_profile()
            case ("GET", "app.bsky.actor.searchActors"):
                return view.actors()
            case ("GET", "chat.bsky.convo.listConvos"):
                return Chat(self._world, request).conversations()
            case ("GET", "chat.bsky.convo.getConvo"):
                return Chat(self._world, request).conversation()
            case ("GET", "chat.bsky.convo.getMessages"):
                return Chat(self._world, request).messages()
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
        return error(501, "MethodNotImplemented", "Method Not Implemented")

    def page(self, request: Request) -> Answer:
        found = re.fullmatch(r"/profile/([^/]+)/post/(\w+)", request.path)
        view = View(self._world, request)
        focus = view.by_uri.get(f"at://{found[1]}/{POST}/{found[2]}") if found else None
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
        scopes = {self._password: "appPassPrivileged", f"{self._password}{NO_MESSAGES}": "appPass"}
        scope = scopes.get(told.get("password"))
        if told.get("identifier") not in names or scope is None:
            return error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session(request, scope)

    def _session(self, request: Request, may: str) -> Answer:
        school = self._world.school

        def token(scope: str, lasts: timedelta) -> str:
            times = {"iat": int(request.now.timestamp()), "exp": int((request.now + lasts).timestamp())}
            return jwt({"scope": f"com.atproto.{scope}", "sub": did(school), "may": may, **times}, self._password)

        tokens = {
            "accessJwt": token(may, timedelta(hours=2)),
            "refreshJwt": token("refresh", timedelta(days=60)),
        }
        return json_answer({"did": did(school), "handle": handle(school), "active": True, **tokens})

    def _unauthorised(self, request: Request, scopes: Sequence[str]) -> Answer | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = self._claims(request)
        except (LookupError, ValueError):
            return error(401, "AuthMissing", "Authentication Required")
        if token != jwt(claims, self._password) or claims["scope"].removeprefix("com.atproto.") not in scopes:
            return _refuse(Fault.UNAUTHORISED, request)
        if claims["exp"] <= request.now.timestamp():
            return error(400, "ExpiredToken", "Token has expired")
        return None

    def _claims(self, request: Request) -> Any:
        token = request.headers.get("authorization", "")
        return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.UNAUTHORISED:
            return error(400, "InvalidToken", "Token could not be verified")
        case Fault.EXPIRED if request.path.endswith("createSession"):
            # App passwords end by being revoked alone; what expires is the session.
            return error(401, "AuthenticationRequired", "Invalid identifier or password")
        case Fault.EXPIRED:
            return error(400, "ExpiredToken", "Token has expired")
        case Fault.FORBIDDEN:
            return error(403, "Forbidden", "Forbidden")
        case Fault.RATE_LIMITED:
            reset = int((request.now + timedelta(minutes=10)).timestamp())
            headers = {"ratelimit-limit": "30", "ratelimit-remaining": "0", "ratelimit-reset": str(reset)}
            return error(429, "RateLimitExceeded", "Rate Limit Exceeded", headers)
        case Fault.RATE_LIMITED_BARE:
            return error(429, "RateLimitExceeded", "Rate Limit Exceeded")
    return error(502, "UpstreamFailure", "Upstream Failure")
