"""Names that are nearly right: alike in letters (rapidfuzz) or in sound."""

import re
from collections import defaultdict
from functools import lru_cache

from rapidfuzz import fuzz, process

from classifiers.roster import Form, Kind, Roster, Words

#: How alike a misspelt word must be (ratio, 0–100), after a title and standing alone.
ALIKE_AFTER_TITLE = 78
ALIKE_ALONE = 87
#: Alone, only words of this many letters are compared: short ones are alike by chance.
LONG = 7
#: What a misspelt name is worth of its form's score.
WORTH = 0.75

#: How an English ear hears, and writes, the letters of other languages.
_HEARD = (
    ("bh", "v"), ("mh", "v"), ("ph", "f"), ("cz", "k"), ("ch", "k"), ("ck", "k"), ("sz", "s"), ("w", "v"),
    ("j", "y"), ("c", "k"), ("z", "s"), ("q", "k"),
)  # fmt: skip


class Misspelt:
    """Finds the forms of a roster to which words come close."""

    def __init__(self, roster: Roster) -> None:
        self._titled: dict[str, dict[str, list[Form]]] = defaultdict(dict)
        self._alone: dict[str, list[Form]] = {}
        for words, forms in roster.forms.items():
            if forms[0].kind is Kind.TITLED:
                self._titled[words[0]]["".join(words[1:])] = forms
            elif len(words) == 1 and len(words[0]) >= LONG and forms[0].kind in (Kind.FIRST, Kind.SURNAME):
                self._alone[words[0]] = forms
        self.after_title = lru_cache(maxsize=4096)(self._after_title)
        self.alone = lru_cache(maxsize=4096)(self._find_alone)

    def _after_title(self, title: str, rest: Words) -> tuple[Form, ...]:
        """Who is meant by `title` and the words `rest`, which are nobody's name; () for nobody."""
        said = "".join(rest)
        if len(said) < 4:
            return ()
        names = self._titled.get(title, {})
        best = process.extractOne(said, names.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE_AFTER_TITLE)
        if best:
            return _lowered(names[best[0]])
        sound = _sound(said)
        alike = (forms for name, forms in names.items() if len(sound) >= 3 and _sound(name) == sound)
        return _lowered(next(alike, []))

    def _find_alone(self, word: str) -> tuple[Form, ...]:
        """Who is meant by a word that stands alone and is nobody's name; () for nobody."""
        if len(word) < LONG:
            return ()
        best = process.extractOne(word, self._alone.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE_ALONE)
        return _lowered(self._alone[best[0]]) if best else ()


def _lowered(forms: list[Form]) -> tuple[Form, ...]:
    return tuple(Form(form.person, form.kind, round(form.score * WORTH, 2)) for form in forms)


def _sound(word: str) -> str:
    """A rough key of how a word sounds: its consonants, alike ones made one."""
    for written, heard in _HEARD:
        word = word.replace(written, heard)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouh]", "", word))
