"""Variants of the written comments, so that the model learns the language and not the names or the spelling."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

_TITLE_NAME = re.compile(r"\b(Mrs|Mr|Miss|Ms|Coach)( )(\w[\w'-]+)")
_SWEARING = re.compile(
    r"\b(fuck|shit|twat|prick|bastard|bitch|wank|bollocks|dick|arse|piss|cunt|cock|slag|knob)", re.IGNORECASE
)
_ENDING = re.compile(r"[.!?…]+$")
_OTHER = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
_SURNAMES, _SCHOOLS = _OTHER["surnames"], _OTHER["schools"]
_GROUPS = {word.lower(): group for group in _OTHER["groups"] for word in group}
_GROUP = re.compile(rf"\b({'|'.join(_GROUPS)})(s?)\b", re.IGNORECASE)
_SCHOOL = re.compile("|".join(_SCHOOLS), re.IGNORECASE)


def vary(text: str, names: Sequence[str], chance: random.Random) -> str:
    """A variant of `text`: other names, another school or group, now and then capitals, slips or masked swearing.

    `names` are the words of the roster's names, to be replaced wherever they stand, however capitalised.
    """
    text = _TITLE_NAME.sub(lambda m: f"{m[1]} {chance.choice(_SURNAMES)}" if chance.random() < 0.6 else m[0], text)
    for name in names:
        if chance.random() < 0.6:
            other = chance.choice(_SURNAMES)
            text = re.sub(rf"\b{re.escape(name)}\b", lambda m, o=other: _like(m[0], o), text, flags=re.IGNORECASE)
    if chance.random() < 0.7:
        text = _SCHOOL.sub(lambda m: _like(m[0], chance.choice(_SCHOOLS)), text)
    if chance.random() < 0.4:
        text = _GROUP.sub(lambda m: _like(m[1], chance.choice(_GROUPS[m[1].lower()])) + m[2], text)
    if chance.random() < 0.3:
        text = _SWEARING.sub(lambda m: _mask(m[0], chance), text)
    how = chance.random()
    if how < 0.2:
        return text.lower()
    if how < 0.24:
        return text.upper()
    if how < 0.38:
        return _slip(text, chance)
    if how < 0.48:
        return re.sub(r"[,.'’!]", "", text)
    if how < 0.54:
        return _ENDING.sub("", text)
    return text


def _like(word: str, other: str) -> str:
    """`other` in the capitals of `word`."""
    if word.islower():
        return other.lower()
    return other.upper() if word.isupper() else other


def _mask(word: str, chance: random.Random) -> str:
    middle = chance.randint(1, len(word) - 1)
    return word[:middle] + chance.choice("**-@") + word[middle + 1 :]


def _slip(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 40)):
        at = chance.randrange(max(1, len(letters) - 1))
        if letters[at].isalpha() and at + 1 < len(letters) and letters[at + 1].isalpha():
            if chance.random() < 0.5:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            else:
                letters[at] = ""
    return "".join(letters)
