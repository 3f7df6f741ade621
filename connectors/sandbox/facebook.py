"""The Graph API and Facebook's post pages, as far as a school's Page needs them.

Reference: developers.facebook.com/docs/graph-api/reference (page/feed, page/tagged, object/comments, debug_token).
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer, with_nonsense
from connectors.sandbox.world import Live, Person, World, number

KIND = "facebook"
BRAND = pages.Brand(name="Facebook (sandbox)", colour="#0866ff")
_VERSION = re.compile(r"v\d+\.\d+")
_DEFAULT_FIELDS = {"id", "message", "created_time", "from"}


def platform(world: World, token: str) -> Platform:
    """Facebook, telling `world` to those who bring `token`."""
    sandbox = _Facebook(world, token)
    return Platform(
        site="facebook",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        poison=lambda answer: with_nonsense(
            answer, {"message": 5, "created_time": "yesterday", "from": "somebody"}
        ),
    )


class _Facebook:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._token not in (bearer, request.query.get("access_token")):
            return _refuse(Fault.UNAUTHORISED, request)
        version, _, rest = request.path.strip("/").partition("/")
        if not _VERSION.fullmatch(version):
            return _error(400, 2500, "OAuthException", "Unknown path components")
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
        return _error(400, 2500, "OAuthException", "Unknown path components")


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
        return self._listing(sorted(found, key=_order, reverse=True), newest_first=True)

    def comments(self, owner: str) -> Answer:
        live = self._by_id.get(owner)
        if live is None:
            return _missing(owner)
        below = [child for child, depth in pages.thread(live, self.all) if depth > 0]
        if self._request.query.get("filter") != "stream":
            below = [child for child in below if child.entry.under == live.key]
        answer = self._listing(sorted(below, key=_order), newest_first=False)
        summary = {"order": "chronological", "total_count": len(below), "can_comment": True}
        return json_answer(json.loads(answer.body) | {"summary": summary})

    def single(self, key: str) -> Answer:
        live = self._by_id.get(key)
        return json_answer(self._record(live)) if live else _missing(key)

    def debug_token(self) -> Answer:
        ends = int((self._request.now + timedelta(days=60)).timestamp())
        scopes = ["pages_read_engagement", "pages_read_user_content", "pages_manage_engagement"]
        data = {"is_valid": True, "type": "PAGE", "expires_at": 0, "data_access_expires_at": ends, "scopes": scopes}
        return json_answer({"data": data | {"profile_id": self._world.school.id_on(KIND)}})

    def _listing(self, ordered: Sequence[Live], *, newest_first: bool) -> Answer:
        query = self._request.query
        rest = list(ordered)
        if after := query.get("after"):
            mark = base64.urlsafe_b64decode(after).decode()
            rest = [live for live in rest if (_order(live) < mark if newest_first else _order(live) > mark)]
        size = min(int(query.get("limit", 25)), self._request.page_size)
        shown = rest[:size]
        document: dict[str, Any] = {"data": [self._record(live) for live in shown]}
        if shown:
            before, following = (_cursor(shown[0]), _cursor(shown[-1]))
            document["paging"] = {"cursors": {"before": before, "after": following}}
        if len(rest) > size:
            document["paging"]["next"] = (
                f"https://graph.facebook.com{self._request.path}?access_token=REDACTED&after={following}"
            )
        return json_answer(document)

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
        asked = _names(self._request.query.get("fields", "")) or _DEFAULT_FIELDS
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


def _order(live: Live) -> str:
    return f"{live.at.isoformat()}|{number(live.key)}"


def _cursor(live: Live) -> str:
    return base64.urlsafe_b64encode(_order(live).encode()).decode()


def _names(fields: str) -> set[str]:
    """The top names of a field list: `from{id,name},message` asks for from and message."""
    return set(re.sub(r"[{(][^{}()]*[})]", "", fields).replace(" ", "").split(",")) - {""}


def _missing(key: str) -> Answer:
    text = f"Unsupported get request. Object with ID '{key}' does not exist or cannot be loaded"
    return _error(400, 100, "GraphMethodException", text, subcode=33)


def _error(
    status: int,
    code: int,
    kind: str,
    message: str,
    *,
    subcode: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    error: dict[str, Any] = {"message": message, "type": kind, "code": code, "fbtrace_id": "Asandbox"}
    if subcode is not None:
        error["error_subcode"] = subcode
    return json_answer({"error": error}, status, headers)


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        case Fault.UNAUTHORISED:
            return _error(401, 190, "OAuthException", "Error validating access token", subcode=463)
        case Fault.FORBIDDEN:
            return _error(403, 10, "OAuthException", "(#10) This endpoint requires another permission")
        case Fault.RATE_LIMITED:
            return _error(
                400, 32, "OAuthException", "(#32) Page request limit reached", headers={"retry-after": "600"}
            )
        case Fault.RATE_LIMITED_BARE:
            return _error(400, 4, "OAuthException", "(#4) Application request limit reached")
    return _error(500, 2, "OAuthException", "An unexpected error has occurred. Please retry your request later.")
