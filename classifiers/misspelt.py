"""Names that are nearly right: alike in letters (rapidfuzz) or in sound."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from classifiers.forms import Form, Kind
from classifiers.language import is_english
from classifiers.roster import Roster, full_name_of, surname_of
from classifiers.surroundings import Words
from classifiers.vocabulary import titles, words

#: How alike a misspelt word must be (ratio, 0–100), after a title and standing alone.
ALIKE_AFTER_TITLE = 76
ALIKE_ALONE = 86
#: Alone, only words of this many letters are compared: short ones are alike by chance.
LONG = 6
#: What a misspelt name is worth of its form's score.
WORTH = 0.75

#: How an English ear hears, and writes, the letters of other languages.
_HEARD = (
    ("bh", "v"), ("mh", "v"), ("ph", "f"), ("cz", "k"), ("ch", "k"), ("ck", "k"), ("sz", "s"), ("sh", "s"),
    ("w", "v"), ("j", "y"), ("c", "k"), ("z", "s"), ("q", "k"), ("x", "ks"), ("g", "k"),
)  # fmt: skip
#: Where "r" is not heard: "brender" for "brenda".
_FINAL_ER = re.compile(r"(?<=..)er$")


class Misspelt:
    """Finds the forms of a roster to which words come close."""

    def __init__(self, roster: Roster) -> None:
        self._titled: dict[str, dict[str, Sequence[Form]]] = defaultdict(dict)
        self._alone: dict[str, dict[str, Sequence[Form]]] = defaultdict(dict)
        for said, forms in roster.forms.items():
            if said[0] in titles() and forms[0].kind in (Kind.TITLED, Kind.FULL):
                self._titled[said[0]]["".join(said[1:])] = forms
            elif _is_long_name(said) and forms[0].kind in (Kind.FIRST, Kind.SURNAME):
                self._alone[said[0][0]][said[0]] = forms
        self._firsts: set[str] = set()
        self._full: dict[tuple[str, str], Sequence[Form]] = {}
        for said, forms in roster.forms.items():
            if len(said) == 2 and forms[0].kind is Kind.FULL and said[0] not in titles():
                self._firsts.add(sound(said[0]))
                self._full[sound(said[0]), sound(said[1])] = forms
        self.after_title = lru_cache(maxsize=4096)(self._after_title)
        self.alone = lru_cache(maxsize=65536)(self._find_alone)

    def _after_title(self, title: str, rest: Words) -> tuple[Form, ...]:
        """Who is meant by `title` and the words `rest`, which are nobody's name; () for nobody."""
        said = "".join(rest)
        names = self._titled.get(title, {})
        if len(said) >= 4:
            one_name = len(rest) == 1 or rest[0] in words("particles")
            enough = ALIKE_AFTER_TITLE if one_name else ALIKE_ALONE
            best = process.extractOne(said, names.keys(), scorer=fuzz.ratio, score_cutoff=enough)
            if best:
                return _lowered(names[best[0]])
        return _lowered(next((forms for name, forms in names.items() if sounds_like(said, name)), ()))

    def before_surname(self, forms: Sequence[Form], said: str) -> tuple[Form, ...]:
        """Those of `forms` to whose surname `said` comes close."""
        return _lowered([form for form in forms if is_near(said, "".join(surname_of(form.person)))])

    def __contains__(self, word: str) -> bool:
        """Whether the word, which is not English, sounds like a first name."""
        return len(word) > 3 and sound(word) in self._firsts and not is_english(word)

    def full(self, first: str, surname: str) -> tuple[Form, ...]:
        """Who is meant by two words that sound like a full name: "Lesly Crab"."""
        forms = self._full.get((sound(first), sound(surname)), ())
        return _lowered([form for form in forms if _begin_alike(form, first, surname)])

    def _find_alone(self, word: str) -> tuple[Form, ...]:
        """Who is meant by a word that stands alone and is nobody's name; () for nobody."""
        names = self._alone.get(word[0], {})
        if len(word) < LONG or not names:
            return ()
        best = process.extractOne(word, names.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE_AFTER_TITLE)
        if not best or (best[1] < ALIKE_ALONE and (is_english(word) or not sounds_like(word, best[0]))):
            return ()
        return _lowered(names[best[0]])


def is_near(said: str, name: str) -> bool:
    """Whether `said` is `name` misspelt, given that there is another sign of it."""
    return fuzz.ratio(said, name) >= ALIKE_AFTER_TITLE or sounds_like(said, name)


def sounds_like(said: str, name: str) -> bool:
    """Whether an ear may take one for the other: "nee vreen" for "ni bhriain", "pim" for "pym"."""
    if abs(len(said) - len(name)) > 3 or len(said) < 3:
        return False
    if len(said) == len(name) <= 4:
        return said.replace("y", "i") == name.replace("y", "i")
    key = sound(said)
    return len(key) >= 3 and key == sound(name)


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """A rough key of how a word sounds: its consonants, alike ones made one."""
    for written, heard in _HEARD:
        word = word.replace(written, heard)
    word = _FINAL_ER.sub("a", word)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouh]", "", word))


def _begin_alike(form: Form, first: str, surname: str) -> bool:
    return full_name_of(form.person)[0][0] == first[0] and surname_of(form.person)[0][0] == surname[0]


def _is_long_name(said: Words) -> bool:
    return len(said) == 1 and len(said[0]) >= LONG and said[0] not in words("ordinary")


def _lowered(forms: Sequence[Form]) -> tuple[Form, ...]:
    return tuple(Form(form.person, form.kind, round(form.score * WORTH, 2)) for form in forms)
