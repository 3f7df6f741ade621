"""The Graph API and Facebook's post pages, as far as a school's Page needs them.

Reference: developers.facebook.com/docs/graph-api/reference (page/feed, page/tagged, object/comments, debug_token).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox import graph, pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import Live, Person, World, number

KIND = "facebook"
BRAND = pages.Brand(name="Facebook (sandbox)", colour="#0866ff")
_DEFAULT_FIELDS = {"id", "message", "created_time", "from"}


def platform(world: World, token: str) -> Platform:
    """Facebook, telling `world` to those who bring `token`."""
    sandbox = _Facebook(world, token)
    return Platform(
        site="facebook",
        api=sandbox.api,
        page=sandbox.page,
        refuse=graph.refuse,
        listings=json_listings("data"),
        nonsense={"message": 5, "created_time": "yesterday", "from": "somebody"},
    )


class _Facebook:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._token not in (bearer, request.query.get("access_token")):
            return graph.refuse(Fault.UNAUTHORISED, request)
        version, _, rest = request.path.strip("/").partition("/")
        if not graph.VERSION.fullmatch(version):
            return graph.unknown_path()
        answer = self._route(rest.split("/"), _View(self._world, request))
        return replace(answer, headers={**answer.headers, "facebook-api-version": version})

    def page(self, request: Request) -> Answer:
        view = _View(self._world, request)
        found = re.fullmatch(r"/\d+/posts/(\d+)/?", request.path)
        post = view.numbered(found[1]) if found else None
        if post is None:
            return pages.gone(BRAND)
        asked = request.query.get("reply_comment_id") or request.query.get("comment_id")
        focus = view.numbered(asked) if asked else post
        if focus is None:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=depth, anchor=str(number(live.key)))
            for live, depth in pages.thread(post, view.all)
        ]
        return pages.page(BRAND, self._world.school.name, items, focus.key)

    def _route(self, steps: Sequence[str], view: "_View") -> Answer:
        school = self._world.school
        page_id = school.id_on(KIND)
        match steps:
            case ["debug_token"]:
                return view.debug_token()
            case [one] if one == page_id:
                return json_answer({"id": page_id, "name": school.name})
            case [one, "feed"] if one == page_id:
                return view.posts(lambda live: True)
            case [one, "tagged"] if one == page_id:
                return view.posts(lambda live: live.entry.tags_school)
            case [one, "comments"]:
                return view.comments(one)
            case [one]:
                return view.single(one)
        return graph.unknown_path()


class _View:
    """The world's Facebook as one request sees it. What stands below something deleted is gone with it."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        everything = {live.key: live for live in world.live(KIND, request.now)}
        self.all = [live for live in everything.values() if self._reachable(live, everything)]
        self._by_id = {self.id(live): live for live in self.all}

    def id(self, live: Live) -> str:
        """`<owner>_<post>` for a post, `<post>_<comment>` for everything below it."""
        owner = self._owner(live) if live.entry.under is None else str(number(self._post_key(live)))
        return f"{owner}_{number(live.key)}"

    def numbered(self, digits: str) -> Live | None:
        return next((live for live in self.all if str(number(live.key)) == digits), None)

    def posts(self, wanted: Callable[[Live], bool]) -> Answer:
        since = datetime.fromtimestamp(int(self._request.query.get("since", 0)), UTC)
        found = [live for live in self.all if live.entry.under is None and wanted(live) and live.at >= since]
        return self._listing(sorted(found, key=graph.order, reverse=True), newest_first=True)

    def comments(self, owner: str) -> Answer:
        live = self._by_id.get(owner)
        if live is None:
            return graph.missing(owner)
        below = [child for child, depth in pages.thread(live, self.all) if depth > 0]
        if self._request.query.get("filter") != "stream":
            below = [child for child in below if child.entry.under == live.key]
        answer = self._listing(sorted(below, key=graph.order), newest_first=False)
        summary = {"order": "chronological", "total_count": len(below), "can_comment": True}
        return json_answer(json.loads(answer.body) | {"summary": summary})

    def single(self, key: str) -> Answer:
        live = self._by_id.get(key)
        return json_answer(self._record(live)) if live else graph.missing(key)

    def debug_token(self) -> Answer:
        ends = int((self._request.now + timedelta(days=60)).timestamp())
        scopes = ["pages_read_engagement", "pages_read_user_content", "pages_manage_engagement"]
        data = {"is_valid": True, "type": "PAGE", "expires_at": 0, "data_access_expires_at": ends, "scopes": scopes}
        return json_answer({"data": data | {"profile_id": self._world.school.id_on(KIND)}})

    def _listing(self, ordered: Sequence[Live], *, newest_first: bool) -> Answer:
        return json_answer(graph.listing(self._request, ordered, self._record, newest_first=newest_first))

    def _record(self, live: Live) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "id": self.id(live),
            "created_time": live.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink_url": self._permalink(live),
            "is_hidden": False,
        }
        if live.text:
            whole["message"] = live.text
        if live.author:
            whole["from"] = {"id": live.author.id_on(KIND), "name": live.author.name}
        if live.entry.under:
            whole["comment_count"] = sum(child.entry.under == live.key for child in self.all)
            if parent := self._parent_comment(live):
                whole["parent"] = {"id": self.id(parent)}
            if live.entry.photo:
                whole["attachment"] = {"type": "photo"}
        elif live.entry.photo:
            whole["attachments"] = {"data": [{"media_type": "photo", "type": "photo"}]}
        asked = graph.names(self._request.query.get("fields", "")) or _DEFAULT_FIELDS
        return {name: value for name, value in whole.items() if name == "id" or name in asked}

    def _permalink(self, live: Live) -> str:
        post = self._post_key(live)
        owner = self._owner(live)
        address = f"{self._request.site}/facebook/{owner}/posts/{number(post)}"
        if live.entry.under is None:
            return address
        if parent := self._parent_comment(live):
            return f"{address}?comment_id={number(parent.key)}&reply_comment_id={number(live.key)}"
        return f"{address}?comment_id={number(live.key)}"

    def _owner(self, live: Live) -> str:
        """Whose timeline the post stands on: the school's, but for posts elsewhere that tag it."""
        top = self._world.entry(self._post_key(live))
        owner: Person = self._world.school
        if top.tags_school and top.by:
            owner = self._world.people[top.by]
        return owner.id_on(KIND)

    def _post_key(self, live: Live) -> str:
        entry = live.entry
        while entry.under:
            entry = self._world.entry(entry.under)
        return entry.key

    def _parent_comment(self, live: Live) -> Live | None:
        parent = next((other for other in self.all if other.key == live.entry.under), None)
        return parent if parent and parent.entry.under else None

    def _reachable(self, live: Live, everything: Mapping[str, Live]) -> bool:
        if live.entry.under is None:
            return True
        parent = everything.get(live.entry.under)
        return parent is not None and self._reachable(parent, everything)
