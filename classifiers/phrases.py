"""Words and phrases as the data files write them: "stem*" is any ending, "..." up to four words between."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Kind = TypeVar("Kind", bound=Hashable)

#: Up to four words in the middle of a phrase.
_GAP = r"(?:\S+\s+){0,4}?"
_BETWEEN = r"[\s-]+"
_WORD = re.compile(r"\w+")
#: Phrases are looked up by so many of their first letters.
_KEY = 3


class Phrases(Generic[Kind]):
    """Many phrases (lower case) of several kinds, looked up by their first letters at every word of a text."""

    def __init__(self, kinds: Mapping[Kind, Iterable[str]]) -> None:
        starting: dict[str, dict[Kind, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._anywhere: list[tuple[str, Kind, re.Pattern[str]]] = []
        for kind, entries in kinds.items():
            for entry in entries:
                for key in _keys(entry):
                    starting[key][kind].append(entry)
                if not entry[0].isalnum():
                    self._anywhere.append((entry.strip("*"), kind, pattern([entry])))
        self._starting = {
            key: [(kind, pattern(entries)) for kind, entries in kinds.items()] for key, kinds in starting.items()
        }

    def find(self, text: str) -> Iterator[tuple[int, int, Kind]]:
        """Start, end and kind of every phrase in `text` (lower case); of one kind at one word the longest."""
        for core, kind, whole in self._anywhere:
            if core in text:
                yield from ((*match.span(), kind) for match in whole.finditer(text))
        starting = self._starting
        for word in _WORD.finditer(text):
            key = word[0][:_KEY]
            if key in starting:
                for kind, whole in starting[key]:
                    match = whole.match(text, word.start())
                    if match:
                        yield *match.span(), kind


def flatten(rows: Iterable[Sequence[str]]) -> list[str]:
    """The entries of a list that is written in rows."""
    return [entry for row in rows for entry in row]


def pattern(entries: Iterable[str]) -> re.Pattern[str]:
    """Finds any of `entries` (lower case) as whole words, the longest first."""
    return re.compile(rf"(?:\b(?=\w)|(?=\W))(?:{alternatives(sorted(entries, key=len, reverse=True))})(?!\w)")


def alternatives(entries: Iterable[str]) -> str:
    """The same as a part of a larger pattern."""
    return "|".join(_phrase(entry) for entry in entries)


def _keys(entry: str) -> set[str]:
    """The first letters of `entry`, with and without the apostrophe of its first word."""
    if not entry[0].isalnum():
        return set()
    first = entry.split()[0]
    return {match[0][:_KEY] for written in (first, first.replace("'", "")) if (match := _WORD.match(written))}


def _phrase(entry: str) -> str:
    words = [_word(word) for word in entry.split()]
    return _BETWEEN.join(words).replace(_GAP + _BETWEEN, _GAP)


def _word(word: str) -> str:
    if word == "...":
        return _GAP
    if word == "*":
        return r"\S+"
    return re.escape(word).replace(r"\*", r"\w*").replace("'", "'?")
