"""Comments in, readings out, as JSON lines: the contract of `schoolwatch classify`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from monitor.domain.ports import Reader
from monitor.domain.verdict import Comment, Reading

#: Fields beside `id` and `text`, which may be missing or null.
_OPTIONAL = ("platform", "channel", "parent")


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that could not be read: its number, from 1, and why."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


def classify_lines(lines: Iterable[str], reader: Reader, batch: int = 64) -> Iterator[dict[str, Any] | LineError]:
    """One result or LineError a line, in input order; blank lines are passed over.

    A line is an object with `id` (text or a whole number), `text` and optional `platform`, `channel`, `parent`. A
    result is to be written with json.dumps as it is (ASCII: an id may hold a lone surrogate).
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while block := [parse(number, line) for number, line in islice(numbered, batch)]:
        readings = iter(reader.read([each[1] for each in block if not isinstance(each, LineError)]))
        for each in block:
            yield each if isinstance(each, LineError) else _result(each[0], next(readings))


def parse(number: int, line: str) -> tuple[str | int, Comment] | LineError:
    """The id and the comment of one line, or what is wrong with it."""
    try:
        record = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return LineError(number, f"not JSON ({error})")
    if not isinstance(record, dict):
        return LineError(number, "not an object")
    identity, text = record.get("id"), record.get("text")
    if not isinstance(identity, str | int) or isinstance(identity, bool) or identity == "":
        return LineError(number, "`id` is missing or not text")
    if not isinstance(text, str):
        return LineError(number, "`text` is missing or not text")
    for field in _OPTIONAL:
        if not isinstance(record.get(field), str | None):
            return LineError(number, f"`{field}` is not text")
    return identity, Comment(text=text, **{field: record.get(field) for field in _OPTIONAL})


def _result(identity: str | int, reading: Reading) -> dict[str, Any]:
    return {
        "id": identity,
        "labels": list(reading.labels),
        "scores": {label: round(score, 4) for label, score in reading.scores.items()},
        "names": list(dict.fromkeys(hit.person for hit in reading.names)),
        "doubt": list(reading.doubt),
        "names_doubt": list(reading.names_doubt),
        "language": reading.language,
    }
