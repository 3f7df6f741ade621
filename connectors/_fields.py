"""Reading records that others wrote: any field may be missing, of another type, or hostile."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from monitor.domain.clock import parse_instant
from monitor.domain.item import Item, ItemRef, Page, Raw, Reject

#: NUL and lone surrogates are valid in JSON, but no database stores them; nor does it numbers that are none.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


#: The most bytes that an id may have: an index of PostgreSQL takes 2,704 for all its columns.
LONGEST_ID = 2000


class Unreadable(ValueError):
    """A record lacks what an item cannot do without."""


def clean(value: Any) -> Any:
    """A JSON value as received, with characters that cannot be stored replaced by U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_or_none(body: str | bytes) -> Any:
    """The decoded JSON, clean; None where there is none."""
    try:
        return clean(json.loads(body))
    except (ValueError, RecursionError):
        return None


def text(record: Any, *path: str) -> str:
    """The string (or whole number, as a string) found at `path`, "" where there is none."""
    found = dig(record, *path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def dig(record: Any, *path: str) -> Any:
    """What stands at `path` in nested mappings, None where any step is missing."""
    for step in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(step)
    return record


def mappings(value: Any) -> list[Raw]:
    """The mappings in a list; [] for anything that is no list."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def instant(value: str) -> datetime | None:
    """RFC 3339 text as UTC, None for anything else."""
    try:
        return parse_instant(value)
    except (ValueError, OverflowError):
        return None


def web_url(value: str) -> str:
    """`value` if it is an http(s) address, else ""."""
    try:
        address = urlsplit(value.strip())
    except ValueError:
        return ""
    return value.strip() if address.scheme in ("http", "https") and address.netloc else ""


def read(record: Any, convert: Callable[[Raw], Item]) -> Item | Reject:
    """One record as an item, or as a Reject that says why not: a poisoned record never stops its page."""
    if not isinstance(record, dict):
        return Reject(raw=record, reason="the record is not an object")
    try:
        item = convert(record)
        refs = filter(None, (item.ref, item.parent, item.thread))
        if any(len(ref.id.encode("utf-8", "replace")) > LONGEST_ID for ref in refs):
            raise Unreadable("an id in it is too long to be kept")
        return item
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return Reject(raw=record, reason=str(error) if isinstance(error, Unreadable) else repr(error))


def page(
    results: Iterable[Item | Reject],
    *,
    cursor: str | None = None,
    gone: Iterable[ItemRef] = (),
    totals: Mapping[ItemRef, int] | None = None,
    spent: float = 0,
    rest_until: datetime | None = None,
) -> Page:
    """A page of what was read, in order."""
    found = tuple(results)
    return Page(
        items=tuple(result for result in found if isinstance(result, Item)),
        rejects=tuple(result for result in found if isinstance(result, Reject)),
        cursor=cursor,
        gone=tuple(gone),
        totals=totals or {},
        spent=spent,
        rest_until=rest_until,
    )


def to_text(html: str) -> str:
    """HTML as the plain text that a reader sees, a line for each block."""
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _TextReader()
    # Marked sections are not HTML, and html.parser fails on unknown ones.
    reader.feed(html.replace("<![", "&lt;!["))
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def embedded(html: str) -> tuple[str, ...]:
    """What HTML shows beside words, as facts ("photo: its description", "video"); nothing is downloaded."""
    if "<" not in html:
        return ()
    reader = _EmbeddedReader()
    reader.feed(html.replace("<![", "&lt;!["))
    reader.close()
    return tuple(reader.found)


def _emoji(attrs: dict[str, str | None]) -> str:
    """The emoji that an image stands for, as WordPress and forums write them; "" for a real picture."""
    alt = attrs.get("alt") or ""
    marked = any(word in f"{attrs.get('class')} {attrs.get('src')}" for word in ("smiley", "emoji"))
    return alt if marked or not any(sign.isalnum() for sign in alt) else ""


class _EmbeddedReader(HTMLParser):
    _KINDS: Mapping[str, str] = {"img": "photo", "video": "video", "audio": "audio", "iframe": "embed"}

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag not in self._KINDS or (tag == "img" and _emoji(told)):
            return
        words = " ".join((told.get("alt") or told.get("title") or "").split())
        self.found.append(f"{self._KINDS[tag]}: {words}" if words else self._KINDS[tag])


class _TextReader(HTMLParser):
    _BLOCKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre"})
    _SILENT = frozenset({"script", "style", "template"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag in self._BLOCKS:
            self.parts.append("\n")
        if tag == "img":
            self.parts.append(_emoji(dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0
        if tag in self._BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
