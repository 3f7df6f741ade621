"""A light guess at the language of a comment: enough to say that the model, which reads English, cannot read it."""

import re
import unicodedata
from collections import Counter, defaultdict

#: Words that stand in nearly every sentence of a language and are rare in the others, in plain letters.
_COMMON = {
    "en": "the a an and is are was were i you he she it we they my your his her our of to in on for at that this "
    "not with have has be been do does did will can what when where who how why please thank thanks so all just "
    "but if there their them me us from as by or no yes up out good well lovely love great school year kids",
    "pl": "jest nie sie na z do to ze jak co dla ale czy bardzo prosze dzieci tak juz moje dzien dobry",
    "ro": "este nu si la cu pentru care sunt ce mai foarte va rog copii multumesc dar din",
    "pt": "nao que para com uma os isso muito obrigado obrigada criancas e voce por mas esta",
    "es": "que el los las una por con para muy gracias pero esta es ninos porque como del",
    "fr": "le les des une est pas que pour dans avec tres merci mais vous nous c'est je sont",
    "de": "der die das und ist nicht ein eine mit fur sehr danke aber ich sie wir kinder auch",
    "it": "il che non per con una sono molto grazie ma del della gli perche bambini",
    "cy": "yn y yr a'r mae ar gyfer diolch da iawn pawb ysgol plant wedi bore ydy oes",
    "tr": "bir ve cok icin bu ne degil tesekkurler ama okul cocuklar ile da",
    "so": "waa iyo ku ka oo aad mahadsan carruurta in uu ayaa",
    "ur": "hai hain ki ka ke ko se nahi aur bohat bahut shukriya bachay kiya mein kya",
    "sq": "nuk eshte dhe per me te shume faleminderit femijet ne",
    "lt": "yra ir ne kad su labai aciu vaikai bet tai",
}
#: Word -> the languages in which it is common.
_LANGUAGES = defaultdict(list)
for _language, _words in _COMMON.items():
    for _word in set(_words.split()):
        _LANGUAGES[_word].append(_language)
_SCRIPTS = {
    "ARABIC": "ar", "BENGALI": "bn", "DEVANAGARI": "hi", "GUJARATI": "gu", "GURMUKHI": "pa", "TAMIL": "ta",
    "HEBREW": "he", "GREEK": "el", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "THAI": "th",
}  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def guess(text: str) -> str:
    """ISO 639-1 code of the language of `text` (its first 2,000 characters), "und" where there is nothing to go by.

    Latin letters count as English unless several common words of another language outnumber the English ones.
    """
    words = [_plain(word) for word in _LETTERS.findall(text[:2000])]
    if not words:
        return "und"
    script, share = _script("".join(words))
    if script != "LATIN" and share > 0.5:
        return _cyrillic(words) if script == "CYRILLIC" else _SCRIPTS.get(script, "und")
    counts = Counter(language for word in words for language in _LANGUAGES.get(word, ()))
    best, hits = max(counts.items(), key=lambda each: each[1], default=("en", 0))
    return best if hits >= 2 and hits > 2 * counts["en"] else "en"


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.lower().replace("ł", "l"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _script(letters: str) -> tuple[str, float]:
    """The most frequent script, by the first word of its letters' Unicode names, and its share."""
    if letters.isascii():
        return "LATIN", 1.0
    names = Counter(unicodedata.name(letter, "UNKNOWN").split(" ")[0] for letter in letters)
    script, count = names.most_common(1)[0]
    return script, count / len(letters)


def _cyrillic(words: list[str]) -> str:
    letters = set("".join(words))
    if letters & set("іїєґ"):
        return "uk"
    return "ru" if letters & set("ыэъ") else "und"
