"""What YouTube's records say, read as items.

https://developers.google.com/youtube/v3/docs/comments, /commentThreads, /playlistItems and /videos
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connectors._fields import Unreadable, dig, instant, read, text
from monitor.domain.account import Profile
from monitor.domain.item import (
    Author,
    AuthorKind,
    Channel,
    Item,
    ItemKind,
    ItemRef,
    Raw,
    Reject,
    Visibility,
)

PLATFORM = "youtube"
#: The form of ids that YouTube itself gives: what staff handed in has others.
VIDEO, COMMENT = re.compile(r"[\w-]{11}"), re.compile(r"[\w-]{12,}(\.[\w-]+)?")
#: Where a comment's record tells its state, which it does to the channel's owner alone.
VISIBILITY = {
    "heldForReview": Visibility.HELD,
    "likelySpam": Visibility.HELD,
    "rejected": Visibility.HIDDEN,
}


class Reader:
    """Reads the records of one account; `own` are the school's handles and channel ids, in small letters."""

    def __init__(self, channel: Channel, page_url: str, own: Iterable[str]) -> None:
        self.own = set(own) - {""}
        self._channel = channel
        self._page_url = page_url.rstrip("/")

    def videos(self, records: Iterable[Any]) -> list[Item | Reject]:
        """Videos that people can see, from the list of uploads or by id; each is a post."""
        unseen = ("private", "privacyStatusUnspecified")
        return [read(one, self._video) for one in records if text(one, "status", "privacyStatus") not in unseen]

    def _video(self, record: Raw) -> Item:
        video, snippet = video_id(record), dig(record, "snippet")
        if not VIDEO.fullmatch(video):
            raise Unreadable("the video has no id")
        ref = ItemRef(PLATFORM, video)
        name = text(snippet, "videoOwnerChannelTitle") or text(snippet, "channelTitle")
        shown = text(record, "contentDetails", "videoPublishedAt") or text(snippet, "publishedAt")
        return Item(
            ref=ref,
            channel=self._channel,
            kind=ItemKind.POST,
            author=self._author(text(snippet, "videoOwnerChannelId") or text(snippet, "channelId"), name),
            text="\n".join(filter(None, (text(snippet, "title"), text(snippet, "description")))),
            url=f"{self._page_url}/watch?v={video}",
            published_at=instant(shown),
            thread=ref,
            lang=text(snippet, "defaultAudioLanguage")[:2] or None,
            attachments=("video",),
            raw=record,
        )

    def comment(
        self, record: Any, video: str, thread: str = "", untold: Visibility = Visibility.PUBLIC
    ) -> Item | Reject:
        """A comment on `video`, below the first comment of `thread`; `untold` is its state where it tells none."""

        def convert(raw: Raw) -> Item:
            key, snippet = text(raw, "id"), dig(raw, "snippet")
            if not key:
                raise Unreadable("the comment has no id")
            above = text(snippet, "parentId") or thread or (key.partition(".")[0] if "." in key else "")
            post, status = text(snippet, "videoId") or video, text(snippet, "moderationStatus")
            place = f"watch?v={post}&" if post else f"channel/{text(snippet, 'channelId')}/community?"
            return Item(
                ref=ItemRef(PLATFORM, key),
                channel=self._channel,
                kind=ItemKind.REPLY if above else ItemKind.COMMENT,
                author=self._author(text(snippet, "authorChannelId", "value"), text(snippet, "authorDisplayName")),
                text=text(snippet, "textOriginal") or text(snippet, "textDisplay"),
                url=f"{self._page_url}/{place}lc={key}",
                published_at=instant(text(snippet, "publishedAt")),
                parent=ItemRef(PLATFORM, above or post) if above or post else None,
                thread=ItemRef(PLATFORM, post) if post else None,
                attachments=("photo",) if text(snippet, "imageUrl") else (),
                visibility=VISIBILITY.get(status, Visibility.PUBLIC if status else untold),
                raw=raw,
            )

        return read(record, convert)

    def profile(self, record: Raw) -> Profile:
        """A channel, with its @handle."""
        key, snippet = text(record, "id"), dig(record, "snippet")
        return Profile(
            platform=PLATFORM,
            id=key,
            handle=text(snippet, "customUrl").removeprefix("@"),
            name=text(snippet, "title"),
            about=text(snippet, "description"),
            url=f"{self._page_url}/channel/{key}",
            raw=record,
        )

    def _author(self, channel: str, name: str) -> Author:
        """YouTube shows people by their @handle; who closed their channel has neither name nor id."""
        handle = name.removeprefix("@") if name.startswith("@") else ""
        ours = bool({channel.lower(), handle.lower()} & self.own)
        kind = AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN
        return Author(id=channel, handle=handle, display_name=name, kind=kind)


def video_id(record: Any) -> str:
    """The id of the video that a place in a list of uploads, or a video's own record, is about; "" without one."""
    listed = text(record, "contentDetails", "videoId") or text(record, "snippet", "resourceId", "videoId")
    return listed or text(record, "id")


def totals(records: Iterable[Any]) -> dict[ItemRef, int]:
    """How many comments and replies YouTube counts below videos; none where comments are turned off.

    Everybody sees this number, so what is held back or rejected is not in it.
    """
    counts = {video_id(record): text(record, "statistics", "commentCount") for record in records}
    return {
        ItemRef(PLATFORM, key): int(count)
        for key, count in counts.items()
        if VIDEO.fullmatch(key) and re.fullmatch(r"[0-9]{1,9}", count)
    }


def before(since: datetime | None, record: Any) -> bool:
    """Whether a video or comment appeared and was last edited before `since`; not where it does not say."""
    stated = text(record, "snippet", "updatedAt") or text(record, "contentDetails", "videoPublishedAt")
    last = instant(stated or text(record, "snippet", "publishedAt"))
    return since is not None and last is not None and last < since


def fresh(results: Iterable[Item | Reject], seen: set[ItemRef]) -> list[Item | Reject]:
    """Those not met before: pages shift while we read, and threads carry replies that are listed apart, too."""
    found: list[Item | Reject] = []
    for result in results:
        if isinstance(result, Item):
            if result.ref in seen:
                continue
            seen.add(result.ref)
        found.append(result)
    return found
