"""Text as the model and the word list read it: one plain spelling for the many that people (and trolls) use.

Every step keeps, for each character, where it came from, so that a span found in the folded text can be shown in
the original.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

#: What is read of one text, in characters. No platform allows a comment half as long.
LONGEST = 100_000

_PLAIN = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i", "¢": "c"})
#: Unicode's names of Latin letters with a stroke or hook, in a circle or square, or as small capitals.
_LATIN = re.compile(r".*\bLATIN (?:(SMALL)|CAPITAL)?\s?LETTER (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?")
#: Cyrillic and Greek letters that pass for Latin ones.
_DISGUISES = "аеорсухіјѕԁһӏвкмнтԛԝүАЕОРСУХІЈЅВКМНТԚԜҮοανρτικυχεΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_LOOKALIKES = str.maketrans(_DISGUISES, "aeopcyxijsdhlbkmhtqwyAEOPCYXIJSBKMHTQWYoavptikuxeABEZHIKMNOPTYX")
_PUNCTUATION = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "!": "i", "$": "s", "€": "e"}
)

#: Words of Unicode's emoji names that say nothing of what they mean.
_FILLERS = frozenset({"heavy", "black", "white", "face", "sign", "symbol", "with"})

_SPACE = re.compile(r"\s{2,}|[\r\n\t]")
#: Letters that English doubles keep two of a longer run, the others one: "sooo" but "fuuuck".
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_SPACED_LETTERS = re.compile(
    r"(?<![\w'])[A-Za-z][ .\-_*|·](?:(?:[A-Za-z0134@$][ .\-_*|·]){2,}|[A-Za-z][ .\-_*|·])[A-Za-z](?![\w'])"
)
_MIXED_SCRIPT = re.compile(r"\b(?=\w*[A-Za-z])(?=\w*[Ͱ-ӿԀ-ԯ])\w+\b")
_DISGUISED = re.compile(f"[{_DISGUISES}]+")
_UNDISGUISED = re.compile(rf"(?![{_DISGUISES}])[Ͱ-ӿԀ-ԯ]")
#: Not the first half of a postcode in London.
_LEET_WORD = re.compile(
    r"(?<![\w@$/.])(?!(?:EC|SW|WC|W|NW|SE|E|N)[1-4][A-Z]\b)"
    r"(?:[A-Za-z]+(?:[013457@!$€]{1,2}[A-Za-z]+){1,4}\$?|[a-z]+\${1,2}|\$[a-z]{2,})(?![\w@$]|\.\w)"
)
_HASHTAG = re.compile(r"#\w*[a-z][A-Z]\w*")
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` in plain spelling; `origins[i]` is the index in the original of the character behind `text[i]`."""

    text: str
    origins: tuple[int, ...] | range

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` (not empty) stands in the original, end exclusive."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(text: str) -> Folded:
    """Compatibility forms, accents, invisible characters, look-alike letters, emoji (as their names), elongation,
    spaced-out letters, digits for letters and the words of a hashtag, all made plain. At most LONGEST characters
    are read.
    """
    return _fold_again(text) if len(text) <= _REMEMBERED else _fold(text[:LONGEST])


def _fold(text: str) -> Folded:
    folded = Folded(text, range(len(text))) if text.isascii() else _undisguised(_characters(text))
    for pattern, plain in _STEPS:
        folded = _replace(folded, pattern, plain)
    return _hashtags(folded) if "#" in text else folded


#: Model, word list and names fold the same texts, a block of comments after the other.
_fold_again = lru_cache(maxsize=256)(_fold)
#: In characters: what is remembered stays small.
_REMEMBERED = 1000


def _characters(text: str) -> Folded:
    plain: list[str] = []
    origins: list[int] = []
    previous = ""
    for index, character in enumerate(text):
        replacement = character if character.isascii() else _plain(character)
        if not replacement:
            continue
        if character == previous and len(replacement) > 3:
            continue  # a row of one emoji says no more than one
        previous = character
        plain.append(replacement)
        origins.extend([index] * len(replacement))
    return Folded("".join(plain), tuple(origins))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category in ("Cf", "Co", "Cn") or name.startswith(("COMBINING ", "VARIATION SELECTOR")):
        return ""
    if category in ("Cs", "Cc", "Zl", "Zp", "Zs"):
        return " "
    if category == "Sk" and character > "\uffff":
        return ""  # the skin tone of an emoji
    if category == "So":
        letter = _latin(character)
        return letter if letter.isascii() else _emoji_name(character)
    decomposed = unicodedata.normalize("NFKD", character.translate(_PUNCTUATION).translate(_PLAIN))
    plain = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
    return plain if plain.isascii() else _latin(plain)


def _latin(letter: str) -> str:
    """The plain letter of which `letter` is a variant, or itself."""
    match = _LATIN.fullmatch(unicodedata.name(letter, "")) if len(letter) == 1 else None
    if match is None:
        return letter
    return match[2].lower() if match[1] else match[2]


def _emoji_name(character: str) -> str:
    name = unicodedata.name(character, "")
    if not name or name.startswith("REGIONAL INDICATOR"):
        return " "
    return f" {' '.join(word for word in name.lower().replace('-', ' ').split() if word not in _FILLERS)} "


def _undisguised(folded: Folded) -> Folded:
    """Latin letters for those of other scripts that pass for them: in words that mix scripts, and in whole words
    where nothing else in the text is of another script.
    """
    text = folded.text
    if re.search("[A-Za-z]", text) and not _UNDISGUISED.search(text):
        return _replace(folded, _DISGUISED, _looks_like)
    return _replace(folded, _MIXED_SCRIPT, _looks_like)


def _looks_like(word: str) -> str:
    return word.translate(_LOOKALIKES)


def _hashtags(folded: Folded) -> Folded:
    """The words of #HashTags like this one, set apart."""
    text, origins = folded.text, folded.origins
    starts = [
        match.start() + next_.start()
        for match in _HASHTAG.finditer(text)
        for next_ in _NEXT_WORD.finditer(match[0])
    ]
    if not starts:
        return folded
    edges = [0, *starts, len(text)]
    words = " ".join(text[start:end] for start, end in pairwise(edges))
    kept = [*origins[: starts[0]]]
    for start, end in pairwise(edges[1:]):
        kept += (origins[start], *origins[start:end])
    return Folded(words, tuple(kept))


def _replace(folded: Folded, pattern: re.Pattern[str], plain: Callable[[str], str]) -> Folded:
    """Replace each match by what `plain` makes of it: a text that is not longer, aligned at its start."""
    text, origins = folded.text, folded.origins
    pieces: list[str] = []
    kept: list[int] = []
    position = 0
    for match in pattern.finditer(text):
        replacement = plain(match[0])
        pieces += (text[position : match.start()], replacement)
        kept.extend(origins[position : match.start()])
        kept.extend(_spread(origins, match.start(), match.end(), len(replacement)))
        position = match.end()
    if not pieces:
        return folded
    pieces.append(text[position:])
    kept.extend(origins[position:])
    return Folded("".join(pieces), tuple(kept))


def _spread(origins: tuple[int, ...] | range, start: int, end: int, length: int) -> list[int]:
    """Origins for `length` characters that replace `start:end`: the first and the last keep the edges."""
    if length == 0:
        return []
    return [*origins[start : start + length - 1], origins[end - 1]]


def _shorten_run(run: str) -> str:
    return run[:2] if run[0].lower() in "eols" else run[0]


def _join_letters(letters: str) -> str:
    return letters[::2]


def _leet(word: str) -> str:
    return word.translate(_LEET) if len(word) <= 12 else word


_STEPS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_SPACE, lambda _: " "),
    (_LONG_RUN, _shorten_run),
    (_SPACED_LETTERS, _join_letters),
    (_LEET_WORD, _leet),
)
