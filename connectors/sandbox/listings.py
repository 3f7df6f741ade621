"""Listings of records, whatever a platform's format: where they stand in an answer, so that they can be spoilt."""

import json
import re
from collections.abc import Callable
from typing import Any

#: What is done to a list of records.
Change = Callable[[list[Any]], list[Any]]
#: A body, with a change made to every listing in it; one that holds none as it is.
Listings = Callable[[bytes, Change], bytes]


def json_listings(*paths: str) -> Listings:
    """The lists at dotted `paths` of a JSON answer, as many as it has: "data.children"; "" is the document itself.

    A number counts from a list's start, a negative one from its end.
    """

    def change_all(body: bytes, change: Change) -> bytes:
        try:
            document = json.loads(body)
        except ValueError:
            return body
        for path in paths:
            found = document
            for step in filter(None, path.split(".")):
                found = _inside(found, step)
            if isinstance(found, list):
                found[:] = change(found)
        return json.dumps(document).encode()

    return change_all


def xml_listing(*elements: str) -> Listings:
    """The run of `elements` (such as "entry") in an XML answer."""
    record = re.compile(rf"<({'|'.join(elements)})\b.*?</\1>".encode(), re.DOTALL)

    def change_all(body: bytes, change: Change) -> bytes:
        found = list(record.finditer(body))
        if not found:
            return body
        kept = change([match[0].decode() for match in found])
        return body[: found[0].start()] + "".join(kept).encode() + body[found[-1].end() :]

    return change_all


def with_one_more(nonsense: Any) -> Change:
    """`nonsense` as one record too many, after the first."""
    return lambda records: [*records[:1], nonsense, *records[1:]]


def emptied(records: list[Any]) -> list[Any]:
    return []


def doubled(records: list[Any]) -> list[Any]:
    """Every record twice in a row."""
    return [record for record in records for _ in range(2)]


def turned(records: list[Any]) -> list[Any]:
    """The other way round."""
    return records[::-1]


def _inside(found: Any, step: str) -> Any:
    if isinstance(found, dict):
        return found.get(step)
    if isinstance(found, list) and step.lstrip("-").isdecimal() and -len(found) <= int(step) < len(found):
        return found[int(step)]
    return None
