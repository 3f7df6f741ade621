"""Labelled comments: JSON lines as `schoolwatch classify` takes them, with what is true of each beside the text."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from classifiers.jsonl import LineError, parse
from monitor.domain.errors import MonitorError
from monitor.domain.verdict import Comment, Label


class LabelledError(MonitorError):
    """A line of a labelled file is not what it should be; the text says which and how."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A comment, its labels and the ids of the people it names, as an annotator judged them."""

    id: str
    comment: Comment
    labels: frozenset[Label]
    names: frozenset[str]


def read_labelled(lines: Iterable[str]) -> list[Labelled]:
    """All comments of a labelled file, at least one; blank lines are passed over. Raises LabelledError."""
    labelled = [_labelled(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not labelled:
        raise LabelledError("there is no comment in it")
    return labelled


def _labelled(number: int, line: str) -> Labelled:
    parsed = parse(number, line)
    if isinstance(parsed, LineError):
        raise LabelledError(str(parsed))
    identity, comment = parsed
    record = json.loads(line.lstrip("\ufeff"))
    labels, names = record.get("labels"), record.get("names", [])
    if not _texts(labels) or not _texts(names):
        raise LabelledError(f"line {number}: `labels` and `names` are to be lists of text")
    unknown = set(labels) - set(Label)
    if unknown:
        raise LabelledError(f"line {number}: no label is called {', '.join(sorted(unknown))}")
    return Labelled(str(identity), comment, frozenset(map(Label, labels)), frozenset(names))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
