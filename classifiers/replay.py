"""What a changed classifier would say differently of comments that were read before."""

from collections.abc import Iterator, Sequence
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


def changes(before: Sequence[Reading], after: Sequence[Reading]) -> Iterator[Change]:
    """Label by label, comment by comment. Doubt that comes and goes by itself is not told: it moves nobody."""
    for label in Label:
        for index, (was, becomes) in enumerate(zip(before, after, strict=True)):
            if label in becomes.labels and label not in was.labels:
                yield Change(index, label, APPEARS)
            elif label in was.labels and label not in becomes.labels:
                yield Change(index, label, DOUBTED if label in becomes.doubt else VANISHES)
