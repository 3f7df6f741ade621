"""Labelled comments with what the untuned model makes of them: what a tuning is fitted to and examined on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluate import LABELS
from classifiers.figures import Booleans
from classifiers.labelled import Labelled
from classifiers.reader import SchoolReader
from classifiers.threshold import Threshold
from classifiers.tuning import Floats, Tuning
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Comment, Label, Reading, Scores

Thresholds = Mapping[Label, Threshold]


class Model(Protocol):
    """A classifier that shows what its last layer sees: local.LocalModel, untuned."""

    @property
    def version(self) -> str: ...

    @property
    def thresholds(self) -> Thresholds: ...

    def features(self, comments: Sequence[Comment]) -> tuple[Floats, Floats]:
        """Calibrated logits (n, 12) and features (n, 768). Raises ClassifierError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Comments, their logits (n, 12) and features (n, 768), and what is true of them (n, 12)."""

    labelled: Sequence[Labelled]
    logits: Floats
    features: Floats
    true: Booleans

    @classmethod
    def of(cls, labelled: Sequence[Labelled], model: Model) -> "Seen":
        """Raises ClassifierError."""
        logits, features = model.features([each.comment for each in labelled])
        true = np.array([[label in each.labels for label in LABELS] for each in labelled])
        return cls(labelled=labelled, logits=logits, features=features, true=true)

    def part(self, chosen: NDArray[np.int_]) -> "Seen":
        """Those at the indices `chosen`."""
        return Seen(
            labelled=[self.labelled[index] for index in chosen],
            logits=self.logits[chosen],
            features=self.features[chosen],
            true=self.true[chosen],
        )

    def read(self, thresholds: Thresholds, names: NameFinder, logits: Floats | None = None) -> list[Reading]:
        """What a school's reader says where the model says `logits`; default: its own."""
        given = _Given(self.logits if logits is None else logits, thresholds)
        return SchoolReader(given, names, explains=False).read([each.comment for each in self.labelled])

    def read_tuned(self, tuning: Tuning, names: NameFinder) -> list[Reading]:
        return self.read(tuning.thresholds, names, tuning.adjust(self.logits, self.features))


class _Given:
    """Implements Scorer for comments whose logits are known, in their order."""

    name = version = "given"

    def __init__(self, logits: Floats, thresholds: Thresholds) -> None:
        self._scores = np.exp(-np.logaddexp(0, -logits)).tolist()
        self.thresholds = thresholds

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        return [dict(zip(LABELS, row, strict=True)) for row in self._scores]
