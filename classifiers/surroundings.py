"""The words of a text, and what stands around some of them: what tells a name from a word."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from classifiers.fold import Folded, fold

_TOKEN = re.compile(r"@[\w.]+|[a-z]+(?:'[a-z]+)*|\d+(?:'s\b)?", re.IGNORECASE)
_BREAK = re.compile(r'[.!?"|]')
#: What is left of "is", "will", "have" … after an apostrophe: no part of the word before it.
_CLIPPED = frozenset({"ll", "d", "re", "ve", "m"})
#: Titles whose full stop ends no sentence.
_ABBREVIATED = frozenset({"mr", "mrs", "ms", "mx", "dr", "rev", "revd", "prof", "cllr", "fr", "sr"})
#: The years of a school in words.
NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}


class Token(NamedTuple):
    """A word of a text: `word` in lower case without apostrophes, `written` as it stands there, without "'s".

    `gap` is what stands between the token before and this one; `owns` says that "'s" follows.
    """

    word: str
    written: str
    start: int
    end: int
    gap: str
    owns: bool

    @property
    def capital(self) -> bool:
        return self.written[0].isupper()

    @property
    def opens(self) -> bool:
        """Whether a sentence or a quotation begins here."""
        return self.start == 0 or bool(_BREAK.search(self.gap))

    @property
    def loose(self) -> bool:
        """Whether more than a space, a hyphen or an apostrophe parts it from the word before."""
        return self.gap.strip() not in ("", "-", "'")


_PRONOUNS = {"he": "man", "him": "man", "his": "man", "himself": "man", "hes": "man"} | {
    "she": "woman", "her": "woman", "hers": "woman", "herself": "woman", "shes": "woman"
}  # fmt: skip
#: In words: how far a pronoun may be from whom it means.
_NEAR = 10
#: In words: what is looked at of a text to know how it is written, and of the sentences around a word.
_ENOUGH, _SENTENCE = 200, 60
_DECADES = frozenset({"fifties", "sixties", "seventies", "eighties", "nineties"})
#: How memories of school days begin.
_WHEN = (
    " when i was there ",
    " when i was at ",
    " when i was here ",
    *(f" the {tens} s " for tens in (60, 70, 80, 90)),
)
BLANK = Token("", " ", 0, 0, "", False)


def tokens(folded: Folded, text: str) -> list[Token]:
    """The words of `text`, without those of emoji names; "y6" is two words, the first of them "year"."""
    return list(_tokens(folded, text))


def _tokens(folded: Folded, text: str) -> Iterator[Token]:
    plain, end, before = folded.text, 0, ""
    for match in _TOKEN.finditer(plain):
        start = match.start()
        if not (text[folded.origins[start]].isalnum() or match[0][0] == "@"):
            continue
        written, word, owns = match[0], match[0].lower(), False
        if "'" in word:
            base, _, tail = word.rpartition("'")
            owns = tail == "s"
            if owns or tail in _CLIPPED:
                written, word = written[: len(base)], base
            word = word.replace("'", "")
        gap, end = plain[end:start], match.end()
        if before in _ABBREVIATED and gap[:1] == ".":
            gap = gap[1:]
        if before == "year":
            word = NUMBERS.get(word, word)
        if word in ("y", "yr") and plain[end : end + 2].lstrip()[:1].isdigit():
            word = "year"
        before = word
        yield Token(word, written, start, start + len(written), gap, owns)


class Surroundings(NamedTuple):
    """What stands around the `length` words from `place` on."""

    tokens: Sequence[Token]
    place: int
    length: int

    @property
    def first(self) -> Token:
        return self.tokens[self.place]

    @property
    def last(self) -> Token:
        return self.tokens[self.place + self.length - 1]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(token.word for token in self.tokens[self.place : self.place + self.length])

    @property
    def before(self) -> Token:
        """The word before, in the same sentence; else a blank one."""
        return BLANK if self.first.opens else self.token(self.place - 1)

    @property
    def before_that(self) -> Token:
        before = self.before
        return BLANK if before is BLANK or before.opens else self.token(self.place - 2)

    @property
    def after(self) -> Token:
        """The word after, in the same sentence; else a blank one."""
        following = self.token(self.place + self.length)
        return BLANK if following.opens else following

    @property
    def after_that(self) -> Token:
        following = self.token(self.place + self.length + 1)
        return BLANK if self.after is BLANK or following.opens else following

    @property
    def owns(self) -> bool:
        return self.last.owns

    @property
    def ends(self) -> bool:
        """Whether the clause ends here."""
        following = self.token(self.place + self.length)
        return following is BLANK or following.opens or bool(following.gap.strip(" -"))

    @property
    def all_lower(self) -> bool:
        """Whether nothing in the whole text is written with a capital."""
        return not any(token.capital for token in self.tokens[:_ENOUGH])

    @property
    def shouted(self) -> bool:
        """Whether all is in capitals, which then say nothing."""
        if not self.first.written.isupper():
            return False
        return all(token.written.isupper() for token in self.tokens[:_ENOUGH] if len(token.word) > 3)

    @property
    def name_follows(self) -> bool:
        """Whether a capitalised word follows at once: "Hannah Jones"."""
        following = self.token(self.place + self.length)
        at_once = following.gap == " " and following.capital and len(following.word) > 1 and not self.owns
        return at_once and not self.shouted and not (following.written.isupper() and self.last.written.isupper())

    @property
    def near(self) -> Sequence[Token]:
        """The words near by, before and after."""
        return self.tokens[max(0, self.place - _SENTENCE) : self.place + _SENTENCE]

    @property
    def long_ago(self) -> bool:
        """Whether it is a memory: this or the sentence before has a year of long ago, or "when I was there"."""
        said = [token.word for token in self._two_sentences()]
        old = any(word in _DECADES or (len(word) == 4 and word[:2] == "19" and word.isdigit()) for word in said)
        text = f" {' '.join(said)} "
        return old or any(when in text for when in _WHEN)

    def _two_sentences(self) -> Sequence[Token]:
        """This sentence and the one before."""
        near = range(max(0, self.place - _SENTENCE), self.place + 1)
        opening = [place for place in near if self.tokens[place].opens]
        start = opening[-2] if len(opening) > 1 else near.start
        rest = self.tokens[self.place + self.length : self.place + self.length + _SENTENCE]
        end = next((place for place, token in enumerate(rest) if token.opens), len(rest))
        return [*self.tokens[start : self.place + self.length], *rest[:end]]

    @property
    def pronoun_follows(self) -> str | None:
        """Whom the next "he" or "she" near by speaks of: "man", "woman" or None."""
        start = self.place + self.length
        for token in self.tokens[start : start + _NEAR]:
            if token.opens or "'" in token.gap:
                return None
            if token.word in _PRONOUNS:
                return _PRONOUNS[token.word]
        return None

    def tied_to(self, words: Collection[str]) -> bool:
        """Whether "and" ties it to one of `words`: "Field and Stone"."""
        ahead, behind = self.place + self.length, self.place - 1
        return (self.token(ahead).word == "and" and self.token(ahead + 1).word in words) or (
            self.token(behind).word == "and" and self.token(behind - 1).word in words
        )

    def token(self, place: int) -> Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else BLANK


#: A way of naming somebody, as the words of a text: ("mrs", "price"), ("year", "4", "teacher").
Words = tuple[str, ...]


def words_of(text: str) -> Words:
    """The words of a name or role, as they would be read in a text: "Ms Ní Bhriain" -> ("ms", "ni", "bhriain")."""
    return tuple(token.word for token in tokens(fold(text), text))
