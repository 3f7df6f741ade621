"""What a Mastodon server shows of the world to one request of the school's account."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Live, Person, World, number

KIND = "mastodon"
VISIBILITIES = ("public", "unlisted", "private", "direct")
#: What a client may ask for at most, and what it gets where it does not ask.
MOST, USUAL = 40, 20
_HANDLE = re.compile(r"@(\w+)")


def status_id(live: Live) -> str:
    """Mastodon's kind of id: milliseconds, then 16 bits of its own. An edit keeps it."""
    return _snowflake(live.at, live.key)


class View:
    """The world's Mastodon as one request of the school's account sees it."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        self._size = min(int(request.query.get("limit", USUAL)), MOST, request.page_size)
        self.all = world.live(KIND, request.now)
        self.by_id = {status_id(live): live for live in self.all}
        self._by_key = {live.key: live for live in self.all}

    def root(self, live: Live) -> Live:
        """The topmost post that still exists."""
        parent = self._parent(live)
        return self.root(parent) if parent else live

    def listing(self, wanted: Callable[[Live], bool]) -> Answer:
        """Posts by their ids: the newest first, or with `min_id` those just above it."""
        found = {int(status_id(live)): self.status(live) for live in self.all if wanted(live)}
        return self._paged(found, lambda shown: [found[key] for key in shown])

    def notifications(self, owner: Person) -> Answer:
        """Mentions of `owner`, grouped as Mastodon 4.3 and later do: those of a mention stand alone."""
        filtered = self._request.query.get("include_filtered") == "1"
        found = {
            _notification(live): live
            for live in self.all
            if owner in self._named(live)
            and live.author != owner
            and (filtered or live.entry.category != "filtered")
        }

        def document(shown: Sequence[int]) -> Any:
            authors = {live.author.key: live.author for live in found.values() if live.author}
            return {
                "accounts": [self.account(author) for author in authors.values()],
                "statuses": [self.status(found[key]) for key in shown],
                "notification_groups": [_group(key, found[key]) for key in shown],
            }

        return self._paged(found, document)

    def own_account(self, owner: Person) -> Answer:
        own = [live for live in self.all if live.author is owner]
        last = f"{own[-1].at:%Y-%m-%d}" if own else None
        counts = {"statuses_count": len(own), "last_status_at": last}
        return json_answer(self.account(owner) | counts | {"source": {"privacy": "public"}})

    def search(self) -> Answer:
        query = self._request.query
        asked = query.get("q", "")
        if query.get("type") == "accounts":
            people = [person for person in self._world.people.values() if matches(asked, {}, person.name)]
            accounts = [self.account(person) for person in people[: self._size]]
            return json_answer({"accounts": accounts, "statuses": [], "hashtags": [], "collections": []})
        since = _moment(int(query.get("min_id", 0)))
        found = [
            live
            for live in reversed(self.all)
            if is_public(live) and matches(asked, {}, live.text) and live.at >= since
        ]
        start = int(query.get("offset", 0))
        shown = [self.status(live) for live in found[start : start + self._size]]
        return json_answer({"accounts": [], "statuses": shown, "hashtags": [], "collections": []})

    def context(self, live: Live) -> Answer:
        above: list[Live] = []
        while parent := self._parent(above[0] if above else live):
            above.insert(0, parent)
        below = [child for child, depth in pages.thread(live, self.all) if depth]
        shown = [[one for one in found if one.entry.category != "muted"] for found in (above, below)]
        ancestors, descendants = ([self.status(one) for one in found] for found in shown)
        return json_answer({"ancestors": ancestors, "descendants": descendants})

    def status(self, live: Live) -> dict[str, Any]:
        parent = self._parent(live)
        limited = {"limited": True} if live.entry.hidden else {}
        replies = [child for child in self.all if child.entry.under == live.key and is_public(child)]
        address = f"@{live.author.handle if live.author else ''}/{status_id(live)}"
        return {
            "id": status_id(live),
            "created_at": _milliseconds(live.at),
            # With its parent deleted, a reply stands alone.
            "in_reply_to_id": status_id(parent) if parent else None,
            "in_reply_to_account_id": parent.author.id_on(KIND) if parent and parent.author else None,
            "sensitive": bool(live.entry.title),
            "spoiler_text": live.entry.title,
            "visibility": _visibility(live),
            "language": "en",
            "uri": f"{self._request.site}/mastodon/{address}",
            "url": f"{self._request.site}/mastodon/{address}",
            "replies_count": len(replies) + live.entry.miscount,
            "reblogs_count": 0,
            "favourites_count": 0,
            "quotes_count": 0,
            "edited_at": _milliseconds(live.versions[-1].at) if len(live.versions) > 1 else None,
            "content": self._html(live.text),
            "filtered": [],
            "reblog": None,
            "account": self.account(live.author) | limited if live.author else None,
            "media_attachments": [
                {"id": str(number(live.key)), "type": "image", "description": live.entry.alt or None}
            ]
            if live.entry.photo
            else [],
            "mentions": [
                {"id": person.id_on(KIND), "username": person.handle, "acct": person.handle}
                for person in self._named(live)
            ],
            "tags": [],
            "emojis": [],
            "quote": None,
            "card": None,
            "poll": None,
        }

    def account(self, person: Person) -> dict[str, Any]:
        return {
            "id": person.id_on(KIND),
            "username": person.handle,
            "acct": person.handle,
            "display_name": person.name,
            "locked": False,
            "bot": False,
            "created_at": "2026-08-01T00:00:00.000Z",
            "note": f"<p>I am {escape(person.name)}.</p>",
            "url": f"{self._request.site}/mastodon/@{person.handle}",
        }

    def _paged(self, found: Mapping[int, Any], document: Callable[[Sequence[int]], Any]) -> Answer:
        query = self._request.query
        bounds = {name: int(query[name]) for name in ("max_id", "since_id", "min_id") if name in query}
        rest = [key for key in sorted(found) if key < bounds.get("max_id", key + 1)]
        rest = [key for key in rest if key > max(bounds.get("since_id", -1), bounds.get("min_id", -1))]
        page = rest[: self._size] if "min_id" in bounds else rest[-self._size :]
        shown = page[::-1]
        address = f"{self._request.site}/api/{KIND}{self._request.path}"
        link = (
            f'<{address}?max_id={shown[-1]}>; rel="next", <{address}?min_id={shown[0]}>; rel="prev"'
            if shown
            else ""
        )
        return json_answer(document(shown), headers={"Link": link} if link else {})

    def _parent(self, live: Live) -> Live | None:
        return self._by_key.get(live.entry.under or "")

    def _named(self, live: Live) -> list[Person]:
        names = {name.lower() for name in _HANDLE.findall(live.text)}
        if live.entry.message:
            above = self._parent(live)
            to = above.author if above and live.author is self._world.school else self._world.school
            names |= {to.handle.lower()} if to else set()
        return [person for person in self._world.people.values() if person.handle.lower() in names]

    def _html(self, text: str) -> str:
        """As Mastodon writes a post: paragraphs, line breaks, and links for the people of this server."""
        people = {person.handle.lower(): person for person in self._world.people.values()}

        def link(found: re.Match[str]) -> str:
            if found[1].lower() not in people:
                return found[0]
            address = f"{self._request.site}/mastodon/@{found[1]}"
            name = f'<a href="{address}" class="u-url mention">@<span>{found[1]}</span></a>'
            return f'<span class="h-card" translate="no">{name}</span>'

        paragraphs = escape(text).replace("\n\n", "</p><p>").replace("\n", "<br />")
        return f"<p>{_HANDLE.sub(link, paragraphs)}</p>" if text else ""


def _visibility(live: Live) -> str:
    category = "direct" if live.entry.message else live.entry.category
    return category if category in VISIBILITIES else "public"


def is_public(live: Live) -> bool:
    return _visibility(live) in ("public", "unlisted")


def _snowflake(moment: datetime, key: str) -> str:
    return str((int(moment.timestamp() * 1000) << 16) | (number(key) & 0xFFFF))


def _moment(key: int) -> datetime:
    return datetime.fromtimestamp((key >> 16) / 1000, UTC)


def _notification(live: Live) -> int:
    """Ids of notifications have nothing to do with those of posts; what they share is their order in time."""
    return int(live.at.timestamp() * 1000) * 1000 + number(live.key) % 1000


def _group(key: int, live: Live) -> dict[str, Any]:
    return {
        "group_key": f"ungrouped-{key}",
        "notifications_count": 1,
        "type": "mention",
        "most_recent_notification_id": key,
        "page_min_id": str(key),
        "page_max_id": str(key),
        "latest_page_notification_at": _milliseconds(live.at),
        "sample_account_ids": [live.author.id_on(KIND)] if live.author else [],
        "status_id": status_id(live),
    }


def _milliseconds(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
