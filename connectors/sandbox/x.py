"""X's API v2 and its post pages, as far as a school's accounts need them. Reference: docs.x.com/x-api."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.listings import json_listings
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Fault, Platform, Request, json_answer
from connectors.sandbox.world import Live, Person, Version, World, number
from monitor.domain.clock import format_instant, parse_instant

KIND = "x"
BRAND = pages.Brand(name="X (sandbox)", colour="#0f1419")
SEARCH_REACH = timedelta(days=7)
LOOKUP_LIMIT = 100
#: Longer posts are cut short in `text` and stand whole in `note_tweet`.
SHORT = 280
_EPOCH_MS = 1_288_834_974_657
_NOT_FOUND = "https://api.twitter.com/2/problems/resource-not-found"


def platform(world: World, token: str) -> Platform:
    """X, telling `world` to those who bring `token`."""
    sandbox = _X(world, token)
    return Platform(
        site="x",
        api=sandbox.api,
        page=sandbox.page,
        refuse=_refuse,
        listings=json_listings("data"),
        nonsense={"id": {"not": "an id"}, "text": ["nor"], "edit_history_tweet_ids": 7},
    )


def snowflake(version: Version, key: str) -> str:
    """X's kind of id: the milliseconds since its epoch, then 22 bits of its own."""
    milliseconds = int(version.at.timestamp() * 1000) - _EPOCH_MS
    return str((milliseconds << 22) | (number(key) & 0x3FFFFF))


def ids(live: Live) -> list[str]:
    """The ids of every version so far, oldest first."""
    return [snowflake(version, live.key) for version in live.versions]


class _X:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def api(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refuse(Fault.UNAUTHORISED, request)
        steps = request.path.strip("/").split("/")
        view = _View(self._world, request)
        match (request.method, steps):
            case ("GET", ["2", "users", "me"]):
                return json_answer({"data": _user(self._world.school)})
            case ("GET", ["2", "users", "by", "username", handle]):
                return view.user(lambda person: person.handle.lower() == handle.lower(), handle)
            case ("GET", ["2", "users", user, "mentions"]):
                return view.timeline([live for live in view.all if view.mentions(live, user)])
            case ("GET", ["2", "users", user, "tweets"]):
                return view.timeline([live for live in view.all if live.author and live.author.id_on(KIND) == user])
            case ("GET", ["2", "tweets", "search", "recent"]):
                return view.search()
            case ("GET", ["2", "tweets"]):
                return view.lookup(request.query.get("ids", "").split(","))
            case ("PUT", ["2", "tweets", _, "hidden"]):
                return json_answer({"data": {"hidden": bool(json.loads(request.body or b"{}").get("hidden"))}})
        return _problem(404, "Not Found")

    def page(self, request: Request) -> Answer:
        found = re.fullmatch(r"/\w+/status/(\d+)", request.path)
        view = _View(self._world, request)
        asked = found[1] if found else ""
        focus = next((live for live in view.all if asked in ids(live)), None)
        if focus is None:
            return pages.gone(BRAND)
        items = [
            pages.Shown(live=live, depth=depth, anchor=ids(live)[0])
            for live, depth in pages.thread(view.root(focus), view.all)
        ]
        who = focus.author.name if focus.author else "Somebody"
        return pages.page(BRAND, f"{who} on X", items, focus.key)


class _View:
    """The world's X as one request sees it."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        self.all = world.live(KIND, request.now)
        self._by_key = {live.key: live for live in self.all}

    def root(self, live: Live) -> Live:
        """The topmost post that still exists."""
        parent = self._by_key.get(live.entry.under or "")
        return self.root(parent) if parent else live

    def mentions(self, live: Live, user: str) -> bool:
        """Whether a post names the user or answers one of theirs; deeper replies do not always."""
        if live.author and live.author.id_on(KIND) == user:
            return False
        person = next((who for who in self._world.people.values() if who.id_on(KIND) == user), None)
        parent = self._by_key.get(live.entry.under or "")
        answers = parent is not None and parent.author is not None and parent.author.id_on(KIND) == user
        return answers or (person is not None and f"@{person.handle.lower()}" in live.text.lower())

    def user(self, wanted: Any, asked: str) -> Answer:
        person = next(filter(wanted, self._world.people.values()), None)
        if person is not None:
            return json_answer({"data": _user(person)})
        error = {
            "value": asked,
            "title": "Not Found Error",
            "type": _NOT_FOUND,
            "parameter": "username",
            "resource_type": "user",
            "resource_id": asked,
            "detail": f"Could not find user: [{asked}].",
        }
        return json_answer({"errors": [error]})

    def timeline(self, found: Sequence[Live]) -> Answer:
        return self._listing(found, smallest=5, following="pagination_token")

    def search(self) -> Answer:
        query = self._request.query
        start = query.get("start_time")
        if start and parse_instant(start) < self._request.now - SEARCH_REACH:
            return _problem(400, "Invalid Request", "'start_time' is more than 7 days ago")
        if not query.get("query"):
            return _problem(400, "Invalid Request", "'query' is empty")
        found = [live for live in self.all if matches(query["query"], self._facts(live), live.text)]
        recent = [live for live in found if live.at >= self._request.now - SEARCH_REACH]
        return self._listing(recent, smallest=10, following="next_token")

    def lookup(self, asked: Sequence[str]) -> Answer:
        """Posts by id: each asked version itself, as it was."""
        if not 1 <= len(asked) <= LOOKUP_LIMIT:
            return _problem(400, "Invalid Request", f"'ids' takes 1 to {LOOKUP_LIMIT}")
        versions = {key: (live, place) for live in self.all for place, key in enumerate(ids(live))}
        shown = [self._tweet(*versions[key]) for key in asked if key in versions]
        errors = [_missing(key, "ids") for key in asked if key not in versions]
        document: dict[str, Any] = {"data": shown} if shown else {}
        document |= self._includes([versions[key][0] for key in asked if key in versions])
        return json_answer(document | ({"errors": errors} if errors else {}))

    def _listing(self, found: Sequence[Live], *, smallest: int, following: str) -> Answer:
        query = self._request.query
        asked = int(query.get("max_results", 10))
        if not smallest <= asked <= 100:
            return _problem(400, "Invalid Request", f"'max_results' must be between {smallest} and 100")
        newest_first = sorted(found, key=lambda live: int(ids(live)[-1]), reverse=True)
        if start := query.get("start_time"):
            newest_first = [live for live in newest_first if live.versions[-1].at >= parse_instant(start)]
        if since := query.get("since_id"):
            newest_first = [live for live in newest_first if int(ids(live)[-1]) > int(since)]
        if after := query.get(following):
            last = int(base64.urlsafe_b64decode(after))
            newest_first = [live for live in newest_first if int(ids(live)[-1]) < last]
        size = min(asked, self._request.page_size)
        shown = newest_first[:size]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if shown:
            meta |= {"newest_id": ids(shown[0])[-1], "oldest_id": ids(shown[-1])[-1]}
        if len(newest_first) > size:
            meta["next_token"] = base64.urlsafe_b64encode(meta["oldest_id"].encode()).decode()
        document: dict[str, Any] = {"data": [self._tweet(live) for live in shown]} if shown else {}
        return json_answer(document | self._includes(shown) | {"meta": meta})

    def _tweet(self, live: Live, place: int = -1) -> dict[str, Any]:
        """One version of a post, with the fields that were asked for."""
        chain, version = ids(live), live.versions[place]
        parent = live.entry.under
        whole: dict[str, Any] = {
            "id": chain[place],
            "text": _escaped(version.text),
            "edit_history_tweet_ids": chain,
            "created_at": _milliseconds(version.at),
            "conversation_id": self._first_id(self._top_key(live)),
            "lang": "en",
        }
        if len(version.text) > SHORT:
            whole["text"] = _escaped(version.text[: SHORT - 1]) + "…"
            whole["note_tweet"] = {"text": _escaped(version.text)}
        if live.author:
            whole["author_id"] = live.author.id_on(KIND)
        if parent:
            whole["referenced_tweets"] = [{"type": "replied_to", "id": self._first_id(parent)}]
        if live.entry.photo:
            whole["attachments"] = {"media_keys": [_media_key(live)]}
        return {name: value for name, value in whole.items() if name in self._fields("tweet")}

    def _includes(self, shown: Sequence[Live]) -> dict[str, Any]:
        expansions = self._request.query.get("expansions", "").split(",")
        includes: dict[str, Any] = {}
        if "author_id" in expansions:
            authors = {live.author.key: live.author for live in shown if live.author}
            includes["users"] = [_user(person) for person in authors.values()]
        if "referenced_tweets.id" in expansions:
            above = [self._by_key.get(live.entry.under or "") for live in shown]
            parents = {live.key: live for live in above if live}
            includes["tweets"] = [self._tweet(parent) for parent in parents.values()]
        if "attachments.media_keys" in expansions:
            includes["media"] = [
                {"media_key": _media_key(live), "type": "photo"} for live in shown if live.entry.photo
            ]
        kept = {name: found for name, found in includes.items() if found}
        return {"includes": kept} if kept else {}

    def _fields(self, kind: str) -> set[str]:
        asked = self._request.query.get(f"{kind}.fields") or self._request.query.get("post.fields") or ""
        given = {"id", "text", "edit_history_tweet_ids", *asked.split(",")}
        if "author_id" in self._request.query.get("expansions", ""):
            given.add("author_id")
        if "attachments.media_keys" in self._request.query.get("expansions", ""):
            given.add("attachments")
        return given

    def _top_key(self, live: Live) -> str:
        """The key of the conversation's first post, deleted or not."""
        entry = live.entry
        while entry.under:
            entry = self._world.entry(entry.under)
        return entry.key

    def _first_id(self, key: str) -> str:
        entry = self._world.entry(key)
        return snowflake(Version(at=self._world.present + entry.at, text=entry.text), key)

    def _facts(self, live: Live) -> Mapping[str, str]:
        """What search operators may ask of a post."""
        parent = self._by_key.get(live.entry.under or "")
        return {
            "conversation_id": self._first_id(self._top_key(live)),
            "from": live.author.handle.lower() if live.author else "",
            "to": parent.author.handle.lower() if parent and parent.author else "",
            "is": "reply" if live.entry.under else "",
        }


def _user(person: Person) -> dict[str, str]:
    return {"id": person.id_on(KIND), "name": person.name, "username": person.handle}


def _media_key(live: Live) -> str:
    return f"3_{number(live.key)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _milliseconds(moment: datetime) -> str:
    return f"{format_instant(moment.replace(microsecond=0)).removesuffix('Z')}.000Z"


def _missing(key: str, parameter: str) -> dict[str, str]:
    return {
        "value": key,
        "detail": f"Could not find tweet with {parameter}: [{key}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": parameter,
        "resource_id": key,
        "type": _NOT_FOUND,
    }


def _problem(status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    document = {"title": title, "detail": detail or title, "type": "about:blank", "status": status}
    return json_answer(document, status, headers)


def _refuse(fault: Fault, request: Request) -> Answer:
    match fault:
        # X words both alike.
        case Fault.UNAUTHORISED | Fault.EXPIRED:
            return _problem(401, "Unauthorized")
        case Fault.FORBIDDEN:
            return _problem(403, "Forbidden")
        case Fault.RATE_LIMITED:
            reset = int((request.now + timedelta(minutes=10)).timestamp())
            return _problem(429, "Too Many Requests", headers={"x-rate-limit-reset": str(reset)})
        case Fault.RATE_LIMITED_BARE:
            return _problem(429, "Too Many Requests")
    return _problem(503, "Service Unavailable")
