"""What Reddit's API shows of the world to one request: listings, threads, moderators' queues, profiles."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Entry, Live, Person, Version, World, number

KIND = "reddit"
SUBREDDIT, ELSEWHERE, PRIVATE = "larkfield", "northvale", "staffroom"
#: How deep a tree is shown before it says "continue this thread", and how many ids one request may bring.
DEPTH, LOOKUP_LIMIT = 10, 100
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(key: str) -> str:
    """Reddit's kind of id, without the prefix that says what it names."""
    left, digits = number(key, 10), ""
    while left:
        left, digit = divmod(left, 36)
        digits = _DIGITS[digit] + digits
    return digits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thing:
    """A post, comment or message; `gone`: its words and author are not shown. `removed` by whom, "" by nobody."""

    live: Live
    id: str
    name: str
    handle: str
    gone: bool
    removed: str

    @property
    def is_post(self) -> bool:
        return self.live.entry.under is None


def _thing(live: Live, *, gone: bool = False, removed: str = "") -> _Thing:
    key, handle = base36(live.key), live.author.handle.lower() if live.author else ""
    prefix = "t4" if live.entry.message else "t1" if live.entry.under else "t3"
    return _Thing(live=live, id=key, name=f"{prefix}_{key}", handle=handle, gone=gone, removed=removed)


class View:
    """The world's Reddit as one request sees it."""

    def __init__(self, world: World, request: Request, moderates: bool) -> None:
        self._world = world
        self._request = request
        self._moderates = moderates
        living = world.live(KIND, request.now)
        self._messages = [_thing(one) for one in reversed(living) if one.entry.message]
        live = [self._seen(one) for one in living if not one.entry.message]
        shown = {one.key for one in living}
        stubs = [
            _thing(_stub(world, entry), gone=True)
            for entry in world.entries()
            if entry.platform == KIND
            and not entry.message
            and entry.key not in shown
            and world.present + entry.at <= request.now
        ]
        self.all = sorted(live + stubs, key=_order, reverse=True)
        self.named = {thing.name: thing for thing in self.all}
        self._by_key = {thing.live.key: thing for thing in self.all}
        self._under: dict[str | None, list[_Thing]] = {}
        for thing in self.all:
            self._under.setdefault(thing.live.entry.under, []).append(thing)

    def _seen(self, live: Live) -> _Thing:
        """A thing as whoever asks sees it: what was removed shows its words to moderators alone."""
        entry = live.entry
        waits = entry.approved is not None and self._request.now < self._world.present + entry.approved
        removed = "moderator" if entry.hidden else "automod_filtered" if waits else ""
        if not removed or self._moderates:
            return _thing(live, removed=removed)
        stub = _stub(self._world, replace(entry, category="removed"))
        return _thing(stub, gone=True, removed=removed)

    def subreddit(self, thing: _Thing) -> str:
        return ELSEWHERE if self._top(thing).live.entry.tags_school else SUBREDDIT

    def subreddit_listing(self, place: str, *, posts: bool) -> Answer:
        if place == PRIVATE:
            return error(403, "Forbidden", reason="private")
        if place not in (SUBREDDIT, ELSEWHERE):
            return Answer(status=302, headers={"Location": f"https://oauth.reddit.com/subreddits/search?q={place}"})
        return self._listing(
            lambda thing: self.subreddit(thing) == place and thing.is_post == posts and not thing.removed
        )

    def queue(self, place: str, *, removed: bool) -> Answer:
        """What moderators find waiting for them, or among what was removed."""
        if not self._moderates or place != SUBREDDIT:
            return error(403, "Forbidden")
        why = "moderator" if removed else "automod_filtered"
        return self._listing(lambda thing: self.subreddit(thing) == place and thing.removed == why)

    def about(self, place: str) -> Answer:
        ours = self._moderates and place == SUBREDDIT
        data = {"name": f"t5_{base36(place)}", "display_name": place, "user_is_moderator": ours}
        return json_answer({"kind": "t5", "data": data})

    def user(self, name: str) -> Answer:
        found = [person for person in self._world.people.values() if person.handle.lower() == name.lower()]
        return json_answer(_user(found[0])) if found else error(404, "Not Found")

    def inbox(self) -> Answer:
        """Private messages; an app that acts for nobody has none."""
        if not self._moderates:
            return error(403, "Forbidden")
        return json_answer(_listing(map(self._message, self._messages)))

    def profiles(self, what: str) -> Answer:
        """Subreddits or users whose name matches a search."""
        query, people = self._request.query.get("q", ""), self._world.people.values()
        if what == "users":
            found = [one for one in people if matches(query, {}, f"{one.name} {one.handle}")]
            return json_answer(_listing(map(_user, found)))
        title = f"{self._world.school.name}'s own"
        shown = [
            {"kind": "t5", "data": {"name": f"t5_{base36(SUBREDDIT)}", "display_name": SUBREDDIT, "title": title}}
        ]
        return json_answer(_listing(shown if matches(query, {}, f"{SUBREDDIT} {title}") else []))

    def user_listing(self, name: str, *, posts: bool) -> Answer:
        if name.lower() not in (person.handle.lower() for person in self._world.people.values()):
            return error(404, "Not Found")
        return self._listing(lambda thing: thing.handle == name.lower() and thing.is_post == posts)

    def search(self, place: str) -> Answer:
        query = self._request.query.get("q", "")

        def found(thing: _Thing) -> bool:
            facts = {"author": thing.handle, "subreddit": self.subreddit(thing)}
            return thing.is_post and place in ("", facts["subreddit"]) and matches(query, facts, thing.live.text)

        return self._listing(found)

    def info(self) -> Answer:
        asked = self._request.query.get("id", "").split(",")[:LOOKUP_LIMIT]
        return json_answer(_listing(self._record(self.named[name]) for name in asked if name in self.named))

    def tree(self, post: str) -> Answer:
        root = self.named.get(f"t3_{post}")
        if root is None:
            return error(404, "Not Found")
        comment = self.named.get(f"t1_{self._request.query.get('comment', '')}")
        # A comment that does not exist is passed over, and the whole thread shown.
        top = [comment] if comment and self._top(comment) is root else self._below(root)
        room = [min(int(self._request.query.get("limit", 200)), self._request.page_size)]
        shown = self._level(top, comment or root, 0, room)
        return json_answer([_listing([self._record(root)]), _listing(shown)])

    def more_children(self, form: Mapping[str, str]) -> Answer:
        asked = form.get("children", "").split(",")
        if form.get("link_id") not in self.named:
            return error(403, "Forbidden")
        if len(asked) > LOOKUP_LIMIT:
            return error(400, "Bad Request")
        things: list[Any] = []
        for thing in filter(None, (self.named.get(f"t1_{key}") for key in asked)):
            below = self._below(thing)
            things += [self._record(thing), *([_more(thing, below, 1)] if below else [])]
        return json_answer({"json": {"errors": [], "data": {"things": things}}})

    def _level(self, things: Sequence[_Thing], parent: _Thing, depth: int, room: list[int]) -> list[Any]:
        """One level of a tree and all below it, until there is no more room."""
        shown: list[Any] = []
        for place, thing in enumerate(things):
            if room[0] <= 0:
                return [*shown, _more(parent, things[place:], depth)]
            room[0] -= 1
            record, below = self._record(thing), self._below(thing)
            if below and depth + 1 >= DEPTH:
                record["data"]["replies"] = _listing([_more(thing, [], depth + 1)])
            elif below:
                record["data"]["replies"] = _listing(self._level(below, thing, depth + 1, room))
            shown.append(record)
        return shown

    def _below(self, parent: _Thing) -> list[_Thing]:
        """What answers `parent`, newest first. A stub is shown only where something hangs below it."""
        found = self._under.get(parent.live.key, [])
        return [thing for thing in found if not thing.gone or self._below(thing)]

    def _listing(self, wanted: Callable[[_Thing], bool]) -> Answer:
        query = self._request.query
        found = [thing for thing in self.all if not thing.gone and wanted(thing)]
        last = self.named.get(query.get("after", ""))
        rest = [thing for thing in found if last is None or _order(thing) < _order(last)]
        shown = rest[: min(int(query.get("limit", 25)), self._request.page_size)]
        after = shown[-1].name if len(rest) > len(shown) else None
        return json_answer(_listing((self._record(thing) for thing in shown), after))

    def _record(self, thing: _Thing) -> dict[str, Any]:
        live, place, top = thing.live, self.subreddit(thing), self._top(thing)
        end = "" if top is thing else f"{thing.id}/"
        about: dict[str, Any] = {"id": thing.id, "name": thing.name, "subreddit": place, "author": "[deleted]"}
        about["created_utc"] = live.at.timestamp()
        about["edited"] = live.versions[-1].at.timestamp() if len(live.versions) > 1 else False
        about["permalink"] = f"/r/{place}/comments/{top.id}/{_slug(top)}/{end}"
        if live.author:
            about |= {"author": live.author.handle, "author_fullname": f"t2_{base36(live.author.key)}"}
        if self._moderates and place == SUBREDDIT:
            by_whom = self._world.school.handle if thing.removed == "moderator" else bool(thing.removed) or None
            about |= {"can_mod_post": True, "removed": bool(thing.removed), "banned_by": by_whom}
        if thing.is_post:
            title, _, rest = live.text.partition("\n")
            by = "moderator" if live.entry.category == "removed" else "deleted"
            about |= {"title": title, "selftext": rest, "is_self": not live.entry.photo}
            about |= {"removed_by_category": thing.removed or (by if thing.gone else None)}
            about |= {"num_comments": self._count(thing) + live.entry.miscount}
            about |= {"post_hint": "image"} if live.entry.photo else {}
            return {"kind": "t3", "data": about}
        parent, picture = self._by_key[live.entry.under or ""], f"p{thing.id}"
        about |= {"body": live.text, "link_id": top.name, "parent_id": parent.name, "replies": ""}
        if live.entry.photo and not thing.gone:
            about["body"] += f"\n\n![img]({picture})"
            about["media_metadata"] = {picture: {"status": "valid", "e": "Image", "m": "image/png", "id": picture}}
        return {"kind": "t1", "data": about}

    def _message(self, thing: _Thing) -> dict[str, Any]:
        live = thing.live
        about = {"id": thing.id, "name": thing.name, "created_utc": live.at.timestamp(), "was_comment": False}
        about |= {"subject": live.entry.title, "body": live.text, "dest": self._world.school.handle}
        if live.author:
            about |= {"author": live.author.handle, "author_fullname": f"t2_{base36(live.author.key)}"}
        return {"kind": "t4", "data": about}

    def _count(self, thing: _Thing) -> int:
        """All that is below: what was removed is counted, what its author deleted is not."""
        below = self._under.get(thing.live.key, [])
        counted = (not one.gone or one.removed or one.live.entry.category == "removed" for one in below)
        return sum(map(bool, counted)) + sum(map(self._count, below))

    def _top(self, thing: _Thing) -> _Thing:
        return self._top(self._by_key[thing.live.entry.under]) if thing.live.entry.under else thing


def _stub(world: World, entry: Entry) -> Live:
    """What is shown of a thing that is gone: no author, no words but a post's title."""
    gone = "[removed]" if entry.category == "removed" else "[deleted]"
    words = gone if entry.under else f"{entry.text.partition(chr(10))[0]}\n{gone}"
    return Live(entry=entry, author=None, versions=(Version(at=world.present + entry.at, text=words),))


def _order(thing: _Thing) -> tuple[datetime, str]:
    return thing.live.at, thing.live.key


def _user(person: Person) -> dict[str, Any]:
    about = {"title": person.name, "public_description": ""}
    return {"kind": "t2", "data": {"id": base36(person.key), "name": person.handle, "subreddit": about}}


def _slug(thing: _Thing) -> str:
    return re.sub(r"\W+", "_", thing.live.text.lower(), flags=re.ASCII).strip("_")[:50] or "_"


def _more(parent: _Thing, things: Sequence[_Thing], depth: int) -> dict[str, Any]:
    """ "More comments" by their ids, or "continue this thread" where there are none."""
    ids = [thing.id for thing in things]
    first = ids[0] if ids else "_"
    data = {"count": len(ids), "name": f"t1_{first}", "id": first, "parent_id": parent.name, "depth": depth}
    return {"kind": "more", "data": {**data, "children": ids}}


def _listing(children: Iterable[Any], after: str | None = None) -> dict[str, Any]:
    shown = list(children)
    data = {"after": after, "before": None, "dist": len(shown), "modhash": None, "children": shown}
    return {"kind": "Listing", "data": data}


def error(status: int, message: str, **more: str) -> Answer:
    return json_answer({"message": message, "error": status, **more}, status)
