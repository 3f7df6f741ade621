"""Variants of the school comments, so that the model learns the language and not the names or the spelling."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

_TITLE_NAME = re.compile(r"\b(Mrs|Mr|Miss|Ms|Coach)( )(\w[\w'-]+)")
_SWEARING = re.compile(r"\b(fuck|shit|twat|prick|bastard|bitch|wank|bollocks|dick|arse|piss|cunt)", re.IGNORECASE)
_OTHER = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
_SURNAMES, _SCHOOLS = _OTHER["surnames"], _OTHER["schools"]


def vary(text: str, names: Sequence[str], chance: random.Random) -> str:
    """A variant of `text`: other names, now and then another school, capitals, typing slips or masked swearing.

    `names` are the words of the roster's names, to be replaced wherever they stand as written there.
    """
    text = _TITLE_NAME.sub(lambda m: f"{m[1]} {chance.choice(_SURNAMES)}" if chance.random() < 0.7 else m[0], text)
    for name in names:
        if name in text and chance.random() < 0.7:
            text = re.sub(rf"\b{re.escape(name)}\b", chance.choice(_SURNAMES), text)
    if chance.random() < 0.7:
        text = text.replace("Larkfield", chance.choice(_SCHOOLS)).replace(
            "larkfield", chance.choice(_SCHOOLS).lower()
        )
    if chance.random() < 0.4:
        text = _SWEARING.sub(lambda m: _mask(m[0], chance), text)
    how = chance.random()
    if how < 0.25:
        return text.lower()
    if how < 0.3:
        return text.upper()
    if how < 0.45:
        return _slip(text, chance)
    if how < 0.55:
        return re.sub(r"[,.'’!]", "", text)
    return text


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
