"""Full names of people who are not on the roster, and which of them seem to be a pupil's.

There is no list of the pupils: capitals, given names of today's children, and what stands around have to do.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from classifiers.fold import Folded
from classifiers.phrases import alternatives, flatten, pattern

FILE = Path(__file__).with_name("personal_data.yaml")
WORDS: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
_GIVEN, _GROWN, _TITLE, _NO_NAME = (
    frozenset(" ".join(WORDS[kind]).split()) for kind in ("given", "grown", "title", "no_name")
)
_MIDDLE, _FAMOUS = frozenset(WORDS["middle"]), frozenset(flatten(WORDS["famous"]))
_CHILD, _KIN = ("|".join(" ".join(WORDS[kind]).split()) for kind in ("child", "kin"))

_WORD = r"(?:Mc|Mac|[OD]')?[A-Z][a-z]+(?:-(?:Mc|O')?[A-Za-z][a-z]+)*"
#: Two capitalised words or more, not within a handle, hashtag or address.
_RUN = re.compile(rf"(?<![\w@#'./-]){_WORD}(?: (?:(?:de|da|del|van|von|bin|al|el|O) )?{_WORD})+(?![\w@])")
_LOWER = re.compile(r"\b([a-z]+) ([a-z]+(?:-[a-z]+)?)(?=,? (?:in |from )?(?:year|yr|y) ?\d)")
#: More words than these in a row are a heading.
_LONGEST = 4
#: Characters before a name in which it is said whose it is.
_NEAR = 60

_AGES = "[4-9]|1[0-8]|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
_CLASS = (
    r"(?: ?\(|,? )(?:(?:is|was|who is|who's|from|in|of|class|again) )*"
    r"(?:(?:year|yr|y|p|primary) ?\d{1,2}[a-z]?\b|\d{1,2} ?[a-z]\b|\d{1,2} [a-z]+s\b|reception\b|"
    rf"class (?!of\b)\w+|(?!the\b)[a-z]+ class\b(?! of)|aged? (?:{_AGES})\b)(?! [a-z]+ trip)"
)
_AFTER_PUPIL = re.compile(rf"'s (?:{_KIN})\b|{_CLASS}|,? (?:school council|head (?:boy|girl)|house captain)")
_BEFORE_PUPIL = re.compile(
    rf"\b(?:{_CHILD})s?(?:'s)?(?: (?:is|was|called|named|full name|who [\w ]{{3,30}}? (?:is|was)))*,? $"
    r"|\b(?:our|our own|wee) $"
)
_BEFORE_GROWN = re.compile(rf"\b(?:{alternatives(flatten(WORDS['before_grown']))})[,:]? $|- $")
_AFTER_GROWN = re.compile(rf",? (?:{alternatives(flatten(WORDS['after_grown']))}|@\w+|[2-9]\d)(?!\w)")
_LONG_AGO, _PROUD = pattern(flatten(WORDS["long_ago"])), pattern(flatten(WORDS["proud"]))
_CALLED = re.compile(rf" (?!(?:{alternatives(flatten(WORDS['spoken_of']))})\b)[^\W\d_A-Z]")


@dataclass(frozen=True, slots=True)
class FullName:
    """A given name and a surname at `start:end` of the folded text; whether they seem to be a pupil's."""

    start: int
    end: int
    pupil: bool


def find(folded: Folded, written: str) -> list[FullName]:
    """The full names in a text, the famous left out, in order of appearance; `folded` is the text `written`."""
    text = folded.text
    names = [place for run in _RUN.finditer(text) if (place := _trimmed(run)) is not None]
    found = []
    if names:
        lower = text.lower()
        listed = _in_lists(text, names)
        no_pupils = _LONG_AGO.search(lower) is not None
        for place in names:
            called = place[0] == 0 and _CALLED.match(written, folded.original(*place)[1]) is not None
            pupil = _is_pupil(lower, *place, listed=place in listed, grown=no_pupils or called)
            found.append(FullName(*place, pupil=pupil))
    return found + [FullName(*match.span(), pupil=True) for match in _LOWER.finditer(text) if _is_lower_name(match)]


def _trimmed(run: re.Match[str]) -> tuple[int, int] | None:
    """The part of a run of capitalised words that may be a name: from the first to before the next that is none."""
    words = [(run.start() + m.start(), run.start() + m.end(), m[0].lower()) for m in re.finditer(r"\S+", run[0])]
    while words and words[0][2] in _NO_NAME:
        del words[0]
    kept = next((i for i, word in enumerate(words) if _ends_a_name(word[2], i, len(words))), len(words))
    if not 2 <= kept <= _LONGEST or len({word[2] for word in words[:kept]}) < kept:
        return None
    start, end = words[0][0], words[kept - 1][1]
    return None if run.string[start:end].lower() in _FAMOUS or _titled(run.string, start) else (start, end)


def _ends_a_name(word: str, place: int, words: int) -> bool:
    between = 0 < place < words - 1 and word in _MIDDLE
    return word in _TITLE or (word in _NO_NAME and not between)


def _titled(text: str, start: int) -> bool:
    before = text[max(0, start - 15) : start].lower().split()
    return bool(before) and before[-1].strip("(.") in _TITLE


def _in_lists(text: str, named: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of three names or more that stand one after the other with no words between."""
    lists: list[list[tuple[int, int]]] = []
    for span in named:
        between = text[lists[-1][-1][1] : span[0]] if lists else ""
        if lists and len(between) <= 14 and not re.search(r"[a-z]{3}(?<!and)(?<!sub)(?<!subs)|[.!?] ", between):
            lists[-1].append(span)
        else:
            lists.append([span])
    return {span for each in lists if len(each) > 2 for span in each}


def _is_pupil(lower: str, start: int, end: int, *, listed: bool, grown: bool) -> bool:
    if _AFTER_PUPIL.match(lower, end):
        return True
    if grown or _BEFORE_GROWN.search(lower, max(0, start - _NEAR), start) or _AFTER_GROWN.match(lower, end):
        return False
    if listed or _BEFORE_PUPIL.search(lower, max(0, start - _NEAR), start):
        return True
    given = re.split("[ -]", lower[start:end], maxsplit=1)[0]
    return given not in _GROWN and (given in _GIVEN or _PROUD.search(lower) is not None)


def _is_lower_name(match: re.Match[str]) -> bool:
    return match[1] in _GIVEN and match[2] not in _NO_NAME and not match[2].endswith(("ed", "ing"))
