"""The word list: a classifier by itself, the explanation of scores, and a net under the model.

The words are in lexicon.yaml; how surely an entry speaks for its label is its strength.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from classifiers.fold import Folded, fold
from classifiers.phrases import Phrases, flatten
from classifiers.threshold import Threshold
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Comment, Label, Scores, Span

FILE = Path(__file__).with_name("lexicon.yaml")
#: Labels whose one-word entries are also looked for behind asterisks and the like.
MASKABLE = (Label.PROFANITY, Label.HATE)

_MASKS = r"*@!$#\-"
#: A word of at most 20 letters and masks; a "!" or "-" after it is none of it.
_MASKED = re.compile(rf"(?<![\w{_MASKS}])(?=[a-z@$5])[\w{_MASKS}]{{2,19}}[\w*@$#](?=[!\-]*(?![\w{_MASKS}]))")
_HIDES = re.compile(rf"[{_MASKS}\d]")
#: First letters that say enough where most is hidden: f***, s***, c***, b******, w*****.
_PLAIN_ENOUGH = "fscbw"
_LEET = {"a": "@4", "s": "$5", "i": "1!", "e": "3", "o": "0", "t": "7"}


class Strength(StrEnum):
    """How surely an entry speaks for its label; lexicon.yaml says what each means."""

    CERTAIN = "certain"
    CUE = "cue"
    SIGN = "sign"
    HINT = "hint"


#: What an entry is worth as a probability when there is no model.
WORTH = {Strength.CERTAIN: 0.95, Strength.CUE: 0.85, Strength.SIGN: 0.6, Strength.HINT: 0.6}
#: The score of a label for which nothing was found: the list knows little, so it is never sure of that.
NOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Found:
    """An entry found in a text: where in the original (end exclusive), for which label, how surely."""

    start: int
    end: int
    label: Label
    strength: Strength

    @property
    def span(self) -> Span:
        return Span(start=self.start, end=self.end, label=self.label)


class Lexicon:
    """Implements ports.Classifier. `name` is "lexicon", `version` the hash of its words."""

    name = "lexicon"
    thresholds: Mapping[Label, Threshold] = dict.fromkeys(Label, Threshold(over=0.5, possibly=0.5))

    def __init__(
        self, words: Mapping[Label, Mapping[Strength, Sequence[str]]], innocent: Sequence[str], version: str
    ) -> None:
        self.version = version
        kinds = [(label, strength) for label in words for strength in Strength if strength in words[label]]
        self._phrases = Phrases({kind: words[kind[0]][kind[1]] for kind in kinds})
        self._innocent = Phrases({"innocent": innocent})
        self._masked = [
            (kind, _masked(entry))
            for kind in kinds
            if kind[0] in MASKABLE
            for entry in words[kind[0]][kind[1]]
            if entry.strip("*").isalpha() and len(entry) > 3
        ]

    def find(self, text: str | Folded) -> list[Found]:
        """Every entry found in `text`, in order of appearance."""
        folded = fold(text) if isinstance(text, str) else text
        lower = folded.text.lower()
        found: dict[tuple[int, int, Label], Strength] = {}
        for start, end, (label, strength) in (*self._phrases.find(lower), *self._unmasked(lower)):
            found.setdefault((start, end, label), strength)
        if not found:
            return []
        innocent = [(start, end) for start, end, _ in self._innocent.find(lower)]
        return [
            Found(*folded.original(start, end), label, strength)
            for (start, end, label), strength in sorted(found.items())
            if not any(first <= start and end <= last for first, last in innocent)
        ]

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        """The worth of the surest entry per label; what is answered says nothing."""
        return [self._scores(comment.text) for comment in comments]

    def _scores(self, text: str) -> Scores:
        scores = {str(label): NOTHING for label in Label}
        for found in self.find(text):
            scores[found.label] = max(scores[found.label], WORTH[found.strength])
        if "?" in text:
            scores[Label.QUERY] = max(scores[Label.QUERY], WORTH[Strength.HINT])
        return scores

    def _unmasked(self, lower: str) -> Iterator[tuple[int, int, tuple[Label, Strength]]]:
        if _HIDES.search(lower) is None:
            return
        for word in _MASKED.finditer(lower):
            hidden = len(_HIDES.findall(word[0]))
            if not hidden or (2 * hidden > len(word[0]) and word[0][0] not in _PLAIN_ENOUGH):
                continue
            for kind, pattern in self._masked:
                if pattern.fullmatch(word[0]):
                    yield *word.span(), kind
                    break


@cache
def load() -> Lexicon:
    """The shipped word list. Raises ClassifierError when it cannot be read."""
    try:
        raw = FILE.read_bytes()
        groups = yaml.safe_load(raw)
        innocent = flatten(groups.pop("innocent"))
        words = {
            Label(label): {Strength(strength): _entries(rows) for strength, rows in strengths.items()}
            for label, strengths in groups.items()
        }
        return Lexicon(words, innocent, version=sha256(raw).hexdigest()[:12])
    except (OSError, ValueError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ClassifierError(f"the word list {FILE.name} cannot be read: {error}") from error


def _entries(rows: Any) -> list[str]:
    """The entries of `rows`, which may be sorted by severity."""
    return flatten([row for each in rows.values() for row in each] if isinstance(rows, Mapping) else rows)


def _masked(entry: str) -> re.Pattern[str]:
    stem = entry.strip("*")
    letters = [rf"[{letter}{_LEET.get(letter, '')}{_MASKS if place else ''}]" for place, letter in enumerate(stem)]
    before, after = (r"\w*" if entry.startswith("*") else ""), (rf"[\w{_MASKS}]*" if entry.endswith("*") else "")
    return re.compile(before + "".join(letters) + after)
