"""The Graph API and Facebook's post pages, as far as a school's Page needs them.

Reference: developers.facebook.com/docs/graph-api/reference (page/feed, page/tagged, object/comments).
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox import graph, pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.server import Answer, Platform, Request, json_answer
from connectors.sandbox.world import Live, Person, World, number

KIND = "facebook"
BRAND = pages.Brand(name="Facebook (sandbox)", colour="#0866ff")
_DEFAULT_FIELDS = {"id", "message", "created_time", "from"}
_SCOPES = (
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_engagement",
    "pages_messaging",
    "pages_manage_metadata",
)


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
        return graph.api(self._token, request, self._route)

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

    def _route(self, steps: Sequence[str], request: Request) -> Answer:
        school, view = self._world.school, _View(self._world, request)
        page_id = school.id_on(KIND)
        match steps:
            case ["debug_token"]:
                return graph.debug_token(request, self._token, _SCOPES, page_id)
            case ["pages", "search"]:
                return view.pages()
            case [one] if one == page_id:
                return json_answer({"id": page_id, "name": school.name})
            case [one, "feed"] if one == page_id:
                return view.posts(lambda live: True)
            case [one, "tagged"] if one == page_id:
                return view.posts(lambda live: live.entry.tags_school)
            case [one, "conversations"] if one == page_id:
                return view.conversations("messenger", linked=True)
            case [one, "messages"]:
                return view.messages(KIND, one)
            case [one, "comments"]:
                return view.comments(one)
            case [one]:
                return view.conversation(one, linked=True) or view.single(one)
        return graph.unknown_path()


class _View(graph.View):
    def __init__(self, world: World, request: Request) -> None:
        super().__init__(world, KIND, request)
        self._by_id = {self.id(live): live for live in self.all}

    def id(self, live: Live) -> str:
        """`<owner>_<post>` for a post, `<post>_<comment>` for everything below it."""
        owner = self._owner(live) if live.entry.under is None else str(number(self.top(live).key))
        return f"{owner}_{number(live.key)}"

    def numbered(self, digits: str) -> Live | None:
        return next((live for live in self.all if str(number(live.key)) == digits), None)

    def posts(self, wanted: Callable[[Live], bool]) -> Answer:
        since = datetime.fromtimestamp(int(self.request.query.get("since", 0)), UTC)
        found = [live for live in self.all if live.entry.under is None and wanted(live) and live.at >= since]
        return self._listing(sorted(found, key=graph.order, reverse=True), newest_first=True)

    def comments(self, owner: str) -> Answer:
        live = self._by_id.get(owner)
        if live is None:
            return graph.missing(owner)
        below = self.below(live) if self.request.query.get("filter") == "stream" else self.children(live)
        answer = self._listing(sorted(below, key=graph.order), newest_first=False)
        return json_answer(json.loads(answer.body) | {"summary": _summary(live, len(below))})

    def single(self, key: str) -> Answer:
        live = self._by_id.get(key)
        return json_answer(self._record(live)) if live else graph.missing(key)

    def pages(self) -> Answer:
        """Pages whose name holds what is asked for."""
        asked = self.request.query.get("q", "").casefold()
        found = [person for person in self.world.people.values() if asked in person.name.casefold()]
        site = self.request.site
        return json_answer(
            {
                "data": [
                    {"id": each.id_on(KIND), "name": each.name, "link": f"{site}/facebook/{each.handle}"}
                    for each in found
                ]
            }
        )

    def _listing(self, ordered: Sequence[Live], *, newest_first: bool) -> Answer:
        return json_answer(self.listing(ordered, self._record, newest_first=newest_first))

    def _record(self, live: Live) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "id": self.id(live),
            "created_time": graph.told_time(live),
            "permalink_url": self._permalink(live),
            "is_hidden": live.entry.hidden,
        }
        if live.text:
            whole["message"] = live.text
        if live.author:
            whole["from"] = {"id": live.author.id_on(KIND), "name": live.author.name}
        if live.entry.under:
            whole["comment_count"] = len(self.children(live))
            if parent := self._parent_comment(live):
                whole["parent"] = {"id": self.id(parent)}
            if live.entry.photo:
                whole["attachment"] = {"type": "photo"}
        else:
            whole["comments"] = {"data": [], "summary": _summary(live, len(self.below(live)))}
            if live.entry.photo:
                whole["attachments"] = {"data": [{"media_type": "photo", "type": "photo"}]}
        asked = graph.names(self.request.query.get("fields", "")) or _DEFAULT_FIELDS
        return {name: value for name, value in whole.items() if name == "id" or name in asked}

    def _permalink(self, live: Live) -> str:
        post = self.top(live).key
        owner = self._owner(live)
        address = f"{self.request.site}/facebook/{owner}/posts/{number(post)}"
        if live.entry.under is None:
            return address
        if parent := self._parent_comment(live):
            return f"{address}?comment_id={number(parent.key)}&reply_comment_id={number(live.key)}"
        return f"{address}?comment_id={number(live.key)}"

    def _owner(self, live: Live) -> str:
        """Whose timeline the post stands on: the school's, but for posts elsewhere that tag it."""
        top = self.top(live).entry
        owner: Person = self.world.school
        if top.tags_school and top.by:
            owner = self.world.people[top.by]
        return owner.id_on(KIND)

    def _parent_comment(self, live: Live) -> Live | None:
        parent = self.above(live)
        return parent if parent and parent.entry.under else None


def _summary(live: Live, below: int) -> dict[str, Any]:
    """What is told beside the `below` comments of a post, or replies to a comment."""
    return {"order": "chronological", "total_count": max(0, below + live.entry.miscount), "can_comment": True}
