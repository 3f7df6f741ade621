"""Reddit's Data API and its post pages, as far as a school needs them. Reference: www.reddit.com/dev/api.

What was deleted leaves a stub where something hangs below it; with the category "removed" a moderator did it. What
is hidden was removed by the school, what is not approved yet by a filter: only moderators see either, and find it
in their queues. A post that `tags_school` stands in another subreddit. Feeds are refused, as to all readers who are
not signed in.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.reddit_view import View, base36, error
from connectors.sandbox.server import HTML, Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import World

BRAND = pages.Brand(name="Reddit (sandbox)", colour="#ff4500")
CLIENT_ID, ACCESS = "sandbox-app", "sandbox-access"
#: What whoever signs in as the school is given, and with which scopes.
MODERATOR, SCOPE = "sandbox-moderator", "history privatemessages read"
#: Requests in so many seconds. Reddit allows 1,000; here a simulated week passes in a minute.
LIMIT, PERIOD = 100_000, 600
_NONSENSE = {"kind": "t1", "data": {"name": {"not": "a name"}, "body": 5, "created_utc": "yesterday", "author": []}}


def platform(world: World, secret: str) -> Platform:
    """Reddit, telling `world` to the app that brings `secret`."""
    sandbox = _Reddit(world, secret)
    return Platform(
        site="reddit",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("data.children", "-1.data.children", "json.data.things"),
        nonsense=_NONSENSE,
    )


class _Reddit:
    def __init__(self, world: World, secret: str) -> None:
        self._world = world
        self._secret = secret
        self._app = "Basic " + base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        self._used: dict[int, int] = {}

    def api(self, request: Request) -> Answer:
        path = request.path.strip("/")
        if path.endswith(".rss"):
            return Answer(status=429, body=b"<!doctype html><title>Too Many Requests</title>", content_type=HTML)
        form, signed = dict(parse_qsl(request.body.decode())), request.headers.get("authorization")
        if path == "api/v1/access_token":
            renews = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == self._secret
            if signed != self._app or not (renews or form.get("grant_type") == "client_credentials"):
                return _refuse(Fault.UNAUTHORISED, request)
            granted = {"access_token": MODERATOR if renews else ACCESS, "scope": SCOPE if renews else "*"}
            return json_answer({"token_type": "bearer", "expires_in": 86400, **granted})
        if signed not in (f"bearer {ACCESS}", f"bearer {MODERATOR}"):
            return _refuse(Fault.UNAUTHORISED, request)
        left = self._left(request.now)
        moderates = signed == f"bearer {MODERATOR}"
        spent, view = left["x-ratelimit-remaining"].startswith("-"), View(self._world, request, moderates)
        answer = _refuse(Fault.RATE_LIMITED_BARE, request) if spent else self._route(path, form, view)
        return replace(answer, headers={**answer.headers, **left})

    def page(self, request: Request) -> Answer:
        view = View(self._world, request, moderates=False)
        found = re.fullmatch(r"/r/\w+/comments/(\w+)/\w*(?:/(\w+))?/?", request.path)
        post = view.named.get(f"t3_{found[1]}") if found else None
        focus = view.named.get(f"t1_{found[2]}") if found and found[2] else post
        if post is None or focus is None or post.gone or focus.gone:
            return pages.gone(BRAND)
        shown = pages.thread(post.live, [thing.live for thing in reversed(view.all)])
        items = [pages.Shown(live=live, depth=depth, anchor=base36(live.key)) for live, depth in shown]
        return pages.page(BRAND, f"r/{view.subreddit(post)}", items, focus.live.key)

    def _route(self, path: str, form: Mapping[str, str], view: View) -> Answer:
        match path.split("/"):
            case ["search"] | ["r", _, "search"]:
                return view.search(path.split("/")[1] if "/" in path else "")
            case ["r", place, "about", "modqueue" | "spam" as listing]:
                return view.queue(place, removed=listing == "spam")
            case ["r", place, "about"]:
                return view.about(place)
            case ["user", name, "about"]:
                return view.user(name)
            case ["message", "inbox"]:
                return view.inbox()
            case ["subreddits" | "users" as what, "search"]:
                return view.profiles(what)
            case ["r", place, "new" | "comments" as listing]:
                return view.subreddit_listing(place, posts=listing == "new")
            case ["user", name, "submitted" | "comments" as listing]:
                return view.user_listing(name, posts=listing == "submitted")
            case ["comments", post]:
                return view.tree(post)
            case ["api", "info"]:
                return view.info()
            case ["api", "morechildren"]:
                return view.more_children(form)
        return error(404, "Not Found")

    def _left(self, now: datetime) -> dict[str, str]:
        """Counts this request, and says what is left: https://support.reddithelp.com, "Reddit Data API Wiki"."""
        period, into = divmod(int(now.timestamp()), PERIOD)
        self._used = {period: self._used.get(period, 0) + 1}
        counts = {
            "used": self._used[period],
            "remaining": f"{LIMIT - self._used[period]}.0",
            "reset": PERIOD - into,
        }
        return {f"x-ratelimit-{name}": str(count) for name, count in counts.items()}


def _refuse(fault: Fault, request: Request) -> Answer:
    if fault in (Fault.RATE_LIMITED, Fault.RATE_LIMITED_BARE):
        left = {"x-ratelimit-used": "1000", "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "600"}
        return replace(error(429, "Too Many Requests"), headers=left if fault is Fault.RATE_LIMITED else {})
    if fault in (Fault.UNAUTHORISED, Fault.EXPIRED):
        return error(401, "Unauthorized")
    return error(403, "Forbidden") if fault is Fault.FORBIDDEN else error(503, "Service Unavailable")
