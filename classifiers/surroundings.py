"""The words of a text, and what stands around some of them: what tells a name from a word."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from classifiers.fold import Folded
from classifiers.roster import NUMBERS

_TOKEN = re.compile(r"@[\w.]+|[a-z]+|\d+", re.IGNORECASE)
_BREAK = re.compile(r'[.!?"]')


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text. `word` is lower case; `gap` is what stands between the token before and this one."""

    word: str
    written: str
    start: int
    end: int
    gap: str

    @property
    def capital(self) -> bool:
        return self.written[0].isupper()

    @property
    def opens(self) -> bool:
        """Whether a sentence or a quotation begins here."""
        return self.start == 0 or bool(_BREAK.search(self.gap))

    @property
    def loose(self) -> bool:
        """Whether more than a space, hyphen, apostrophe or a title's full stop parts it from the word before."""
        return self.gap.strip(" .") not in ("", "-", "'")


_BLANK = Token("", " ", 0, 0, "")


def tokens(folded: Folded, text: str) -> list[Token]:
    """The words of `text`, without those of emoji names; "y6" is two words."""
    return list(_tokens(folded, text))


def _tokens(folded: Folded, text: str) -> Iterator[Token]:
    end = 0
    for match in _TOKEN.finditer(folded.text):
        if not (text[folded.origins[match.start()]].isalnum() or match[0].startswith("@")):
            continue
        lower = match[0].lower()
        gap, end = folded.text[end : match.start()], match.end()
        numbered = folded.text[end : end + 2].lstrip()[:1].isdigit()
        word = "year" if numbered and lower in ("y", "yr") else NUMBERS.get(lower, lower)
        yield Token(word, match[0], match.start(), end, gap)


@dataclass(frozen=True, slots=True)
class Surroundings:
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
    def before(self) -> Token:
        """The word before, in the same sentence; else a blank one."""
        return _BLANK if self.first.opens else self._token(self.place - 1)

    @property
    def before_that(self) -> Token:
        return _BLANK if self.before.opens else self._token(self.place - 2)

    @property
    def after(self) -> Token:
        """The word after, in the same sentence, past a possessive; else a blank one."""
        place = self.place + self.length
        following = self._token(place + 1 if self.possessive else place)
        return _BLANK if following.opens else following

    @property
    def possessive(self) -> bool:
        following = self._token(self.place + self.length)
        return following.word == "s" and "'" in following.gap

    @property
    def shortened(self) -> bool:
        """Whether an apostrophe follows that makes it another word: "shan't"."""
        return self._token(self.place + self.length).gap == "'" and not self.possessive

    @property
    def all_lower(self) -> bool:
        """Whether nothing in the whole text is written with a capital."""
        return not any(token.capital for token in self.tokens)

    @property
    def shouted(self) -> bool:
        """Whether all is in capitals, which then say nothing."""
        return self.first.written.isupper() and all(t.written.isupper() for t in self.tokens if len(t.word) > 3)

    @property
    def name_follows(self) -> bool:
        """Whether a capitalised word follows at once: "Hannah Jones"."""
        following = self._token(self.place + self.length)
        return following.gap == " " and following.capital and len(following.word) > 1 and not self.shouted

    def followed_by(self, *words: str) -> bool:
        start = self.place + self.length
        return tuple(token.word for token in self.tokens[start : start + len(words)]) == words

    def tied_to(self, words: Collection[str]) -> bool:
        """Whether "and" ties it to one of `words`: "Field and Stone"."""
        ahead, behind = self.place + self.length, self.place - 1
        return (self._token(ahead).word == "and" and self._token(ahead + 1).word in words) or (
            self._token(behind).word == "and" and self._token(behind - 1).word in words
        )

    def _token(self, place: int) -> Token:
        return self.tokens[place] if 0 <= place < len(self.tokens) else _BLANK
