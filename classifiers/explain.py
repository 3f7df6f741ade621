"""Why a text has a label: the words without which the model would be less sure of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.domain.ports import Classifier
from monitor.domain.verdict import Comment, Label, Scores, Span

#: Into how many pieces a text is cut, to be left out one at a time.
PIECES = 8
#: Only this much of a text is explained, in words.
LONGEST = 120
#: The share of the score that must go with a piece for it to count as the reason.
SHARE = 0.2

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A comment, its scores, and the labels to explain."""

    comment: Comment
    scores: Scores
    labels: tuple[Label, ...]


def explain(classifier: Classifier, wanted: Sequence[Unexplained]) -> list[list[Span]]:
    """Per comment at most one span a label: the piece of it that carried the score, found by leaving pieces out.

    One call to the classifier for all comments. Raises ClassifierError.
    """
    pieces = [_pieces(each.comment.text) for each in wanted]
    without = [
        replace(each.comment, text=each.comment.text[:start] + " " + each.comment.text[end:])
        for each, spans in zip(wanted, pieces, strict=True)
        for start, end in spans
    ]
    scores = iter(classifier.score(without))
    return [
        _reasons(each, spans, [next(scores) for _ in spans]) for each, spans in zip(wanted, pieces, strict=True)
    ]


def _pieces(text: str) -> list[tuple[int, int]]:
    words = [match.span() for match in _WORD.finditer(text)]
    if not 2 <= len(words) <= LONGEST:
        return []
    size = max(1, -(-len(words) // PIECES))
    return [(words[first][0], words[min(first + size, len(words)) - 1][1]) for first in range(0, len(words), size)]


def _reasons(
    each: Unexplained, spans: Sequence[tuple[int, int]], without: Sequence[Mapping[str, float]]
) -> list[Span]:
    reasons = []
    for label in each.labels:
        drops = [each.scores[label] - scores[label] for scores in without]
        best = max(range(len(drops)), key=drops.__getitem__, default=None)
        if best is not None and drops[best] >= SHARE * each.scores[label]:
            reasons.append(Span(start=spans[best][0], end=spans[best][1], label=label))
    return reasons
