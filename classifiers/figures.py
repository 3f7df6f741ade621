"""What is counted of a classifier's answers: F1, recall, area, calibration, with bootstrap intervals.

Everything that intervals are given for is a ratio of counts over comments, so one resampling of the comments (a
matrix of how often each was drawn) serves all figures: drawn counts are a matrix product. Percentile bootstrap,
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

DRAWS = 1000
SEED = 20261121
#: Bins of the calibration error, of equal width.
BINS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and where 95 of 100 resamplings put it; `low` and `high` are nan where nothing could be counted."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "–" if np.isnan(self.value) else f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


class Sampling:
    """The comments as they are (first row) and as DRAWS resamplings draw them."""

    def __init__(self, comments: int) -> None:
        chance = np.random.default_rng(SEED)
        drawn = chance.multinomial(comments, np.full(comments, 1 / comments), size=DRAWS)
        self._drawn = np.vstack([np.ones(comments), drawn])

    def count(self, each: NDArray[np.generic]) -> Floats:
        """Sums over the comments of `each`, (comments,) or (comments, k), in every resampling."""
        return np.asarray(self._drawn @ each.astype(np.float64))

    def f1(self, said: Booleans, true: Booleans) -> Floats:
        """F1 in every resampling, per column where there are columns; nan where nothing was there or said."""
        return _ratio(2 * self.count(said & true), self.count(said) + self.count(true))

    def pooled_f1(self, said: Booleans, true: Booleans) -> Floats:
        """Micro-F1 over all columns."""
        return self.f1_of((said & true).sum(1), said.sum(1), true.sum(1))

    def f1_of(self, hits: NDArray[np.int_], said: NDArray[np.int_], true: NDArray[np.int_]) -> Floats:
        """F1 where one comment may count several times."""
        return _ratio(2 * self.count(hits), self.count(said) + self.count(true))

    def share(self, part: Booleans, whole: Booleans) -> Floats:
        """How much of `whole` is in `part`."""
        return _ratio(self.count(part & whole), self.count(whole))


def figure(values: Floats) -> Figure:
    """Of values in every resampling, the first of which is the comments as they are."""
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (np.nan, np.nan)
    return Figure(float(values[0]), float(low), float(high))


def area(scores: Floats, true: Booleans) -> float:
    """Area under the ROC curve: the chance that an example scores above a non-example; nan without either."""
    if not true.any() or true.all():
        return float("nan")
    above = scores[true][:, None] - scores[~true][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def calibration_error(scores: Floats, true: Booleans) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599): how far scores are from what they promise."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [abs(scores[bins == b].sum() - true[bins == b].sum()) for b in range(BINS)]
    return float(sum(gaps) / max(1, len(scores)))


def precision_recall(scores: Floats, true: Booleans) -> tuple[Floats, Floats]:
    """Precision and recall when the best 1, 2, 3 … comments are taken."""
    ranked = true[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(ranked)
    return hits / np.arange(1, len(ranked) + 1), hits / max(1, hits[-1] if len(hits) else 0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan))
