"""What a changed classifier would say differently of comments that were read before."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.domain.verdict import Label, Reading


@dataclass(frozen=True, slots=True)
class Change:
    """The label that the comment at `index` would get, would keep as possible only, or would lose altogether."""

    index: int
    label: Label
    how: str


#: How a label changes, in the order in which it is told.
APPEARS, DOUBTED, VANISHES = "appears", "becomes possible", "vanishes"
HOW = (APPEARS, DOUBTED, VANISHES)


#: A label that would appear in more than this share of the comments, and oftener than it is there now, has run
#: wild; one of which more than half would be lost, and not just a handful, has gone blind.
WILD, BLIND, HANDFUL = 0.05, 0.5, 5

_ADVICE = "Judge some of them, put them into the file, and tune again"


def changes(before: Sequence[Reading], after: Sequence[Reading]) -> Iterator[Change]:
    """Label by label, comment by comment. Doubt that comes and goes by itself is not told: it moves nobody."""
    for label in Label:
        for index, (was, becomes) in enumerate(zip(before, after, strict=True)):
            if label in becomes.labels and label not in was.labels:
                yield Change(index, label, APPEARS)
            elif label in was.labels and label not in becomes.labels:
                yield Change(index, label, DOUBTED if label in becomes.doubt else VANISHES)


def too_much(found: Iterable[Change], before: Sequence[Reading]) -> Iterator[str]:
    """What the changes say against it: few corrections teach what nobody meant to say of other comments."""
    counts = Counter((each.label, each.how == APPEARS) for each in found)
    for label in Label:
        there = sum(label in each.labels for each in before)
        appear, lost = counts[label, True], counts[label, False]
        if appear > max(WILD * len(before), there):
            yield f"{label} would appear in {appear} of {len(before)} comments; {there} have it now. {_ADVICE}"
        if lost > max(BLIND * there, HANDFUL):
            yield f"{label} would be lost in {lost} of the {there} comments that have it now. {_ADVICE}"
