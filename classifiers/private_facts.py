"""Health and family matters of somebody who is named beside them: "Mrs P is having chemo", "Keith's bankrupt"."""

import re
from collections.abc import Iterator, Sequence

from classifiers.full_names import WORDS
from classifiers.phrases import Phrases, flatten

_FACTS = Phrases({"fact": flatten(WORDS["health"] + WORDS["life"]), "condition": flatten(WORDS["condition"])})
#: What a condition stands after when somebody has it, and before when it is nobody's.
_HAS = re.compile(
    r"(?:\b(?:has|had|have|having|got|with|is|was|been|being|his|her|beat|beating|battling|fighting|against|from)|'?s)"
    r" (?:[\w'-]+ ){0,2}$"
)
_NOBODYS = re.compile(
    r"[ -](?:\w+ )?(?:friendly|crew|group|legends?|budd(?:y|ies)|home|cafe|club|unit|day|week|kids?|children|"
    r"pupils?|class|mums?|parents?|pens?|nurse|team|awareness|support)\b"
)
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)|\n")
#: Who is spoken of instead of the person named.
_OTHERS = re.compile(
    r"\b(?:my|our|ours|i|i'?m|i'?ve|i'?d|me|we|we're|us|mine|son|daughter|child|children|kids?|lad|boys?|girls?|pupils?|"
    r"brother|sister|mate|friend|parents?|families|family|someone|somebody|anyone|people|thanks? (?:you )?for)\b"
)
_KIN = re.compile(
    r"'?s (?:\w+ )?(?:mum|mam|dad|wife|husband|fella|missus|brother|sister|son|daughter|lad|lass|boy|girl|"
    r"partner|ex|mother|father)\b"
)
#: Words of sympathy, whose "I" and "we" are not the ill.
_SYMPATHY = re.compile(
    r"\b(?:we|i)(?:'m|'re| am| are| were| was)?(?: \w+){0,2} (?:sorry|thinking|praying|hope|heard|hear)\b"
)
#: In a sentence that speaks of an illness and of nobody's.
_ABOUT = re.compile(
    r"\b(?:research|charit\w+|rais(?:e|es|ed|ing)|fund\w*|sponsor\w*|awareness|training|trained|specialist|expert|assembly|"
    r"lessons?|policy|unit|support(?:s|ed|ing)?|understand\w*|qualified|course|assessment|referral|pathway)\b"
)
_PRONOUN = re.compile(r"\s*(?:he|she|they|third|had|off|has|is|been|her|his)\b")
#: Characters between a name and what is said of it.
_NEAR = 60
#: Characters after a fact that may say that it is nobody's.
_AFTER = 20


def find(text: str, people: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where `text` (folded, lower case) says something private of one of `people` (start, end)."""
    if not people:
        return
    for start, end, kind in _FACTS.find(text):
        if kind == "condition" and (
            not _HAS.search(text, max(0, start - _NEAR), start) or _NOBODYS.match(text, end)
        ):
            continue
        if any(_is_of(text, person, (start, end)) for person in people):
            yield start, end


def _is_of(text: str, person: tuple[int, int], fact: tuple[int, int]) -> bool:
    after = person[1] <= fact[0]
    between = text[person[1] : fact[0]] if after else text[fact[1] : person[0]]
    if len(between) > _NEAR or person[0] < fact[0] < person[1]:
        return False
    between = _KIN.sub("", between, count=1) if after else _clause_before(text, fact[0]) + between
    if _OTHERS.search(_SYMPATHY.sub("", between)) or _ABOUT.search(text, person[0], fact[1] + _AFTER):
        return False
    *_, last = [0, *(end.end() for end in _SENTENCE.finditer(between))]
    return last == 0 or (after and _PRONOUN.match(between, last) is not None)


def _clause_before(text: str, start: int) -> str:
    """What stands before `start` in its sentence."""
    before = text[max(0, start - _NEAR) : start]
    return before[max((end.end() for end in _SENTENCE.finditer(before)), default=0) :]
