"""The safety cases: comments that no tuning may make the classifier blind to, and harmless ones."""

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


def forgotten(tuning: Tuning, model: Model, names: NameFinder) -> list[str]:
    """What the cases have against a tuning of `model`: each comes out as before or better."""
    seen = Seen.of(safety_cases(), model)
    readings = zip(seen.read(model.thresholds, names), seen.read_tuned(tuning, names), strict=True)
    return [
        why
        for case, (before, after) in zip(seen.labelled, readings, strict=True)
        for why in _lost(case, before, after)
    ]


def _lost(case: Labelled, before: Reading, after: Reading) -> list[str]:
    if not case.labels:
        new = [label for label in URGENT if label in after.labels and label not in before.labels]
        return [f"safety case {case.id} is harmless and would be {' and '.join(new)}"] if new else []
    return [
        f"safety case {case.id} would {'only possibly' if _degree(after, label) else 'no longer'} be {label}"
        for label in sorted(case.labels)
        if _degree(after, label) < min(_degree(before, label), 2 if label in GRAVE else 1)
    ]


def _degree(reading: Reading, label: Label) -> int:
    """2: it has the label, 1: possibly, 0: no."""
    return 2 if label in reading.labels else int(label in reading.doubt)
