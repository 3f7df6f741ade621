"""Comments with what the model as it was shipped makes of them: what a tuning is fitted to and examined on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """Comments, their logits (n, 12) and features (n, 768), how they are read with the model as it was shipped
    (`before`), what is true of them (n, 12), and which of them a person has `judged` (n,): of the others that
    reading counts as true.
    """

    labelled: Sequence[Labelled]
    logits: Floats
    features: Floats
    before: Sequence[Reading]
    true: Booleans
    judged: Booleans

    @classmethod
    def of(cls, labelled: Sequence[Labelled], model: Model, names: NameFinder) -> "Seen":
        """Comments that a person has judged. Raises ClassifierError."""
        logits, features = model.features([each.comment for each in labelled])
        return cls(
            labelled=labelled,
            logits=logits,
            features=features,
            before=_read(labelled, logits, model.thresholds, names),
            true=marks([each.labels for each in labelled]),
            judged=np.ones(len(labelled), dtype=bool),
        )

    def with_unjudged(self, comments: Sequence[Comment], model: Model, names: NameFinder) -> "Seen":
        """These and then `comments`, of which nobody has said that they were read wrongly."""
        others = Seen.of([Labelled("", each, frozenset(), frozenset()) for each in comments], model, names)
        return Seen(
            labelled=[*self.labelled, *others.labelled],
            logits=np.vstack([self.logits, others.logits]),
            features=np.vstack([self.features, others.features]),
            before=[*self.before, *others.before],
            true=np.vstack([self.true, marks([each.labels for each in others.before])]),
            judged=np.concatenate([self.judged, ~others.judged]),
        )

    def part(self, chosen: NDArray[np.int_]) -> "Seen":
        """Those at the indices `chosen`."""
        return Seen(
            labelled=[self.labelled[index] for index in chosen],
            logits=self.logits[chosen],
            features=self.features[chosen],
            before=[self.before[index] for index in chosen],
            true=self.true[chosen],
            judged=self.judged[chosen],
        )

    def read(self, logits: Floats, thresholds: Thresholds, names: NameFinder) -> list[Reading]:
        """How a school's reader reads them where the model says `logits`."""
        return _read(self.labelled, logits, thresholds, names)

    def read_tuned(self, tuning: Tuning, names: NameFinder) -> list[Reading]:
        """How a school's reader reads them with `tuning`."""
        return self.read(tuning.adjust(self.logits, self.features), tuning.thresholds, names)


def marks(labels: Iterable[Collection[str]]) -> Booleans:
    """Which labels each has, (n, 12)."""
    return np.array([[label in each for label in LABELS] for each in labels]).reshape(-1, len(LABELS))


def _read(labelled: Sequence[Labelled], logits: Floats, thresholds: Thresholds, names: NameFinder) -> list[Reading]:
    return SchoolReader(_Given(logits, thresholds), names, explains=False).read([each.comment for each in labelled])


class _Given:
    """Implements Scorer for comments whose logits are known, in their order."""

    name = version = "given"

    def __init__(self, logits: Floats, thresholds: Thresholds) -> None:
        self._scores = np.exp(-np.logaddexp(0, -logits)).tolist()
        self.thresholds = thresholds

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        return [dict(zip(LABELS, row, strict=True)) for row in self._scores]
