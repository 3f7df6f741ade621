"""A Mastodon server: its REST API and its post pages, as far as a school's account needs them.

Reference: docs.joinmastodon.org/methods, and answers recorded in August 2026. An entry's `title` is its content
warning; its category may be a visibility, "filtered" (the school's settings hold such notifications back) or
"muted" (its conversations do not show such people). What is hidden is by somebody whom the server's moderators
limited. A message is a post that only those named in it see.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.mastodon_view import KIND, View, is_public, status_id
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import World

BRAND = pages.Brand(name="Mastodon (sandbox)", colour="#6364ff")
#: What the sandbox's token may do.
SCOPES = ["read:accounts", "read:statuses", "read:notifications", "read:search"]
_NONSENSE = {"id": {"not": "an id"}, "content": ["nor"], "account": 7, "in_reply_to_id": []}


def platform(world: World, token: str) -> Platform:
    """Mastodon, telling `world` to those who bring `token`."""
    sandbox = _Mastodon(world, token)
    return Platform(
        site=KIND,
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("", "descendants", "statuses", "notification_groups"),
        nonsense=_NONSENSE,
    )


class _Mastodon:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refuse(Fault.UNAUTHORISED, request)
        answer = self._route(request.path.strip("/").split("/"), View(self._world, request))
        return replace(answer, headers={**answer.headers, **_limits(request.now, left=299)})

    def page(self, request: Request) -> Answer:
        view = View(self._world, request)
        found = re.fullmatch(r"/@\w*/(\d+)", request.path)
        focus = view.by_id.get(found[1]) if found else None
        if focus is None or focus.entry.message:
            return pages.gone(BRAND)
        shown = pages.thread(view.root(focus), [live for live in view.all if not live.entry.message])
        items = [pages.Shown(live=live, depth=depth, anchor=status_id(live)) for live, depth in shown]
        who = focus.author.name if focus.author else "Somebody"
        return pages.page(BRAND, f"{who} on Mastodon", items, focus.key)

    def _route(self, steps: Sequence[str], view: View) -> Answer:
        match steps:
            case ["api", "v1", "accounts", "verify_credentials"]:
                return view.own_account(self._world.school)
            case ["api", "v1", "apps", "verify_credentials"]:
                return json_answer({"name": "Schoolwatch", "website": None, "scopes": SCOPES, "redirect_uris": []})
            case ["api", "v1", "accounts", account, "statuses"]:
                return view.listing(lambda live: bool(live.author and live.author.id_on(KIND) == account))
            case ["api", "v1", "timelines", "tag", tag]:
                return view.listing(lambda live: is_public(live) and matches(f"#{tag}", {}, live.text))
            case ["api", "v2", "notifications"]:
                return view.notifications(self._world.school)
            case ["api", "v2", "search"]:
                return view.search()
            case ["api", "v1", "statuses", key] if key in view.by_id:
                return json_answer(view.status(view.by_id[key]))
            case ["api", "v1", "statuses", key, "context"] if key in view.by_id:
                return view.context(view.by_id[key])
        return _error(404, "Record not found")


def _limits(now: datetime, *, left: int) -> dict[str, str]:
    ends = (now + timedelta(minutes=10)).astimezone(UTC)
    reset = f"{ends:%Y-%m-%dT%H:%M:%S.%f}Z"
    return {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": reset}


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer({"error": message}, status, headers)


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.UNAUTHORISED:
            return _error(401, "The access token is invalid")
        case Fault.EXPIRED:
            return _error(401, "The access token expired")
        case Fault.FORBIDDEN:
            return _error(403, "This action is outside the authorized scopes")
        case Fault.RATE_LIMITED:
            return _error(429, "Too many requests", _limits(request.now, left=0))
        case Fault.RATE_LIMITED_BARE:
            return _error(429, "Too many requests")
    return _error(503, "There was a temporary problem serving your request, please try again")
