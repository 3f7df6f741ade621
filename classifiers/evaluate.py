"""How good a classifier is on labelled comments: `schoolwatch evaluate`.

The figures are those that a school feels: what urgent is seen, what is owed an answer, whom a complaint names, and
how often somebody is called to look at nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.figures import (
    Booleans,
    Figure,
    Floats,
    Sampling,
    area,
    calibration_error,
    figure,
)
from classifiers.labelled import Labelled
from monitor.domain.verdict import Label, Reading

LABELS = tuple(Label)
URGENT = (
    *(Label.ABUSE, Label.THREAT, Label.HATE, Label.SEXUAL, Label.SAFEGUARDING, Label.ALLEGATION),
    Label.PERSONAL_DATA,
)
RARE = (
    *(Label.THREAT, Label.HATE, Label.SEXUAL, Label.ALLEGATION, Label.PERSONAL_DATA, Label.MEDIA),
    Label.SPAM,
)
ANSWER = (Label.QUERY, Label.COMPLAINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    """What was counted of one label; `examples` is how many comments truly have it."""

    label: Label
    examples: int
    precision: Figure
    recall: Figure
    f1: Figure
    area: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """A label that was missed, or raised on a comment that has it not, and the score it had."""

    id: str
    label: Label
    raised: bool
    score: float
    text: str

    @property
    def how_sure(self) -> float:
        """How sure the classifier was of what is wrong, 0 to 1."""
        return self.score if self.raised else 1 - self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that was measured; `scores`, `said` and `true` are (comments, 12) in the order of LABELS."""

    labels: tuple[LabelFigures, ...]
    summary: dict[str, Figure]
    mistakes: tuple[Mistake, ...]
    scores: Floats
    said: Booleans
    true: Booleans


def evaluate(labelled: Sequence[Labelled], readings: Sequence[Reading]) -> Evaluation:
    """Compare `readings` with what is true of each comment. There is to be at least one."""
    true = np.array([[label in each.labels for label in LABELS] for each in labelled])
    said = np.array([[label in each.labels for label in LABELS] for each in readings])
    scores = np.array([[each.scores[label] for label in LABELS] for each in readings])
    sampling = Sampling(len(labelled))
    return Evaluation(
        labels=tuple(_label(sampling, column, said, true, scores) for column in range(len(LABELS))),
        summary=_summary(sampling, said, true) | _names(sampling, labelled, readings),
        mistakes=_mistakes(labelled, said, true, scores),
        scores=scores,
        said=said,
        true=true,
    )


def _label(sampling: Sampling, column: int, said: Booleans, true: Booleans, scores: Floats) -> LabelFigures:
    mine, theirs = said[:, column], true[:, column]
    return LabelFigures(
        label=LABELS[column],
        examples=int(theirs.sum()),
        precision=figure(sampling.share(theirs, mine)),
        recall=figure(sampling.share(mine, theirs)),
        f1=figure(sampling.f1(mine, theirs)),
        area=area(scores[:, column], theirs),
        calibration_error=calibration_error(scores[:, column], theirs),
    )


def _summary(sampling: Sampling, said: Booleans, true: Booleans) -> dict[str, Figure]:
    rare = [LABELS.index(label) for label in RARE]
    urgent_said, urgent_true = _any(said, URGENT), _any(true, URGENT)
    return {
        "macro-F1 over the labels": figure(macro(sampling.f1(said, true))),
        "micro-F1 of the seven rare labels": figure(sampling.pooled_f1(said[:, rare], true[:, rare])),
        "urgent: recall": figure(sampling.share(urgent_said, urgent_true)),
        "urgent: precision": figure(sampling.share(urgent_true, urgent_said)),
        "needs an answer (query or complaint): F1": figure(sampling.f1(_any(said, ANSWER), _any(true, ANSWER))),
        "comments without a label that get one": figure(sampling.share(_any(said, LABELS), ~_any(true, LABELS))),
    }


def _any(marked: Booleans, chosen: Sequence[Label]) -> Booleans:
    """Which comments have any of the chosen labels."""
    return np.asarray(marked[:, [LABELS.index(label) for label in chosen]].any(axis=1))


def macro(by_label: Floats) -> Floats:
    """The mean over the labels that were there to be found or were said; nan where there was none."""
    there = ~np.isnan(by_label)
    total, count = np.where(there, by_label, 0).sum(1), there.sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _names(sampling: Sampling, labelled: Sequence[Labelled], readings: Sequence[Reading]) -> dict[str, Figure]:
    found = [frozenset(hit.person for hit in reading.names) for reading in readings]
    pairs = list(zip(found, labelled, strict=True))
    complaint = np.array([Label.COMPLAINT in each.labels and bool(each.names) for each in labelled])
    caught = np.array(
        [
            Label.COMPLAINT in reading.labels and each.names <= named
            for (named, each), reading in zip(pairs, readings, strict=True)
        ]
    )
    return {
        "names: F1": figure(
            sampling.f1_of(
                np.array([len(named & each.names) for named, each in pairs]),
                np.array([len(named) for named in found]),
                np.array([len(each.names) for each in labelled]),
            )
        ),
        "complaint that names somebody, all found: recall": figure(sampling.share(caught, complaint)),
    }


def _mistakes(labelled: Sequence[Labelled], said: Booleans, true: Booleans, scores: Floats) -> tuple[Mistake, ...]:
    """All of them, the surest first."""
    wrong = [
        Mistake(labelled[row].id, LABELS[column], bool(said[row, column]), float(scores[row, column]),
                labelled[row].comment.text)
        for row, column in np.argwhere(said != true)
    ]  # fmt: skip
    return tuple(sorted(wrong, key=lambda each: each.how_sure, reverse=True))
