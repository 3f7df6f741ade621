"""The way to the end of what was said on a channel or below a video, and to videos and comments by their ids."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from connectors._fields import dig, mappings, text
from connectors._youtube import VIDEO, Reader, before, video_id
from connectors._youtube_http import Absent, Listing
from monitor.domain.errors import SourceError
from monitor.domain.item import Item, Raw, Reject

#: How often replies are listed whose number has not changed.
REPLIES_EVERY = timedelta(hours=1)
#: Ids in one look-up: the library turns a longer URL into a POST.
VIDEO_BATCH, COMMENT_BATCH = 50, 25
_WORDS: dict[str, Any] = {"maxResults": 100, "textFormat": "plainText"}

#: Threads whose replies were listed apart: how many there were, and when.
Replies = dict[str, tuple[int, datetime]]


def threads(
    ask: Listing, since: datetime | None, *, owner: bool, counted: int, which: Mapping[str, str]
) -> Iterator[list[Any]]:
    """Threads, newest first, until a whole page was last touched before `since`; what is held back apart.

    Raises SourceError where the newest published ones are not shown although YouTube has `counted` some.
    """
    for status in (None, "heldForReview", "likelySpam") if owner else (None,):
        params = {"part": "snippet,replies", "order": "time", "moderationStatus": status, **_WORDS, **which}
        expected = counted if status is None else 0
        for found in ask("commentThreads", **params):
            if expected and not found:
                none = f"YouTube answered, but showed none of the {expected} comments it counts"
                raise SourceError(f"{none}; trying again at the next poll")
            expected = 0
            yield found
            if found and all(before(since, dig(one, "snippet", "topLevelComment")) for one in found):
                break


def thread(
    ask: Listing,
    reader: Reader,
    record: Any,
    replies: Replies,
    now: datetime,
    since: datetime | None = None,
    video: str = "",
) -> list[Item | Reject]:
    """A thread's first comment and its replies, [] where nothing was said in it since then.

    `replies` remembers what was listed apart.
    """
    key, top = text(record, "id"), dig(record, "snippet", "topLevelComment")
    video = text(record, "snippet", "videoId") or video
    carried = dig(record, "replies", "comments")
    below = carried if isinstance(carried, list) else []
    total = dig(record, "snippet", "totalReplyCount")
    if key and isinstance(total, int) and total > len(below):
        many, at = replies.get(key, (-1, now))
        if many != total or now - at >= REPLIES_EVERY:
            replies[key] = (total, now)
            with suppress(Absent):
                for listed in ask("comments", parentId=key, part="snippet", **_WORDS):
                    below = [*below, *listed]
    if all(before(since, one) for one in (top, *below)):
        return []
    first = reader.comment(top, video) if top else Reject(raw=record, reason="the thread has no first comment")
    return [first, *(reader.comment(reply, video, key) for reply in below)]


def look_up(ask: Listing, ids: list[str], listed: str) -> list[Raw]:
    """Comments by id. One that is missing may cost the whole request: then each half is asked for.

    With them goes one that was `listed` just now, if any was. Raises SourceError for an answer without it.
    """
    try:
        wanted = ",".join(filter(None, [*ids, listed]))
        found = mappings(next(ask("comments", id=wanted, part="snippet", textFormat="plainText")))
    except Absent:
        half = len(ids) // 2
        return [*look_up(ask, ids[:half], listed), *look_up(ask, ids[half:], listed)] if half else []
    if listed and listed not in {text(record, "id") for record in found}:
        raise SourceError("YouTube did not show a comment that is there; trying again at the next poll")
    return [record for record in found if text(record, "id") != listed]


def look_up_videos(ask: Listing, keys: Iterable[str], part: str = "snippet,status,statistics") -> list[Any]:
    """The records of videos by id, with no request where there are none to ask for."""
    ids = [key for key in dict.fromkeys(keys) if VIDEO.fullmatch(key)]
    batches = (ids[start : start + VIDEO_BATCH] for start in range(0, len(ids), VIDEO_BATCH))
    return [one for batch in batches for one in next(ask("videos", part=part, id=",".join(batch)))]


def look_again(ask: Listing, video: str, uploads: str) -> list[Any]:
    """The record of a video that was not shown, [] where it is gone for certain: an empty answer may be a mistake.

    Another one out of the list of `uploads`, if there is any, has to be in the same answer. Raises SourceError.
    """
    other = ""
    with suppress(Absent):
        listing = {"part": "contentDetails,status", "maxResults": 50}
        listed = next(ask("playlistItems", playlistId=uploads, **listing)) if uploads else []
        public = (video_id(one) for one in listed if text(one, "status", "privacyStatus") == "public")
        other = next((key for key in public if key != video), "")
    records = look_up_videos(ask, [video, other])
    if other and other not in map(video_id, records):
        raise SourceError("YouTube did not show a video that is there; trying again at the next poll")
    return [record for record in records if video_id(record) == video]
