"""X's search language, as far as schools use it: words, "phrases", OR, -not, (groups), operators such as from:."""

import re
from collections.abc import Mapping

_TOKENS = re.compile(r'-?\(|\)|-?"[^"]*"|[^\s()]+')
_WORDS = re.compile(r"[@#]?\w+")


def matches(query: str, facts: Mapping[str, str], text: str) -> bool:
    """Whether a post with these operator `facts` and this text is found by `query`."""
    return _Query(_TOKENS.findall(query), facts, _WORDS.findall(text.lower())).alternatives()


class _Query:
    """One pass over a query's tokens; a space binds tighter than OR."""

    def __init__(self, tokens: list[str], facts: Mapping[str, str], words: list[str]) -> None:
        self._tokens = tokens
        self._facts = facts
        self._words = words
        self._place = 0

    def alternatives(self) -> bool:
        found = self._all_of()
        while self._peek() == "OR":
            self._place += 1
            found = self._all_of() or found
        return found

    def _all_of(self) -> bool:
        found = True
        while self._peek() not in ("OR", ")", ""):
            found = self._term() and found
        return found

    def _term(self) -> bool:
        term = self._tokens[self._place]
        self._place += 1
        wanted = not term.startswith("-")
        term = term.removeprefix("-")
        if term == "(":
            found = self.alternatives()
            self._place += 1
        else:
            found = self._holds(term)
        return found is wanted

    def _holds(self, term: str) -> bool:
        name, _, value = term.partition(":")
        if name in self._facts and value:
            return self._facts[name] == value.lower().lstrip("@")
        wanted = _WORDS.findall(term.lower())
        bare = wanted if term.startswith(("@", "#")) else [word.lstrip("@#") for word in wanted]
        words = self._words if term.startswith(("@", "#")) else [word.lstrip("@#") for word in self._words]
        spans = (words[start : start + len(bare)] for start in range(len(words) - len(bare) + 1))
        return bool(bare) and bare in spans

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""
