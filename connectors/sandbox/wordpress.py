"""A school's WordPress site: its REST API, its two Atom feeds and its post pages.

Reference: developer.wordpress.org/rest-api/reference (posts, comments), and answers recorded from WordPress 6.1.
Visitors see what is approved; whoever signs in with the application password moderates.
"""

import base64
import binascii
import re

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Fault, Platform, Request, not_found
from connectors.sandbox.wordpress_view import View, error
from connectors.sandbox.world import World, number

BRAND = pages.Brand(name="Larkfield School (sandbox)", colour="#7a2e3b")
_ROUTE = re.compile(r"/wp/v2/(posts|pages|comments)(?:/(\d+))?")
_NONSENSE = {"id": {"not": "a number"}, "date_gmt": 7, "content": "words", "author": ["nobody"]}


def platform(world: World, token: str) -> Platform:
    """The site, telling `world` to visitors, and more to those who bring `token` as an application password."""
    sandbox = _Site(world, token)
    return Platform(
        site="school",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings(""),
        nonsense=_NONSENSE,
    )


class _Site:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        password = _password(request)
        if password not in (None, self._token):
            return _refuse(Fault.UNAUTHORISED, request)
        view = View(self._world, request, moderates=password is not None)
        if request.path == "/" and "feed" in request.query:
            return view.feed(request.query["feed"])
        path = request.query.get("rest_route", "") if request.path == "/" else request.path.removeprefix("/wp-json")
        if path == request.path:
            return not_found()
        if path == "/wp/v2/users/me":
            return view.me()
        found = _ROUTE.fullmatch(path)
        if found is None:
            return error(404, "rest_no_route", "No route was found matching the URL and request method.")
        kind, key = found[1], found[2]
        if kind == "comments":
            return view.comment(key) if key else view.comments()
        # There are no pages, such as "Contact", in the world.
        return view.post(key if kind == "posts" else "0") if key else view.posts(any_at_all=kind == "posts")

    def page(self, request: Request) -> Answer:
        view = View(self._world, request, moderates=True)
        found = re.fullmatch(r"/(\d+)/?", request.path)
        post = view.by_number.get(found[1]) if found else None
        if post is None or post.entry.under:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=depth, anchor=f"comment-{number(live.key)}")
            for live, depth in pages.thread(post, view.all)
        ]
        return pages.page(BRAND, post.entry.title or BRAND.name, items, post.key)


def _password(request: Request) -> str | None:
    """The password of Basic authentication; "" for one that cannot be read, None for a visitor."""
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    try:
        return base64.b64decode(packed).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refuse(fault: Fault, request: Request) -> Answer:
    known = _password(request) is not None
    match fault:
        case Fault.UNAUTHORISED | Fault.EXPIRED if known:
            return error(401, "incorrect_password", "The provided password is an invalid application password.")
        case Fault.UNAUTHORISED | Fault.EXPIRED:
            # What plug-ins say that keep the REST API for those who are signed in.
            return error(401, "rest_not_logged_in", "You are not currently logged in.")
        case Fault.FORBIDDEN if known:
            return error(403, "rest_forbidden_context", "Sorry, you are not allowed to edit comments.")
        case Fault.FORBIDDEN:
            return error(403, "rest_disabled", "The REST API has been disabled on this site.")
        case Fault.RATE_LIMITED:
            return error(429, "too_many_requests", "Too many requests.", {"Retry-After": "600"})
        case Fault.RATE_LIMITED_BARE:
            return error(429, "too_many_requests", "Too many requests.")
    return error(500, "internal_server_error", "There has been a critical error on this website.")
