"""What Reddit's records say, and the way to the end of its listings and threads.

Records: https://github.com/reddit-archive/reddit/wiki/JSON and https://www.reddit.com/dev/api
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors import _feeds
from connectors._fields import dig, mappings, text, to_text
from monitor.domain.errors import SourceError
from monitor.domain.item import ItemKind, Raw, Reject

#: One request: method, path, parameters. Gives the decoded answer, raises SourceError.
Ask = Callable[[str, str, Mapping[str, Any]], Any]

#: The most ids that one request to /api/info or /api/morechildren takes.
BATCH = 100
#: Fullnames: t1 is a comment, t3 a post (https://www.reddit.com/dev/api#fullnames).
FULLNAME = re.compile(r"t[13]_[0-9a-z]{1,13}")
#: What stands in place of a name, or of words.
STUBS = {"[deleted]": "deleted", "[removed]": "removed"}
_MEDIA = {"Image": "photo", "AnimatedImage": "animation", "RedditVideo": "video"}
_POST_LINK = re.compile(r"/comments/([0-9a-z]{1,13})(?:/|$)")
_WRITTEN = re.compile(r"<!-- SC_OFF -->(.*)<!-- SC_ON -->", re.DOTALL)


def vanished(record: Raw) -> str:
    """Whether the words of a post or comment were taken away.

    "deleted": by their author. "removed": by a moderator, a filter or Reddit. "": by nobody, even where only the
    author's account is no more, or somebody likes brackets.
    """
    if category := text(record, "removed_by_category"):
        return "deleted" if category in ("deleted", "author") else "removed"
    shown = text(record, "body") or text(record, "selftext") or text(record, "title")
    if shown.startswith("[ Removed by "):
        return "removed"
    named = text(record, "author_fullname") or ("entry" in record and text(record, "author") not in STUBS)
    # A post that is a link has no words of its own to lose.
    return "" if named or record.get("is_self") is False else STUBS.get(shown, "")


def words(record: Raw) -> str:
    """All that the author wrote: title, text, captions, what a poll offers; without the marks for pictures."""
    whole = text(record, "body") or text(record, "selftext")
    pictures = dig(record, "media_metadata")
    for key in pictures if isinstance(pictures, Mapping) else ():
        mark = rf'!\[\w*\]\({re.escape(key)}(?: "([^"]*)")?\)|https://preview\.redd\.it/{re.escape(key)}\.\S*'
        whole = re.sub(mark, lambda found: found[1] or "", whole).strip()
    captions = [text(entry, "caption") for entry in mappings(dig(record, "gallery_data", "items"))]
    offers = [text(entry, "text") for entry in mappings(dig(record, "poll_data", "options"))]
    parts = (text(record, "title"), whole, *captions, *offers)
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
    if name.startswith("t3_"):
        return ItemKind.POST
    return ItemKind.REPLY if parent.startswith("t1_") else ItemKind.COMMENT


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


def fresh(found: Iterable[Any], seen: set[str]) -> list[Any]:
    """The records that are not among the fullnames `seen`, which grows by theirs."""
    new = []
    for record in found:
        name = text(record, "name")
        if not name or name not in seen:
            new.append(record)
        seen.add(name)
    return new


def records(listing: Any, what: str) -> list[Any]:
    """The records of a listing. Raises SourceError for anything else."""
    return [_data(thing) for thing in _children(listing, what)]


def pages(ask: Ask, path: str, params: Mapping[str, Any], reach: datetime) -> Iterator[list[Any]]:
    """A listing from its newest record back to `reach`: page by page, until all of a page is older.

    Raises SourceError when the listing does not move on.
    """
    after, used = "", {""}
    while True:
        answer = ask("GET", path, {"limit": BATCH, **params, **({"after": after} if after else {})})
        found = records(answer, path)
        yield found
        after = text(answer, "data", "after")
        if not after or (found and not any(_since(record, reach) for record in found)):
            return
        if after in used:
            raise SourceError("Reddit sent us round in a circle (the same page twice); trying again later")
        used.add(after)


def tree(ask: Ask, post: str, comment: str, most: int) -> Iterator[list[Any]]:
    """What stands below a post, or at and below one comment there (fullnames), answer by answer, to its end.

    "More comments" are asked for in batches, "continue this thread" from the comment it stands at. After `most`
    requests a Reject says what is left.
    """
    starts, ids = deque([comment.removeprefix("t1_")]), deque[str]()
    asked: set[str] = set()
    for _ in range(most):
        if ids:
            batch = [ids.popleft() for _ in range(min(BATCH, len(ids)))]
            form = {"link_id": post, "children": ",".join(batch), "sort": "new"}
            things = _more(ask("POST", "api/morechildren", form))
        elif starts:
            start = starts.popleft()
            where = {"comment": start} if start else {}
            answer = ask("GET", f"comments/{post.removeprefix('t3_')}", {"limit": 500, "sort": "new", **where})
            things = _children(answer[-1] if isinstance(answer, list) and answer else None, f"comments of {post}")
            if start and (not things or text(_data(things[0]), "id") != start):
                # The comment is gone: Reddit then answers with the whole thread.
                continue
        else:
            return
        found, more = _flat(things)
        yield found
        for start, below in more:
            ids.extend(key for key in below if key not in asked)
            asked.update(below)
            if not below and start and f"below {start}" not in asked:
                asked.add(f"below {start}")
                starts.append(start)
    if left := [*ids, *starts]:
        yield [
            Reject(raw={"post": post, "comments": left}, reason=f"{most} requests did not bring the whole thread")
        ]


def _flat(things: Iterable[Any]) -> tuple[list[Any], list[tuple[str, list[str]]]]:
    """The records of a tree, each without what stands below it, and where there are more: (comment, ids)."""
    found: list[Any] = []
    more: list[tuple[str, list[str]]] = []
    waiting = deque(things)
    while waiting:
        thing = waiting.popleft()
        data = _data(thing)
        if text(thing, "kind") == "more":
            ids = dig(data, "children")
            wanted = [key for key in ids if isinstance(key, str)] if isinstance(ids, list) else []
            more.append((text(data, "parent_id").removeprefix("t1_"), wanted))
            continue
        below = dig(data, "replies", "data", "children")
        waiting.extend(below if isinstance(below, list) else [])
        whole = isinstance(data, Mapping)
        found.append({name: value for name, value in data.items() if name != "replies"} if whole else data)
    return found, more


def _more(answer: Any) -> list[Any]:
    things = dig(answer, "json", "data", "things")
    if not isinstance(things, list):
        raise SourceError("Reddit did not give us the rest of a thread; trying again later")
    return things


def _children(listing: Any, what: str) -> list[Any]:
    found = dig(listing, "data", "children")
    if not isinstance(found, list):
        raise SourceError(f"Reddit sent no list of {what}; trying again at the next poll")
    return found


def _data(thing: Any) -> Any:
    return thing.get("data", thing) if isinstance(thing, Mapping) else thing


def _since(record: Any, reach: datetime) -> bool:
    moment = written(record) if isinstance(record, Mapping) else None
    return moment is None or moment >= reach
