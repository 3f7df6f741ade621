"""Words and phrases as the data files write them: "stem*" is any ending, "..." up to four words between."""

import re
from collections.abc import Iterable, Sequence

#: Up to four words in the middle of a phrase.
_GAP = r"(?:\S+\s+){0,4}?"


def flatten(rows: Iterable[Sequence[str]]) -> list[str]:
    """The entries of a list that is written in rows."""
    return [entry for row in rows for entry in row]


def pattern(entries: Sequence[str]) -> re.Pattern[str]:
    """Finds any of `entries` (lower case) as whole words."""
    return re.compile(rf"(?<!\w)(?:{alternatives(entries)})(?!\w)")


def alternatives(entries: Sequence[str]) -> str:
    """The same as a part of a larger pattern."""
    return "|".join(_phrase(entry) for entry in entries)


def _phrase(entry: str) -> str:
    words = [_word(word) for word in entry.split()]
    return r"\s+".join(words).replace(rf"{_GAP}\s+", _GAP)


def _word(word: str) -> str:
    if word == "...":
        return _GAP
    if word == "*":
        return r"\S+"
    return re.escape(word).replace(r"\*", r"\w*").replace("'", "'?")
