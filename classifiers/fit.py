"""Fitting a tuning to a school's corrections: per label a ridge logistic regression on the model's features, with
the model's own logit as offset, then a threshold.

What is learnt is a correction, drawn to none. How strongly, cross-validation decides for each label; where no
strength is surely better than none, the label's scores stay as they are.

Corrections are no sample of what a school reads: fitted to them alone, a label would spread to what they are silent
about. So comments that nobody corrected are fitted too, each aiming at the score that it has.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluate import LABELS, URGENT
from classifiers.figures import Booleans
from classifiers.seen import Model, Seen
from classifiers.threshold import Threshold
from classifiers.tuning import Floats, Tuning, TuningError
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Label, Reading

#: Fewer corrections teach nothing that could be checked.
FEWEST = 60
#: A label learns from so many comments that have it and so many that have it not.
ENOUGH = 10
#: How strongly weights may be drawn to zero, weakest first: precisions of a prior, for features of length 1.
STRENGTHS = (1.0, 3.0, 10.0, 30.0)
#: Parts of a cross-validation.
PARTS = 5
#: The fitting of one regression ends when no weight moves by more than this, or after so many steps.
SMALL, STEPS = 1e-3, 300
#: F-beta that a threshold aims at: over 1 a miss is worse than a needless look.
BETA = {label: 1.5 if label in URGENT else 1.0 for label in LABELS}
CUTS = np.linspace(0.1, 0.9, 81)
#: A new threshold counts like the label's examples, the old one like so many.
OLD_COUNTS = 20
#: Resamplings over which the best threshold is averaged: that of so few comments is chance.
RESAMPLINGS = 200
SEED = 20261121


def learnable(true: Booleans) -> tuple[Label, ...]:
    """The labels of which there are enough among comments (n, 12); at least one.

    Raises TuningError, saying how many more are needed, where there are too few.
    """
    lacking = np.maximum(ENOUGH - np.minimum(true.sum(axis=0), (~true).sum(axis=0)), 0)
    labels = tuple(label for label, more in zip(LABELS, lacking, strict=True) if not more)
    if len(true) >= FEWEST and labels:
        return labels
    wanted = ", ".join(f"{label} {more}" for label, more in zip(LABELS, lacking, strict=True) if more)
    raise TuningError(
        f"too few corrections: {len(true)} different comments, and {FEWEST} are needed "
        f"({max(0, FEWEST - len(true))} more); a label is learnt from {ENOUGH} comments that have it and {ENOUGH} "
        f"that have it not. Still wanted per label: {wanted or 'none'}"
    )


def fit(seen: Seen, labels: Collection[Label], model: Model, names: NameFinder, now: datetime) -> Tuning:
    """A tuning, without figures; other labels than `labels` stay as they are. Same input, same result.

    At least PARTS of `seen` are judged.
    """
    wanted = np.array([label in labels for label in LABELS])
    crossed = _crossed(seen)
    gains = (_loss(seen.logits, seen.true) - _loss(crossed, seen.true))[:, seen.judged]
    mean, error = gains.mean(axis=1), gains.std(axis=1) / np.sqrt(gains.shape[1])
    best, column = mean.argmax(axis=0), np.arange(len(LABELS))
    learnt = wanted & (mean[best, column] > error[best, column])
    weights, shift = _Rows(seen.features).fit(seen.logits, _aim(seen), np.array(STRENGTHS)[best])
    unseen = np.where(learnt, crossed[best, :, column].T, seen.logits)
    before, after = _scores(seen.before), _scores(seen.read(unseen, model.thresholds, names))
    taught = (seen.true & seen.judged[:, None]).sum(axis=0)
    thresholds = {
        label: _threshold(
            label, before[:, i], after[:, i], seen.true[:, i], model.thresholds[label], int(taught[i])
        )
        for i, label in enumerate(LABELS)
        if wanted[i]
    }
    return Tuning(
        model=model.version,
        made_at=now,
        comments=int(seen.judged.sum()),
        weights=(weights * learnt[:, None]).astype(np.float32),
        shift=shift * learnt,
        thresholds={**model.thresholds, **thresholds},
        figures={},
    )


def parts(seen: Seen) -> NDArray[np.int_]:
    """For each comment the part, 0 to PARTS - 1, that it falls into, so that every label is spread over all parts,
    among what was judged and among the rest.
    """
    part = np.zeros(len(seen.true), dtype=int)
    for group in (seen.judged, ~seen.judged):
        part[group] = deal(seen.true[group])
    return part


def deal(true: Booleans) -> NDArray[np.int_]:
    """Comments (n, 12) dealt into PARTS, the rarest label first (Sechidis et al., On the Stratification of
    Multi-Label Data, 2011).
    """
    chance = np.random.default_rng(SEED)
    part = np.full(len(true), -1)
    nothing = ~true.any(axis=1, keepdims=True)
    columns = np.hstack([true, nothing])
    for column in np.argsort(columns.sum(axis=0), kind="stable"):
        undealt = chance.permutation(np.flatnonzero(columns[:, column] & (part < 0)))
        sizes = np.array([(columns[:, column] & (part == each)).sum() for each in range(PARTS)])
        for index in undealt:
            smallest = int(sizes.argmin())
            part[index] = smallest
            sizes[smallest] += 1
    return part


class _Rows:
    """Features of some comments, each measured by its spread over them, and a constant: ready to fit."""

    def __init__(self, features: Floats) -> None:
        self._mean = features.mean(axis=0)
        self._spread = (features.std(axis=0) + 1e-6) * np.sqrt(features.shape[1])
        scaled = (features - self._mean) / self._spread
        rows = np.hstack([scaled, np.ones((len(scaled), 1))]).astype(np.float64)
        self._directions = _directions(rows)
        self._rows = rows @ self._directions.T
        self._size = (self._rows**2).sum(axis=0)

    def fit(self, offset: Floats, aim: Floats, strength: Floats) -> tuple[Floats, Floats]:
        """Weights (12, 768) and shift (12,) in terms of the features as they came; `strength` (12,).

        Each step divides by an upper bound of the curvature, which is diagonal along the singular directions
        (Böhning and Lindsay, Monotonicity of quadratic-approximation algorithms, 1988): it cannot overshoot.
        """
        bound = (self._size / 4)[:, None] + strength
        along = np.zeros(bound.shape)
        for _ in range(STEPS):
            said = _probability(offset + self._rows @ along)
            step = (self._rows.T @ (said - aim) + strength * along) / bound
            along -= step
            if np.abs(step).max() < SMALL:
                break
        found = along.T @ self._directions
        weights = found[:, :-1] / self._spread
        return weights, found[:, -1] - weights @ self._mean


def _directions(rows: Floats) -> Floats:
    """The right singular vectors of `rows`, as rows; by the smaller of its two squares, which takes a fifth of the
    time of a singular value decomposition.
    """
    wide = len(rows) < rows.shape[1]
    values, vectors = np.linalg.eigh(rows @ rows.T if wide else rows.T @ rows)
    kept = values > values[-1] * 1e-9
    found = vectors.T[kept]
    return np.asarray(found @ rows / np.sqrt(values[kept])[:, None] if wide else found)


def _crossed(seen: Seen) -> Floats:
    """Logits (strengths, n, 12), each comment's from weights that were fitted without its part."""
    part, aim = parts(seen), _aim(seen)
    logits = np.zeros((len(STRENGTHS), *seen.logits.shape))
    for each in range(PARTS):
        held, rest = np.flatnonzero(part == each), np.flatnonzero(part != each)
        rows = _Rows(seen.features[rest])
        for number, strength in enumerate(STRENGTHS):
            weights, shift = rows.fit(seen.logits[rest], aim[rest], np.full(len(LABELS), strength))
            logits[number, held] = seen.logits[held] + seen.features[held] @ weights.T + shift
    return logits


def _aim(seen: Seen) -> Floats:
    """The scores (n, 12) to be reached: what a person said, else what the model says."""
    return np.where(seen.judged[:, None], seen.true, _probability(seen.logits))


def _scores(readings: Sequence[Reading]) -> Floats:
    return np.array([[each.scores[label] for label in LABELS] for each in readings])


def _threshold(
    label: Label, before: Floats, after: Floats, true: Booleans, old: Threshold, taught: int
) -> Threshold:
    """Between the old threshold and that of the best F-beta, where this is surely better; nearer to the latter the
    more examples a person has `taught`.

    An urgent label's rises only so far that as many of those that have it are found as before, and falls to half at
    most.
    """
    over = _cut(label, after, true, old.over, taught / (taught + OLD_COUNTS))
    found = int((before[true] >= old.over).sum())
    if label in URGENT and found:
        over = max(min(over, float(np.sort(after[true])[-found])), old.over / 2)
    over = float(np.floor(over * 1000) / 1000)
    return Threshold(over=over, possibly=min(over, round(over * old.possibly / old.over, 3)))


def _cut(label: Label, scores: Floats, true: Booleans, old: float, weight: float) -> float:
    """From the old cut by `weight` towards the mean of the best of many resamplings; the old one where in the
    resamplings the gain is less than its spread.
    """
    best = [CUTS[np.isclose(row, row.max())].mean() for row in _f_beta(label, scores, true, CUTS)]
    new = old + weight * (float(np.mean(best)) - old)
    was, becomes = _f_beta(label, scores, true, np.array([old, new])).T
    return new if (becomes - was).mean() > (becomes - was).std() else old


def _f_beta(label: Label, scores: Floats, true: Booleans, cuts: Floats) -> Floats:
    """(resamplings, cuts)"""
    drawn = np.random.default_rng(SEED).multinomial(len(true), np.full(len(true), 1 / len(true)), size=RESAMPLINGS)
    said, beta = scores[:, None] >= cuts, BETA[label]
    hits, taken, there = drawn @ (said & true[:, None]), drawn @ said, drawn @ true
    return np.asarray((1 + beta**2) * hits / np.maximum(1, beta**2 * there[:, None] + taken))


def _loss(logits: Floats, true: Booleans) -> Floats:
    """How much each score is off, in nats."""
    return np.asarray(np.logaddexp(0, np.where(true, -logits, logits)))


def _probability(logits: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))
