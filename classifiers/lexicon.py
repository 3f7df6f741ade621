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

import yaml

from classifiers import phrases
from classifiers.fold import Folded, fold
from classifiers.threshold import Threshold
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Comment, Label, Scores, Span

FILE = Path(__file__).with_name("lexicon.yaml")
#: Labels whose one-word entries are also looked for behind asterisks and the like.
MASKABLE = (Label.PROFANITY, Label.HATE)

_WORD = re.compile(r"\w[\w*@!$#-]*")
_MASKS = "*@!$#-"
_MASK = re.compile(f"[{_MASKS}]")


class Strength(StrEnum):
    """How surely an entry speaks for its label; lexicon.yaml says what each means."""

    CERTAIN = "certain"
    CUE = "cue"
    HINT = "hint"


#: What an entry is worth as a probability when there is no model.
WORTH = {Strength.CERTAIN: 0.95, Strength.CUE: 0.85, Strength.HINT: 0.6}
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

    def __init__(self, words: Mapping[Label, Mapping[Strength, Sequence[str]]], version: str) -> None:
        self.version = version
        self._patterns = [
            (label, strength, phrases.pattern(entries))
            for label, groups in words.items()
            for strength, entries in groups.items()
        ]
        self._maskable = [
            (label, strength, _masked(entry))
            for label in MASKABLE
            for strength, entries in words.get(label, {}).items()
            for entry in entries
            if entry.strip("*").isalpha() and len(entry) > 3
        ]

    def find(self, text: str | Folded) -> list[Found]:
        """Every entry found in `text`, in order of appearance."""
        folded = fold(text) if isinstance(text, str) else text
        lower = folded.text.lower()
        found = {
            (*folded.original(match.start(), match.end()), label): strength
            for label, strength, pattern in reversed(self._patterns)
            for match in pattern.finditer(lower)
        }
        for start, end, label, strength in self._unmasked(lower):
            found.setdefault((*folded.original(start, end), label), strength)
        return [Found(*key, strength) for key, strength in sorted(found.items())]

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

    def _unmasked(self, lower: str) -> Iterator[tuple[int, int, Label, Strength]]:
        for word in _WORD.finditer(lower):
            if _MASK.search(word[0]) is None or len(word[0]) > 20:
                continue
            masked = word[0].rstrip("-!")
            for label, strength, pattern in self._maskable:
                if pattern.fullmatch(masked):
                    yield word.start(), word.start() + len(masked), label, strength
                    break


@cache
def load() -> Lexicon:
    """The shipped word list. Raises ClassifierError when it cannot be read."""
    try:
        raw = FILE.read_bytes()
        words = {
            Label(label): {Strength(strength): phrases.flatten(entries) for strength, entries in groups.items()}
            for label, groups in yaml.safe_load(raw).items()
        }
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ClassifierError(f"the word list {FILE.name} cannot be read: {error}") from error
    return Lexicon(words, version=sha256(raw).hexdigest()[:12])


def _masked(entry: str) -> re.Pattern[str]:
    stem = entry.strip("*")
    rest = "".join(rf"[{letter}{_MASKS}]" for letter in stem[1:])
    return re.compile(stem[0] + rest + (r"\w*" if entry.endswith("*") else ""))
