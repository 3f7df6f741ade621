"""What Bluesky shows of the world to one request: feeds, threads, notifications, finds of a search."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.sandbox.bluesky_records import KIND, cid, did, did_of, error, handle, paged, profile, tid, time
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Entry, Live, World
from monitor.domain.clock import parse_instant

#: A reply this soon after what it answers is not notified.
TOO_SOON = timedelta(minutes=1)
#: Replies are notified to this many authors above them.
ABOVE = 5
LOOKUP_LIMIT = 25
#: A search goes no further than so many finds.
SEARCH_REACH = 10_000
POST = "app.bsky.feed.post"


class View:
    """The world's Bluesky as one request sees it. What answers something deleted is there, but in no thread."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._request = request
        self.all = [live for live in world.live(KIND, request.now) if not live.entry.message]
        self._by_key = {live.key: live for live in self.all}
        self._below: dict[str, list[Live]] = {}
        for live in self.all:
            self._below.setdefault(live.entry.under or "", []).append(live)

    @cached_property
    def by_uri(self) -> Mapping[str, Live]:
        return {self.uri(live.entry): live for live in self.all}

    def uri(self, entry: Entry) -> str:
        author = did(self._world.people[entry.by]) if entry.by else did_of(entry.key)
        microseconds = int((self._world.present + entry.at).timestamp() * 1_000_000)
        return f"at://{author}/{POST}/{tid(microseconds, entry.key)}"

    def top(self, live: Live) -> Live:
        """The topmost post that still exists."""
        above = self._by_key.get(live.entry.under or "")
        return self.top(above) if above else live

    def author_feed(self) -> Answer:
        asked = self._request.query.get("actor", "")
        own = [live for live in self.all if live.author and asked in (did(live.author), handle(live.author))]
        return self._listing("feed", own, lambda live: {"post": self._post(live)}, self._mark)

    def search(self) -> Answer:
        query = self._request.query.get("q", "")
        if not query:
            return error(400, "InvalidRequest", 'Error: Params must have the property "q"')
        bounds = [self._request.query.get(name, "") for name in ("since", "until")]
        since, until = (parse_instant(bound) if bound else None for bound in bounds)
        named = self._request.query.get("mentions")
        found = [
            live
            for live in self.all
            if (matches(query, {}, live.text) or (named and self._names_school(live)))
            and (since is None or self.sorted_at(live) >= since)
            and (until is None or self.sorted_at(live) < until)
        ]
        latest = sorted(found, key=self._mark)[-SEARCH_REACH:]
        return self._listing("posts", latest, self._post, self._mark)

    def own_profile(self) -> Answer:
        school = self._world.school
        own = [live for live in self.all if live.author is school]
        return json_answer(profile(school) | {"description": "", "postsCount": len(own)})

    def actors(self) -> Answer:
        people = [
            one for one in self._world.people.values() if matches(self._request.query.get("q", ""), {}, one.name)
        ]
        return json_answer({"actors": [profile(one) | {"description": f"I am {one.name}."} for one in people]})

    def notifications(self) -> Answer:
        wanted = self._request.repeated.get("reasons")
        reasons = {live.key: self._reason(live) for live in self.all}
        found = [live for live in self.all if reasons[live.key] and (not wanted or reasons[live.key] in wanted)]

        def entry(live: Live) -> dict[str, Any]:
            shown = ("uri", "cid", "author", "record", "indexedAt", "labels")
            kept = {name: value for name, value in self._post(live).items() if name in shown}
            about = self._answered(live) if reasons[live.key] == "reply" else None
            subject = {"reasonSubject": self.uri(about.entry)} if about else {}
            return {**kept, "reason": reasons[live.key], **subject, "isRead": False}

        rest = {"priority": False, "seenAt": time(self._request.now)}
        return self._listing("notifications", found, entry, lambda live: time(self.sorted_at(live)), rest)

    def posts(self) -> Answer:
        uris = self._request.repeated.get("uris", [])
        if not 1 <= len(uris) <= LOOKUP_LIMIT:
            return error(400, "InvalidRequest", f"Error: uris must not have more than {LOOKUP_LIMIT} elements")
        return json_answer({"posts": [self._post(self.by_uri[uri]) for uri in uris if uri in self.by_uri]})

    def thread(self) -> Answer:
        uri = self._request.query.get("uri", "")
        live = self.by_uri.get(uri)
        if live is None:
            return error(400, "NotFound", f"Post not found: {uri}")
        depth = min(int(self._request.query.get("depth", 6)), self._request.page_size)
        return json_answer({"thread": self._node(live, depth)})

    def sorted_at(self, live: Live) -> datetime:
        """The date by which Bluesky sorts: the author's, unless the post arrived before it."""
        return min(self._claimed(live), live.at)

    def _node(self, live: Live, depth: int) -> dict[str, Any]:
        node: dict[str, Any] = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._post(live)}
        node["threadContext"] = {}
        if depth > 0:
            node["replies"] = [self._node(child, depth - 1) for child in self._below.get(live.key, ())]
        return node

    def _listing(
        self,
        name: str,
        found: Iterable[Live],
        show: Callable[[Live], dict[str, Any]],
        mark: Callable[[Live], str],
        rest: Mapping[str, Any] | None = None,
    ) -> Answer:
        """A page of `found`, the latest first; the cursor is the `mark` of the last entry."""
        by_key = sorted(found, key=lambda live: live.key)
        return paged(self._request, name, [(mark(live), live) for live in by_key], show, rest)

    def _post(self, live: Live) -> dict[str, Any]:
        counts = dict.fromkeys(("bookmarkCount", "repostCount", "likeCount", "quoteCount"), 0)
        view: dict[str, Any] = {
            "uri": self.uri(live.entry),
            "cid": cid(f"{live.key} {live.text}"),
            "record": self._record(live),
            "replyCount": len(self._below.get(live.key, ())) + live.entry.miscount,
            **counts,
            "indexedAt": time(self.sorted_at(live)),
            "viewer": {"bookmarked": False, "threadMuted": False, "embeddingDisabled": False},
            "labels": [],
        }
        if live.author:
            view["author"] = profile(live.author)
        replies = [] if live.entry.under else [reply for reply in self.all if reply.entry.hidden]
        if hidden := [self.uri(reply.entry) for reply in replies if self.top(reply) is live]:
            gate = view["uri"].replace(POST, "app.bsky.feed.threadgate")
            record = {"$type": "app.bsky.feed.threadgate", "post": view["uri"], "hiddenReplies": hidden}
            record["createdAt"] = time(live.at)
            view["threadgate"] = {"uri": gate, "cid": cid(gate), "record": record, "lists": []}
        return view

    def _record(self, live: Live) -> dict[str, Any]:
        record: dict[str, Any] = {"$type": POST, "text": live.text, "langs": ["en"]}
        record["createdAt"] = time(self._claimed(live))
        if live.entry.under:
            above = {"parent": self._world.entry(live.entry.under), "root": self._first(live.entry)}
            record["reply"] = {
                place: {"uri": self.uri(entry), "cid": cid(f"{entry.key} {entry.text}")}
                for place, entry in above.items()
            }
        if live.entry.photo:
            image = {"$type": "blob", "ref": {"$link": cid(f"{live.key} photo")}, "mimeType": "image/jpeg"}
            record["embed"] = {
                "$type": "app.bsky.embed.images",
                "images": [{"alt": live.entry.alt, "image": image}],
            }
        if self._names_school(live):
            name = f"@{self._world.school.handle}".lower()
            start = len(live.text[: live.text.lower().index(name)].encode("utf-8", "replace"))
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": did(self._world.school)}
            index = {"byteStart": start, "byteEnd": start + len(name)}
            record["facets"] = [{"$type": "app.bsky.richtext.facet", "index": index, "features": [feature]}]
        return record

    def _reason(self, live: Live) -> str:
        """Why the school is told of a post, "" where it is not."""
        if live.author is self._world.school:
            return ""
        if self._names_school(live):
            return "mention"
        above = self._by_key.get(live.entry.under or "")
        too_soon = above is not None and live.at - above.at <= TOO_SOON
        return "reply" if self._answered(live) and not too_soon and not live.entry.hidden else ""

    def _answered(self, live: Live) -> Live | None:
        """The nearest post of the school's above a reply."""
        above: Live | None = live
        for _ in range(ABOVE):
            above = self._by_key.get(above.entry.under or "") if above else None
            if above and above.author is self._world.school:
                return above
        return None

    def _mark(self, live: Live) -> str:
        milliseconds = int(self.sorted_at(live).timestamp() * 1000)
        return f"{milliseconds}__{cid(f'{live.key} {live.text}')}"

    def _names_school(self, live: Live) -> bool:
        return f"@{self._world.school.handle}".lower() in live.text.lower()

    def _claimed(self, live: Live) -> datetime:
        return live.at if live.entry.dated is None else self._world.present + live.entry.dated

    def _first(self, entry: Entry) -> Entry:
        """The conversation's first post, deleted or not."""
        return self._first(self._world.entry(entry.under)) if entry.under else entry
