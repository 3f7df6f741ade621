"""From a probability to a label: what every kind of classifier says beside its scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from monitor.domain.ports import Classifier
from monitor.domain.verdict import Label


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `over` a text has the label; from `possibly` to there it is in doubt. Both 0–1."""

    over: float
    possibly: float

    def __post_init__(self) -> None:
        if not 0 <= self.possibly <= self.over <= 1:
            raise ValueError(f"a threshold needs 0 <= possibly <= over <= 1, not {self.possibly} and {self.over}")


class Scorer(Classifier, Protocol):
    """A Classifier (ports) that knows what its scores mean."""

    thresholds: Mapping[Label, Threshold]
