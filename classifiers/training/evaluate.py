"""Honest figures: `python -m classifiers.training.evaluate COMMENTS` reads the held-out scores that training left.

A comment's scores are those of a model that never saw it (five folds), put through the reader's own rules; the
thresholds that judge a fold are chosen on the other four. The thresholds that ship are chosen on all five.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import lexicon
from classifiers.reader import SchoolReader
from classifiers.threshold import Threshold
from classifiers.training.data import LABELS
from classifiers.training.train import CACHE
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Comment, Label, NameHit, Scores

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float32]

#: F-beta that thresholds aim at: a miss of these is worse than a needless look (POLICY: urgent).
BETA = {Label.THREAT: 1.5, Label.SAFEGUARDING: 1.5, Label.ALLEGATION: 1.5, Label.HATE: 1.2, Label.SEXUAL: 1.2}
#: Under this share of its threshold a label is not even possible.
POSSIBLY = 0.4


def main() -> None:
    options = argparse.ArgumentParser(description="Held-out figures of the shipped classifier.")
    options.add_argument("comments", type=Path, help="folder of the labelled school comments")
    folder: Path = options.parse_args().comments
    texts = [json.loads(line)["text"] for line in (folder / "comments.jsonl").read_text("utf-8").splitlines()]
    held = np.load(CACHE / "heldout.npz")
    targets, fold_of = held["targets"], held["folds"]
    scores = raised(texts, 1 / (1 + np.exp(-held["logits"])))
    predicted = np.zeros_like(targets)
    for fold in range(fold_of.max() + 1):
        inside = fold_of == fold
        cuts = np.array([each.over for each in thresholds(scores[~inside], targets[~inside]).values()])
        predicted[inside] = scores[inside] >= cuts
    print(table(predicted, targets, scores))
    shipped = {label: vars_of(each) for label, each in thresholds(scores, targets).items()}
    (CACHE / "thresholds.json").write_text(json.dumps(shipped, indent=1))


def raised(texts: Sequence[str], scores: Floats) -> Floats:
    """The scores after the reader's rules (crude words, private data by its shape)."""
    reader = SchoolReader(_Fixed(scores), _Nobody(), explains=False)
    readings = reader.read([Comment(text=text) for text in texts])
    return np.array([[reading.scores[label] for label in LABELS] for reading in readings], dtype=np.float32)


def thresholds(scores: Floats, targets: Booleans) -> dict[Label, Threshold]:
    """Per label the cut with the best F-beta, taken half way to 0.5: so few examples make a sharp best doubtful."""
    chosen = {}
    for column, label in enumerate(LABELS):
        candidates = np.linspace(0.1, 0.9, 81)
        values = [_f_beta(scores[:, column] >= cut, targets[:, column], BETA.get(label, 1.0)) for cut in candidates]
        best = candidates[np.flatnonzero(np.isclose(values, max(values)))].mean()
        over = round(float(best + 0.5) / 2, 3)
        chosen[label] = Threshold(over=over, possibly=round(over * POSSIBLY, 3))
    return chosen


def vars_of(threshold: Threshold) -> dict[str, float]:
    return {"over": threshold.over, "possibly": threshold.possibly}


def table(predicted: Booleans, targets: Booleans, scores: Floats) -> str:
    """Markdown: per label examples, precision, recall, F1 and area under the ROC curve, then the means."""
    lines = ["| label | examples | precision | recall | F1 | AUC |", "|---|---|---|---|---|---|"]
    f1 = []
    for column, label in enumerate(LABELS):
        said, true = predicted[:, column], targets[:, column]
        precision, recall = _share(said & true, said), _share(said & true, true)
        f1.append(_f_beta(said, true, 1.0))
        area = _area(scores[:, column], true)
        lines.append(f"| {label} | {true.sum()} | {precision:.2f} | {recall:.2f} | {f1[-1]:.2f} | {area:.3f} |")
    benign = ~targets.any(1)
    lines.append("")
    lines.append(f"macro-F1 {np.mean(f1):.3f}; micro-F1 {_f_beta(predicted.ravel(), targets.ravel(), 1.0):.3f}; ")
    lines.append(f"comments without a label that got one: {_share(predicted.any(1) & benign, benign):.0%}")
    return "\n".join(lines)


def _f_beta(said: Booleans, true: Booleans, beta: float) -> float:
    hits = (said & true).sum()
    weight = beta * beta
    return float((1 + weight) * hits / max(1, weight * true.sum() + said.sum()))


def _share(part: Booleans, whole: Booleans) -> float:
    return float(part.sum() / max(1, whole.sum()))


def _area(scores: Floats, true: Booleans) -> float:
    """The chance that an example scores above a non-example."""
    above = scores[true][:, None] - scores[~true][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


class _Fixed:
    """A Scorer whose scores are known beforehand."""

    name = version = "held out"
    thresholds: Mapping[Label, Threshold] = lexicon.Lexicon.thresholds

    def __init__(self, scores: Floats) -> None:
        self._scores = scores

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [dict(zip(LABELS, map(float, row), strict=True)) for row in self._scores[: len(texts)]]


class _Nobody(NameFinder):
    def find(self, text: str) -> list[NameHit]:
        return []


if __name__ == "__main__":
    main()
