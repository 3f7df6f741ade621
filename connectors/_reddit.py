"""What Reddit's records say, read as items.

https://github.com/reddit-archive/reddit/wiki/JSON; what moderators are shown besides:
https://github.com/Pyprohly/reddit-api-doc-notes/blob/main/docs/api-reference/submission.rst
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors import _feeds
from connectors._fields import Unreadable, dig, mappings, page, read, text, to_text, web_url
from monitor.domain.account import Profile
from monitor.domain.item import (
    Author,
    AuthorKind,
    Channel,
    Item,
    ItemKind,
    ItemRef,
    Page,
    Raw,
    Reject,
    Visibility,
)

PLATFORM = "reddit"
#: Fullnames: t1 is a comment, t3 a post, t4 a message (https://www.reddit.com/dev/api#fullnames).
FULLNAME = re.compile(r"t[134]_[0-9a-z]{1,13}")
#: What stands in place of a name, or of words.
STUBS = {"[deleted]": "deleted", "[removed]": "removed"}
#: Who takes things out of sight on their own account, until a moderator has looked at them.
FILTERS = {"automod_filtered", "reddit", "AutoModerator"}
_MEDIA = {"Image": "photo", "AnimatedImage": "animation", "RedditVideo": "video"}
_POST_LINK = re.compile(r"/comments/([0-9a-z]{1,13})(?:/|$)")
_WRITTEN = re.compile(r"<!-- SC_OFF -->(.*)<!-- SC_ON -->", re.DOTALL)


class Reader:
    """Reads the records of one account; `own` are the school's names and ids on Reddit, in small letters."""

    def __init__(self, channel: Channel, page_url: str, own: Iterable[str]) -> None:
        self._channel = channel
        self._page_url = page_url.rstrip("/")
        self._own = set(own) - {""}

    def page(
        self,
        found: Iterable[Any],
        cursor: str | None,
        gone: Iterable[ItemRef] = (),
        totals: Mapping[ItemRef, int] | None = None,
    ) -> Page:
        """The records as a page: what was deleted or removed is gone, not an item that says "[deleted]"."""
        kept, stubs = [], list(gone)
        for record in found:
            if FULLNAME.fullmatch(text(record, "name")) and vanished(record):
                stubs.append(ItemRef(PLATFORM, record["name"]))
            else:
                kept.append(record)
        read_ = (record if isinstance(record, Reject) else read(record, self._item) for record in kept)
        return page(read_, cursor=cursor, gone=stubs, totals=totals)

    def author(self, record: Raw) -> Author:
        """Nobody for "[deleted]": an account that is no more, or one whose words a moderator removed."""
        name, number = text(record, "author"), text(record, "author_fullname")
        if name in STUBS:
            return Author()
        ours = bool({name.casefold(), number} & self._own)
        return Author(
            id=number,
            handle=name,
            display_name=name,
            kind=AuthorKind.SCHOOL if ours else AuthorKind.UNKNOWN,
        )

    def profile(self, record: Raw) -> Profile:
        """A subreddit or a user."""
        place, about = text(record, "display_name"), dig(record, "subreddit")
        handle = f"r/{place}" if place else text(record, "name")
        return Profile(
            platform=PLATFORM,
            id=text(record, "name") if place else f"t2_{text(record, 'id')}",
            handle=handle,
            name=text(record, "title") or text(about, "title") or handle,
            about=text(record, "public_description") or text(about, "public_description"),
            url=f"{self._page_url}/{handle if place else f'user/{handle}'}",
            raw=record,
        )

    def _item(self, record: Raw) -> Item:
        name, parent, post = (text(record, field) for field in ("name", "parent_id", "link_id"))
        if not FULLNAME.fullmatch(name):
            raise Unreadable("the record has no id of Reddit's")
        top = {"t1": post, "t3": name}.get(name[:2], "")
        path, place = text(record, "permalink"), f"/comments/{top[3:]}/_/{name[3:] if top != name else ''}"
        if name.startswith("t4_"):
            place = f"/message/messages/{name[3:]}"
        return Item(
            ref=ItemRef(PLATFORM, name),
            channel=self._channel,
            kind=kind(name, parent),
            author=self.author(record),
            text=words(record),
            url=web_url(self._page_url + (path if path.startswith("/") else place)),
            published_at=written(record),
            parent=ItemRef(PLATFORM, parent) if FULLNAME.fullmatch(parent) else None,
            thread=ItemRef(PLATFORM, top) if FULLNAME.fullmatch(top) else None,
            attachments=attachments(record),
            visibility=visibility(record),
            raw=record,
        )


def vanished(record: Raw) -> str:
    """Whether the words of a post or comment were taken away.

    "deleted": by their author. "removed": by a moderator, a filter or Reddit; moderators go on seeing them. "": by
    nobody, even where only the author's account is no more, or somebody likes brackets.
    """
    shown = text(record, "body") or text(record, "selftext") or text(record, "title")
    named = text(record, "author_fullname") or ("entry" in record and text(record, "author") not in STUBS)
    blank = shown.startswith("[ Removed by ")
    if category := text(record, "removed_by_category"):
        how = "deleted" if category in ("deleted", "author") else "removed"
    elif blank:
        how = "removed"
    else:
        # A post that is a link has no words of its own to lose.
        how = "" if named or record.get("is_self") is False else STUBS.get(shown, "")
    still_shown = _moderated(record) and not blank and shown not in STUBS
    return "" if how == "removed" and still_shown else how


def visibility(record: Raw) -> Visibility:
    """Held: a filter took it out of sight until a moderator has looked. Hidden: a moderator or Reddit removed it.

    Only moderators are told.
    """
    if not _moderated(record):
        return Visibility.PUBLIC
    by, category = record.get("banned_by"), text(record, "removed_by_category")
    if by is True or {text(record, "banned_by"), category} & FILTERS:
        return Visibility.HELD
    removed = category or by or record.get("removed") is True or record.get("spam") is True
    return Visibility.HIDDEN if removed else Visibility.PUBLIC


def is_public(record: Raw) -> bool:
    """Whether everybody sees it."""
    return not vanished(record) and visibility(record) is Visibility.PUBLIC


def talked_below(found: Iterable[Any]) -> set[str]:
    """The posts below which one of the records stands for everybody to see."""
    said = (one for one in mappings([*found]) if text(one, "name").startswith("t1_"))
    return {text(one, "link_id") for one in said if is_public(one)}


def is_ours(ref: ItemRef) -> bool:
    """Whether Reddit itself gave the id: what staff handed in has ids of another form."""
    return ref.platform == PLATFORM and FULLNAME.fullmatch(ref.id) is not None


def counted(record: Raw) -> int | None:
    """How many comments Reddit counts below a post, with those that were removed and are not shown."""
    count = text(record, "num_comments")
    return int(count) if re.fullmatch(r"[0-9]{1,9}", count) else None


def words(record: Raw) -> str:
    """All that the author wrote: title, text, captions, a poll's choices; without the marks for pictures."""
    whole = text(record, "body") or text(record, "selftext")
    pictures = dig(record, "media_metadata")
    for key in pictures if isinstance(pictures, Mapping) else ():
        mark = rf'!\[\w*\]\({re.escape(key)}(?: "([^"]*)")?\)|https://preview\.redd\.it/{re.escape(key)}\.\S*'
        whole = re.sub(mark, lambda found: found[1] or "", whole).strip()
    captions = [text(entry, "caption") for entry in mappings(dig(record, "gallery_data", "items"))]
    offers = [text(entry, "text") for entry in mappings(dig(record, "poll_data", "options"))]
    parts = (text(record, "subject"), text(record, "title"), whole, *captions, *offers)
    return "\n".join(part for part in parts if part)


def attachments(record: Raw) -> tuple[str, ...]:
    """Kinds of attachments as facts; nothing is downloaded."""
    pictures = dig(record, "media_metadata")
    found = (
        [_MEDIA.get(text(entry, "e"), "media") for entry in pictures.values()]
        if isinstance(pictures, Mapping)
        else []
    )
    hint = text(record, "post_hint")
    if hint == "image" and not found:
        found.append("photo")
    if record.get("is_video") is True or hint in ("hosted:video", "rich:video"):
        found.append("video")
    found += [
        kind for field, kind in (("poll_data", "poll"), ("crosspost_parent", "crosspost")) if record.get(field)
    ]
    return tuple(found or (["link"] if text(record, "url_overridden_by_dest") else []))


def written(record: Raw) -> datetime | None:
    """When it appeared (UTC). `edited` is a later time, and false for what was changed in the first minutes."""
    seconds = record.get("created_utc")
    try:
        return datetime.fromtimestamp(float(seconds), UTC) if isinstance(seconds, int | float) else None
    except (OverflowError, ValueError, OSError):
        return None


def kind(name: str, parent: str) -> ItemKind:
    """What the record with the fullname `name` is, below the one with the fullname `parent`."""
    if name.startswith(("t3_", "t4_")):
        return ItemKind.POST if name.startswith("t3_") else ItemKind.MESSAGE
    return ItemKind.REPLY if parent.startswith("t1_") else ItemKind.COMMENT


def _moderated(record: Raw) -> bool:
    """Whether whoever asked moderates the place where the record stands."""
    return record.get("can_mod_post") is True


def from_entry(entry: Any) -> Raw:
    """An Atom entry as a record like the API's, as far as it goes: which comment it answers is not said."""
    name, html = text(entry, "id"), _feeds.body(entry)
    link = urlsplit(text(entry, "link")).path
    author = text(entry, "author_detail", "name") or text(entry, "author")
    moment = _feeds.published(entry)
    record = {
        "name": name,
        "author": author.removeprefix("/u/") or "[deleted]",
        "permalink": link,
        "created_utc": moment.timestamp() if moment else None,
        "entry": entry,
    }
    if name.startswith("t1_"):
        post = _POST_LINK.search(link)
        return record | {"body": to_text(html), "link_id": f"t3_{post[1]}" if post else ""}
    own = _WRITTEN.search(html)
    return record | {"title": text(entry, "title"), "selftext": to_text(own[1]) if own else ""}
