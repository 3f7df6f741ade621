"""The Graph API and Instagram's post pages, as far as a school's professional account needs them.

Reference: developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference (ig-user/media and /tags,
ig-media/comments, ig-comment/replies).
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.sandbox import graph, pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import Live, Person, World, number

KIND = "instagram"
BRAND = pages.Brand(name="Instagram (sandbox)", colour="#c13584")
#: What is told of comments where no fields are asked for, as in the recordings; of posts, the id alone.
_DEFAULT_FIELDS = {"id", "text", "timestamp"}
_COMMENTS_A_PAGE = 50


def platform(world: World, token: str) -> Platform:
    """Instagram, telling `world` to those who bring `token`."""
    sandbox = _Instagram(world, token)
    return Platform(
        site="instagram",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("data"),
        nonsense={"text": 5, "timestamp": "yesterday", "from": "somebody"},
    )


class _Instagram:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._token not in (bearer, request.query.get("access_token")):
            return _refuse(Fault.UNAUTHORISED, request)
        version, _, rest = request.path.strip("/").partition("/")
        if not graph.VERSION.fullmatch(version):
            return graph.unknown_path()
        answer = self._route(rest.split("/"), _View(self._world, request))
        usage = json.dumps({"call_count": 1, "total_cputime": 0, "total_time": 1})
        return replace(answer, headers={**answer.headers, "facebook-api-version": version, "x-app-usage": usage})

    def page(self, request: Request) -> Answer:
        """`/p/<post>/`, and below it `c/<comment>/` and `r/<reply>/`."""
        view = _View(self._world, request)
        found = re.fullmatch(r"/p/([\w-]+)/(?:c/(\d+)/)?(?:r/(\d+)/)?", request.path)
        post = next((live for live in view.all if found and shortcode(live) == found[1]), None)
        if found is None or post is None:
            return pages.gone(BRAND)
        asked = found[3] or found[2]
        focus = view.by_id.get(asked) if asked else post
        if focus is None:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=min(depth, 2), anchor=media_id(live))
            for live, depth in pages.thread(post, view.all)
        ]
        return pages.page(BRAND, f"{self._world.school.name} on Instagram", items, focus.key)

    def _route(self, steps: Sequence[str], view: "_View") -> Answer:
        school = self._world.school
        user = school.id_on(KIND)
        match steps:
            case [one] if one == user:
                return json_answer({"id": user, "username": school.handle})
            case [one, "media"] if one == user:
                return view.posts(tags=False)
            case [one, "tags"] if one == user:
                return view.posts(tags=True)
            case [one, "media" | "tags"]:
                return graph.missing(one)
            case [one, "comments" | "replies" as edge]:
                return view.below(one, edge)
            case [one]:
                return view.single(one)
        return graph.unknown_path()


class _View:
    """The world's Instagram as one request sees it. What stands below something deleted is gone with it."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        everything = {live.key: live for live in world.live(KIND, request.now)}
        self.all = [live for live in everything.values() if self._reachable(live, everything)]
        self.by_id = {media_id(live): live for live in self.all}

    def posts(self, *, tags: bool) -> Answer:
        """The school's posts, or others' that tag it: these come without `paging.next`, as the real ones do."""
        top = [live for live in self.all if live.entry.under is None and live.entry.tags_school is tags]
        document = graph.listing(
            self._request, sorted(top, key=graph.order, reverse=True), self._record, newest_first=True
        )
        if tags:
            document.get("paging", {}).pop("next", None)
        return json_answer(document)

    def below(self, owner: str, edge: str) -> Answer:
        """A post's top-level comments, or a comment's replies; newest first."""
        live = self.by_id.get(owner)
        if live is None or (live.entry.under is None) is not (edge == "comments"):
            return graph.missing(owner)
        if not self._is_ours(live):
            return graph.error(400, 10, "OAuthException", "(#10) Application does not have permission for this")
        found = self._replies(live) if edge == "replies" else self._children(live)
        capped = replace(self._request, page_size=min(self._request.page_size, _COMMENTS_A_PAGE))
        ordered = sorted(found, key=graph.order, reverse=True)
        return json_answer(graph.listing(capped, ordered, self._record, newest_first=True))

    def single(self, key: str) -> Answer:
        """One record: of somebody else's post Graph says that it does not exist, though it tags the school."""
        live = self.by_id.get(key)
        return json_answer(self._record(live)) if live and self._is_ours(live) else graph.missing(key)

    def _record(self, live: Live) -> dict[str, Any]:
        whole = self._post(live) if live.entry.under is None else self._comment(live)
        default = {"id"} if live.entry.under is None else _DEFAULT_FIELDS
        asked = graph.names(self._request.query.get("fields", "")) or default
        return {name: value for name, value in whole.items() if name == "id" or name in asked}

    def _post(self, live: Live) -> dict[str, Any]:
        below = [child for child, depth in pages.thread(live, self.all) if depth > 0]
        whole: dict[str, Any] = {
            "id": media_id(live),
            "timestamp": _time(live),
            "permalink": f"{self._request.site}/instagram/p/{shortcode(live)}/",
            "media_type": "IMAGE",
            "media_product_type": "FEED",
            "comments_count": len(below),
            "is_comment_enabled": True,
        }
        if live.text:
            whole["caption"] = live.text
        if live.author:
            whole["username"] = live.author.handle
            if live.author.school:
                whole["owner"] = {"id": live.author.id_on(KIND)}
        return whole

    def _comment(self, live: Live) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "id": media_id(live),
            "timestamp": _time(live),
            "text": live.text,
            "hidden": False,
            "like_count": 0,
        }
        if live.author:
            whole["username"] = live.author.handle
            whole["from"] = {"id": live.author.id_on(KIND), "username": live.author.handle}
        top = self._top_comment(live)
        if top is not live:
            whole["parent_id"] = media_id(top)
        elif replies := self._replies(live):
            whole["replies"] = {"data": [{"id": media_id(reply)} for reply in replies[:1]]}
        return whole

    def _children(self, live: Live) -> list[Live]:
        return [child for child in self.all if child.entry.under == live.key]

    def _replies(self, comment: Live) -> list[Live]:
        """All below a comment: an answer to a reply becomes one more reply to the comment."""
        if self._top_comment(comment) is not comment:
            return []
        return [child for child, depth in pages.thread(comment, self.all) if depth > 0]

    def _top_comment(self, live: Live) -> Live:
        above = next((other for other in self.all if other.key == live.entry.under), None)
        return live if above is None or above.entry.under is None else self._top_comment(above)

    def _is_ours(self, live: Live) -> bool:
        """Whether it stands on the school's account."""
        entry = live.entry
        while entry.under:
            entry = self._world.entry(entry.under)
        author: Person | None = self._world.people[entry.by] if entry.by else None
        return author is not None and author.school and not entry.tags_school

    def _reachable(self, live: Live, everything: Mapping[str, Live]) -> bool:
        if live.entry.under is None:
            return True
        parent = everything.get(live.entry.under)
        return parent is not None and self._reachable(parent, everything)


def media_id(live: Live) -> str:
    """Instagram's kind of id for posts and comments alike."""
    return f"17{number(live.key)}"


def shortcode(live: Live) -> str:
    """What a post is called in its address."""
    return base64.urlsafe_b64encode(number(live.key).to_bytes(7)).decode().rstrip("=")


def _time(live: Live) -> str:
    return live.at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _refuse(fault: Fault, request: Request) -> Answer:
    """As Graph does, but for limits: those of Instagram come with the minutes to wait, where they come with any."""
    text = "(#4) Application request limit reached"
    full = {"call_count": 100, "total_cputime": 25, "total_time": 25}
    if fault is Fault.RATE_LIMITED:
        told = {"17841400000000000": [{"type": "instagram", **full, "estimated_time_to_regain_access": 10}]}
        headers = {"x-business-use-case-usage": json.dumps(told)}
        return graph.error(400, 80002, "OAuthException", text, headers=headers)
    if fault is Fault.RATE_LIMITED_BARE:
        return graph.error(400, 4, "OAuthException", text, headers={"x-app-usage": json.dumps(full)})
    return graph.refuse(fault, request)
