"""The safety cases: comments that no tuning may make the classifier blind to, and harmless ones."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from classifiers.evaluate import URGENT
from classifiers.labelled import Labelled, read_labelled
from classifiers.seen import Model, Seen
from classifiers.tuning import Tuning
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Label, Reading

FILE = Path(__file__).with_name("safety.jsonl")
#: What a case must not lose to "possibly" either.
GRAVE = (Label.THREAT, Label.SAFEGUARDING)


@cache
def safety_cases() -> tuple[Labelled, ...]:
    """Each label of a case is to be seen or to stay possible; a case without any is to have no urgent one."""
    with FILE.open(encoding="utf-8") as lines:
        return tuple(read_labelled(lines))


@dataclass(frozen=True, slots=True)
class Objection:
    """A safety case that would come out worse, for a label, and how."""

    case: str
    label: Label
    how: str

    def __str__(self) -> str:
        return f"safety case {self.case} {self.how} {self.label}"


def object_to(tuning: Tuning, model: Model, names: NameFinder) -> list[Objection]:
    """What the cases have against a tuning of `model`: each is to come out as before or better."""
    seen = Seen.of(safety_cases(), model, names)
    return [
        objection
        for case, before, after in zip(seen.labelled, seen.before, seen.read_tuned(tuning, names), strict=True)
        for objection in (_lost(case, before, after) if case.labels else _raised(case, before, after))
    ]


def _lost(case: Labelled, before: Reading, after: Reading) -> list[Objection]:
    return [
        Objection(case.id, label, "would only possibly be" if _degree(after, label) else "would no longer be")
        for label in sorted(case.labels)
        if _degree(after, label) < min(_degree(before, label), 2 if label in GRAVE else 1)
    ]


def _raised(case: Labelled, before: Reading, after: Reading) -> list[Objection]:
    return [
        Objection(case.id, label, "is harmless and would be")
        for label in URGENT
        if label in after.labels and label not in before.labels
    ]


def _degree(reading: Reading, label: Label) -> int:
    """2: it has the label, 1: possibly, 0: no."""
    return 2 if label in reading.labels else int(label in reading.doubt)
