"""A light guess at the language of a comment: enough to say that the model, which reads English, cannot read it."""

import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import yaml

#: Words of English (training/english.py) and common ones of other languages.
ENGLISH = Path(__file__).with_name("english.txt")
LANGUAGES = Path(__file__).with_name("languages.yaml")
#: What is read of a text, in characters.
READ = 2000
#: A text is English when so many of its words are.
ENOUGH = 0.4
#: ... and it is none when so many of its words are another language's.
MOSTLY = 0.65
#: So many words that are not English, one of which is known in another language, make a text of that language; so
#: many of which none is known make one of a language that has no name here.
FOREIGN, UNKNOWN = 2, 5

_english = frozenset(ENGLISH.read_text(encoding="utf-8").split())
_common: dict[str, str] = yaml.safe_load(LANGUAGES.read_text(encoding="utf-8"))
_ORDER = list(_common)
_foreign: dict[str, list[str]] = defaultdict(list)
for _language in _ORDER:
    for _word in set(_common[_language].split()):
        _foreign[_word].append(_language)

#: Endings of which English makes words as it goes.
_MADE = re.compile(r"\w{2,}(?:ing|ed|ly|ness|tion|tions|ish|ful|less|able|ers?|ies|'s|s'|'ve|'ll|n't)")
_VOWEL = re.compile("[aeiouyw]")
_SCRIPTS = {
    "BENGALI": "bn", "DEVANAGARI": "hi", "GUJARATI": "gu", "GURMUKHI": "pa", "TAMIL": "ta",
    "HEBREW": "he", "GREEK": "el", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "THAI": "th",
    "ETHIOPIC": "am", "ARMENIAN": "hy", "GEORGIAN": "ka", "TELUGU": "te", "SINHALA": "si", "MALAYALAM": "ml",
}  # fmt: skip
#: Letters that one language of a script has and the next in the row have not.
_CYRILLIC = {"uk": "іїєґ", "ru": "ыэё", "bg": "ъ"}
_ARABIC = {"ur": "ٹڈڑںےہ", "fa": "پچژگ"}
#: Scripts that set no spaces: there a whole sentence looks like one word, and so many letters are more than one.
_UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"})
SENTENCE = 4
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "’": "'"})
_MARKS = re.compile("[/@#.]")
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|\S*@\S+|#\w+")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def guess(text: str) -> str:
    """ISO 639-1 code of the language of `text` (its first 2,000 characters), "und" where there is nothing to go by,
    "mis" for a language that has no name here.

    Latin letters are English unless several words are not: one word of thanks in any language is no matter.
    """
    words = words_of(text)
    if not words:
        return "und"
    letters = "".join(words)
    if not letters.isascii():
        script, share = _script(letters)
        if script != "LATIN" and share > 0.5:
            alone = len(letters) < SENTENCE if script in _UNSPACED else len(words) == 1
            return "und" if alone else _of_script(script, letters)
    return _of_words(words)


def is_english(word: str) -> bool:
    """Whether the word, in small letters, is one that is written in English comments."""
    return word in _english


def words_of(text: str) -> list[str]:
    """The words at the beginning of `text`, in ordinary letters; links, handles and hashtags are none."""
    text = text[:READ] if text.isascii() else unicodedata.normalize("NFKC", text[:READ])
    return _LETTERS.findall(_NO_WORDS.sub(" ", text) if _MARKS.search(text) else text)


def plain(word: str) -> str:
    """`word` in small letters without accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.lower().translate(_PLAIN))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _of_words(words: list[str]) -> str:
    known = [plain(word) for word in words]
    other = {word for word in known if word not in _english}
    if len(other) < FOREIGN:
        return "en"
    counts = Counter(language for word in known for language in _foreign.get(word, ()))
    likeliest = max(counts, key=lambda language: (counts[language], -_ORDER.index(language)), default="mis")
    if sum(word in _english for word in known) >= ENOUGH * len(words):
        return likeliest if counts[likeliest] >= MOSTLY * len(words) else "en"
    evidence = {word for word in other if word in _foreign}
    strange = _strange(words)
    if strange and (len(evidence) > 1 or any(len(word) > 2 for word in evidence)):
        return likeliest
    return "mis" if strange >= UNKNOWN and strange > len(words) - strange else "en"


def _strange(words: list[str]) -> int:
    """How many of `words` are none of English, nor made as English makes words, nor a name, nor an abbreviation."""
    shouted = "".join(words).isupper()
    low = (plain(word) for word in words if shouted or word.islower())
    return sum(word not in _english and not _MADE.fullmatch(word) and bool(_VOWEL.search(word)) for word in low)


def _script(letters: str) -> tuple[str, float]:
    """The most frequent script, by the first word of its letters' Unicode names, and its share."""
    names = Counter(unicodedata.name(letter, "UNKNOWN").split(" ")[0] for letter in letters)
    script, count = names.most_common(1)[0]
    return script, count / len(letters)


def _of_script(script: str, letters: str) -> str:
    """The language that is likeliest in a script; its letters tell those apart that share it."""
    seen = set(letters.lower())
    if script == "CYRILLIC":
        return next((language for language, own in _CYRILLIC.items() if seen & set(own)), "ru")
    if script == "ARABIC":
        return next((language for language, own in _ARABIC.items() if seen & set(own)), "ar")
    return _SCRIPTS.get(script, "mis")
