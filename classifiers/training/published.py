"""The shipped model on public sets' own test parts: `python -m classifiers.training.published DATA`.

None of these texts was learnt from. Where somebody published a figure on the same test part, it stands beside.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.local import load
from classifiers.training.public import official
from classifiers.training.samples import LABELS, Sample
from monitor.domain.verdict import Comment, Label

#: Set, label, what it is, and the best published macro-F1 on that very test part.
TESTS = (
    ("edos", Label.HATE, "EDOS task A, sexist or not", "0.875 (best of SemEval 2023 task 10)"),
    ("convabuse", Label.ABUSE, "ConvAbuse, abusive or not", "none comparable"),
    ("toxic_spans", Label.ABUSE, "toxic_spans, insult (a tenth by number)", "none: no official split of the types"),
    ("toxic_spans", Label.THREAT, "toxic_spans, threat", "none"),
    ("toxic_spans", Label.HATE, "toxic_spans, identity-based attack", "none"),
)


def main() -> None:
    options = argparse.ArgumentParser(description="Figures on public test parts.")
    options.add_argument("data", type=Path, help="folder of the public sets")
    sets = official(options.parse_args().data)
    model = load()
    print("| test | texts | positive | macro-F1 at our threshold | at the best cut | published |")
    print("|---|---|---|---|---|---|")
    for name, label, called, published in TESTS:
        samples = [each for each in sets[name] if _target(each, label) >= 0]
        true = np.array([_target(each, label) == 1 for each in samples])
        scores = np.array([each[label] for each in model.score([Comment(text=s.text) for s in samples])])
        ours = macro_f1(scores >= model.thresholds[label].over, true)
        best = max(macro_f1(scores >= cut, true) for cut in np.linspace(0.02, 0.98, 97))
        print(f"| {called} | {len(true)} | {true.sum()} | {ours:.3f} | {best:.3f} | {published} |")


def macro_f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """The mean of the F1 of yes and the F1 of no."""
    both = [(said, true), (~said, ~true)]
    return float(np.mean([2 * (s & t).sum() / max(1, s.sum() + t.sum()) for s, t in both]))


def _target(each: Sample, label: Label) -> float:
    return each.target[LABELS.index(label)]


if __name__ == "__main__":
    main()
