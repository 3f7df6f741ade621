"""What YouTube's API shows of the world to one request: channels, videos, comments, and what searches find."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from connectors.sandbox import pages
from connectors.sandbox.search import matches
from connectors.sandbox.server import Answer, Request, json_answer
from connectors.sandbox.world import Live, Person, World
from monitor.domain.clock import format_instant

KIND = "youtube"
#: How many replies a thread carries at most; the others have to be listed.
CARRIED = 5
HIDDEN = {"held-for-review": "heldForReview", "likely-spam": "likelySpam"}


def channel_id(person: Person) -> str:
    """The id of a person's channel."""
    return f"UC{_digest(person.id_on(KIND))[:22]}"


class View:
    """The world's YouTube as one request sees it. What stands below something deleted is gone with it."""

    def __init__(self, world: World, request: Request, owner: bool) -> None:
        self._world = world
        self._request = request
        self._owner = owner
        self._by_key = {live.key: live for live in world.live(KIND, request.now) if not live.entry.message}
        self.all = [live for live in self._by_key.values() if self._reachable(live)]
        videos = [live for live in self.all if live.author and live.entry.under is None and self.shows(live)]
        self.videos = {video_id(live.key): live for live in videos}
        self._own = {key: live for key, live in self.videos.items() if live.author and live.author.school}

    def id(self, live: Live) -> str:
        """A video's eleven signs, a comment's 26, a reply's after its first comment's and a full stop."""
        if live.entry.under is None:
            return video_id(live.key)
        top, digest = self._top(live), _digest(live.key)
        own = f"Ug{_digest(top.key)[:17]}4AaABAg"
        return own if top is live else f"{own}.{digest[:22]}"

    def channels(self) -> Answer:
        query = self._request.query
        document: dict[str, Any] = {"kind": "youtube#channelListResponse"}
        wanted = query.get("id", "").split(",")
        found = [
            person
            for person in self._world.people.values()
            if channel_id(person) in wanted or f"@{person.handle}" == query.get("forHandle")
        ]
        # An answer without channels has no `items` either.
        if found:
            document["items"] = [self._channel(person) for person in found]
        return json_answer(document)

    def search(self) -> Answer:
        """Videos whose words match, newest first, or channels whose name does."""
        query = self._request.query
        wanted = query.get("q", "").replace("|", " OR ")
        if query.get("type") == "channel":
            people = self._world.people.values()
            found = [one for one in people if matches(wanted, {}, f"{one.name} {one.handle}")]
            items = [_hit("channel", channel_id(person)) for person in found]
            return json_answer({"kind": "youtube#searchListResponse", "items": items})
        after = query.get("publishedAfter", "")
        videos = [
            live
            for live in self.videos.values()
            if matches(wanted, {}, f"{live.entry.title} {live.text}")
            and format_instant(live.at) >= after
            and live.entry.category != "private"
        ]
        return self._listing("search", videos, lambda live: _hit("video", video_id(live.key)), 50)

    def uploads(self) -> Answer:
        if self._request.query.get("playlistId") != self._uploads_id() or not self._own:
            return error(404, "playlistNotFound", "The playlist cannot be found.")
        return self._listing("playlistItem", list(self._own.values()), self._upload, 50)

    def videos_by_id(self) -> Answer:
        asked = self._request.query.get("id", "").split(",")
        return self._listing("video", [self.videos[key] for key in asked if key in self.videos], self._video, 50)

    def threads(self) -> Answer:
        query = self._request.query
        status = query.get("moderationStatus", "published")
        if status != "published" and not self._owner:
            return error(403, "forbidden", "The request might not be properly authorized.")
        spoken = {live.key for live in self._own.values() if _can_be_discussed(live)}
        if video := query.get("videoId"):
            if video not in self.videos:
                return error(404, "videoNotFound", "The video cannot be found.")
            if not _can_be_discussed(self.videos[video]):
                return error(403, "commentsDisabled", "The video has disabled comments.")
            if status != "published" and video not in self._own:
                return error(403, "forbidden", "The request might not be properly authorized.")
            spoken = {self.videos[video].key}
        elif query.get("allThreadsRelatedToChannelId") != channel_id(self._world.school):
            return error(404, "channelNotFound", "The channel cannot be found.")
        tops = [live for live in self.all if live.entry.under in spoken]
        found = [live for live in tops if status in map(self._status, (live, *self._replies(live)))]
        if status == "published":
            found = [live for live in found if self._status(live) == status]
        return self._listing("commentThread", found, lambda live: self._thread(live, status), 100)

    def comments(self) -> Answer:
        query = self._request.query
        by_id = {self.id(live): live for live in self.all if live.entry.under and self.shows(live)}
        if "id" in query:
            asked = query["id"].split(",")
            if not by_id.keys() >= set(asked):
                return error(404, "commentNotFound", "One or more of the comments cannot be found.")
            return self._listing("comment", [by_id[key] for key in asked], self._comment_by_id, 100)
        parent = by_id.get(query.get("parentId", ""))
        if parent is None:
            return error(404, "commentNotFound", "The comment cannot be found.")
        published = [live for live in self._replies(parent) if self._status(live) == "published"]
        return self._listing("comment", published, self._comment, 100)

    def _listing(self, kind: str, found: Sequence[Live], tell: Callable[[Live], Any], most: int) -> Answer:
        query = self._request.query
        asked = int(query.get("maxResults", 20 if most == 100 else 5))
        if not 1 <= asked <= most:
            return error(400, "invalidParameter", f"Values must be within the range: [1, {most}]")
        rest = sorted(found, key=_order, reverse=True)
        if token := query.get("pageToken"):
            mark = base64.urlsafe_b64decode(token).decode()
            rest = [live for live in rest if _order(live) < mark]
        size = len(rest) if "id" in query else min(asked, self._request.page_size)
        document: dict[str, Any] = {
            "kind": f"youtube#{kind}ListResponse",
            "pageInfo": {"totalResults": len(found), "resultsPerPage": size},
            "items": [tell(live) for live in rest[:size]],
        }
        if len(rest) > size:
            document["nextPageToken"] = base64.urlsafe_b64encode(_order(rest[size - 1]).encode()).decode()
        return json_answer(document)

    def _upload(self, live: Live) -> dict[str, Any]:
        """A place in the list of uploads: `publishedAt` is when it was put there."""
        video, shown = self._video(live), format_instant(live.at)
        name, channel = video["snippet"]["channelTitle"], video["snippet"]["channelId"]
        resource = {"kind": "youtube#video", "videoId": video["id"]}
        about = {"videoOwnerChannelTitle": name, "videoOwnerChannelId": channel, "resourceId": resource}
        return {
            "kind": "youtube#playlistItem",
            "id": _digest(f"upload:{live.key}") + _digest(live.key),
            "snippet": video["snippet"] | about,
            "contentDetails": {"videoId": video["id"], "videoPublishedAt": shown},
            "status": video["status"],
        }

    def _video(self, live: Live) -> dict[str, Any]:
        title, _, description = f"{live.entry.title}\n{live.text}".strip().partition("\n")
        below = [one for one, depth in pages.thread(live, self.all) if depth and self._status(one) == "published"]
        counted = {"commentCount": str(len(below) + live.entry.miscount)} if _can_be_discussed(live) else {}
        return {
            "kind": "youtube#video",
            "id": video_id(live.key),
            "snippet": {
                "publishedAt": format_instant(live.at),
                "channelId": channel_id(live.author or self._world.school),
                "channelTitle": (live.author or self._world.school).name,
                "title": title,
                "description": description,
            },
            "status": {"privacyStatus": "private" if live.entry.category == "private" else "public"},
            "statistics": {"viewCount": "7", **counted},
        }

    def _thread(self, live: Live, status: str) -> dict[str, Any]:
        replies = [one for one in self._replies(live) if self._status(one) == status]
        about = {
            "channelId": channel_id(self._world.school),
            "videoId": video_id(live.entry.under or ""),
            "topLevelComment": self._comment(live),
            "totalReplyCount": len(replies),
        }
        thread: dict[str, Any] = {"kind": "youtube#commentThread", "id": self.id(live), "snippet": about}
        if replies:
            thread["replies"] = {"comments": [self._comment(one) for one in replies[-CARRIED:]]}
        return thread

    def _comment(self, live: Live) -> dict[str, Any]:
        top = self._top(live)
        plain = self._request.query.get("textFormat") == "plainText"
        snippet: dict[str, Any] = {
            "channelId": channel_id(self._world.school),
            "textDisplay": live.text if plain else escape(live.text).replace("\n", "<br>"),
            "authorDisplayName": f"@{live.author.handle}" if live.author else "",
            "publishedAt": format_instant(live.at),
            "updatedAt": format_instant(live.versions[-1].at),
        }
        if live.author:
            snippet["authorChannelId"] = {"value": channel_id(live.author)}
        if top is not live:
            snippet["parentId"] = self.id(top)
        if live.entry.photo:
            snippet["imageUrl"] = f"{self._request.site}/youtube/image/{_digest(live.key)[:8]}"
        if self._owner:
            snippet |= {"textOriginal": live.text, "moderationStatus": self._status(live)}
        return {"kind": "youtube#comment", "id": self.id(live), "snippet": snippet}

    def _comment_by_id(self, live: Live) -> dict[str, Any]:
        """A comment that was asked for by its id: YouTube then does not tell its moderation status."""
        comment = self._comment(live)
        comment["snippet"].pop("moderationStatus", None)
        return comment

    def _channel(self, person: Person) -> dict[str, Any]:
        lists = {"relatedPlaylists": {"likes": "", "uploads": f"UU{channel_id(person)[2:]}"}}
        about = {"title": person.name, "description": "", "customUrl": f"@{person.handle}"}
        return {
            "kind": "youtube#channel",
            "id": channel_id(person),
            "snippet": about,
            "contentDetails": lists,
        }

    def _replies(self, top: Live) -> list[Live]:
        """Everything below a first comment, oldest first."""
        below = [one for one in self.all if one is not top and one.entry.under and self._top(one) is top]
        return sorted(below, key=_order)

    def _top(self, live: Live) -> Live:
        """The first comment above (or at) a comment. A reply in between may be deleted: it stays where it was."""
        entry = live.entry
        while entry.under and self._world.entry(entry.under).under:
            entry = self._world.entry(entry.under)
        return self._by_key.get(entry.key, live)

    def _reachable(self, live: Live) -> bool:
        """Whether the first comment and the video still exist."""
        video = self._by_key.get(self._top(live).entry.under or live.key)
        return video is not None and video.entry.under is None

    def shows(self, live: Live) -> bool:
        """Whether whoever asks may see it."""
        return self._owner or (self._status(live) == "published" and live.entry.category != "private")

    def _status(self, live: Live) -> str:
        entry = live.entry
        if entry.hidden:
            return "rejected"
        if entry.approved is not None and self._request.now < self._world.present + entry.approved:
            return "heldForReview"
        return HIDDEN.get(entry.category, "published")

    def _uploads_id(self) -> str:
        return f"UU{channel_id(self._world.school)[2:]}"


def video_id(key: str) -> str:
    """The id of the video that an entry is."""
    return _digest(key)[:11]


def _can_be_discussed(video: Live) -> bool:
    return video.entry.category != "comments-disabled"


def _hit(kind: str, key: str) -> dict[str, Any]:
    """What a search found; the words that it shows are shortened and escaped, and left out here."""
    return {"kind": "youtube#searchResult", "id": {"kind": f"youtube#{kind}", f"{kind}Id": key}}


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{KIND}:{text}".encode()).digest()).decode().rstrip("=")


def _order(live: Live) -> str:
    return f"{live.at.isoformat()}|{live.key}"


def error(status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    one = {"message": message, "domain": "global", "reason": reason}
    return json_answer({"error": {"code": status, "message": message, "errors": [one]}}, status, headers)
