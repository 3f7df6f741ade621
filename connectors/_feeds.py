"""Atom and RSS, read with feedparser: what the connectors that fetch feeds have in common."""

import io
import json
from calendar import timegm
from datetime import UTC, datetime
from typing import Any

import feedparser

from connectors._fields import clean, dig, mappings, text
from connectors._http import Answer
from monitor.domain.item import Raw


def parse(answer: Answer) -> Any:
    """What feedparser makes of the bytes; {} where it stumbles (a fuzzer found how).

    It leaves the HTML inside entries alone: cleaning that, too, would let one comment's text break the feed.
    """
    try:
        return feedparser.parse(
            io.BytesIO(answer.body),
            response_headers=dict(answer.headers),
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def plain(entry: Any) -> Any:
    """feedparser's entry as plain JSON values, to be kept as the raw record."""
    return json.loads(json.dumps(clean(entry), default=str))


def body(entry: Raw) -> str:
    """The entry's content, which is whole, rather than its summary, which may be cut short."""
    contents = [text(part, "value") for part in mappings(dig(entry, "content"))]
    return next(filter(None, contents), "") or text(entry, "summary")


def published(entry: Raw) -> datetime | None:
    """When the entry appeared (UTC), None where it gives no time that can be read."""
    stated = dig(entry, "published_parsed") or dig(entry, "updated_parsed")
    try:
        return datetime.fromtimestamp(timegm(tuple(stated)), UTC) if stated else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
