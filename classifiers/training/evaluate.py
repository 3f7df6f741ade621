"""Honest figures: `python -m classifiers.training.evaluate COMMENTS` reads the held-out scores that training left.

A comment's scores are those of a model that never saw it (five folds), put through the reader's own rules; the
thresholds that judge a fold are chosen on the other four. The thresholds that ship are chosen on all five.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
Folds = NDArray[np.int64]

#: F-beta that thresholds aim at: a miss of these is worse than a needless look (POLICY: urgent).
BETA = {
    Label.THREAT: 2.0,
    Label.SAFEGUARDING: 2.0,
    Label.ALLEGATION: 1.5,
    Label.HATE: 1.5,
    Label.PERSONAL_DATA: 1.5,
}
URGENT = (
    *(Label.ABUSE, Label.THREAT, Label.HATE, Label.SEXUAL, Label.SAFEGUARDING, Label.ALLEGATION),
    Label.PERSONAL_DATA,
)
#: Under this share of its threshold a label is not even possible.
POSSIBLY = 0.5
#: Thresholds that are tried.
CUTS = np.linspace(0.15, 0.9, 76)


def main() -> None:
    options = argparse.ArgumentParser(description="Held-out figures of the shipped classifier.")
    options.add_argument("comments", type=Path, help="folder of the labelled school comments")
    folder: Path = options.parse_args().comments
    texts = [json.loads(line)["text"] for line in (folder / "comments.jsonl").read_text("utf-8").splitlines()]
    held = np.load(CACHE / "heldout.npz")
    targets, fold_of = held["targets"], held["folds"]
    scores = raised(texts, 1 / (1 + np.exp(-held["logits"])))
    predicted, possible = np.zeros_like(targets), np.zeros_like(targets)
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        chosen = thresholds(scores[~inside], targets[~inside], fold_of[~inside]).values()
        predicted[inside] = scores[inside] >= [each.over for each in chosen]
        possible[inside] = scores[inside] >= [each.possibly for each in chosen]
    print(table(predicted, targets, scores))
    print(summary(predicted, possible, targets))
    shipped = {label: asdict(each) for label, each in thresholds(scores, targets, fold_of).items()}
    (CACHE / "thresholds.json").write_text(json.dumps(shipped, indent=1))


def raised(texts: Sequence[str], scores: Floats) -> Floats:
    """The scores after the reader's rules (crude words, private data by its shape)."""
    reader = SchoolReader(_Fixed(scores), _Nobody(), explains=False)
    readings = reader.read([Comment(text=text) for text in texts])
    return np.array([[reading.scores[label] for label in LABELS] for reading in readings], dtype=np.float32)


def thresholds(scores: Floats, targets: Booleans, fold_of: Folds) -> dict[Label, Threshold]:
    """Per label the cut with the best F-beta, averaged over leaving out each fold in turn: with so few examples the
    best cut of one sample is chance.
    """
    chosen = {}
    for column, label in enumerate(LABELS):
        cuts = []
        for fold in np.unique(fold_of):
            kept = fold_of != fold
            values = [
                _f_beta(scores[kept, column] >= cut, targets[kept, column], BETA.get(label, 1.0)) for cut in CUTS
            ]
            cuts.append(CUTS[np.isclose(values, max(values))].mean())
        over = round(float(np.mean(cuts)), 3)
        chosen[label] = Threshold(over=over, possibly=round(over * POSSIBLY, 3))
    return chosen


def table(predicted: Booleans, targets: Booleans, scores: Floats) -> str:
    """Markdown: per label examples, precision, recall, F1 and area under the ROC curve."""
    lines = ["| label | examples | precision | recall | F1 | AUC |", "|---|---|---|---|---|---|"]
    for column, label in enumerate(LABELS):
        said, true = predicted[:, column], targets[:, column]
        figures = (_share(said & true, said), _share(said & true, true), _f_beta(said, true, 1.0))
        row = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {label} | {true.sum()} | {row} | {_area(scores[:, column], true):.3f} |")
    return "\n".join(lines)


def summary(predicted: Booleans, possible: Booleans, targets: Booleans) -> str:
    """The figures that a school feels: macro-F1, urgent comments seen, answers owed, needless looks."""
    macro = np.mean([_f_beta(predicted[:, c], targets[:, c], 1.0) for c in range(len(LABELS))])
    urgent, answer = _columns(URGENT), _columns((Label.QUERY, Label.COMPLAINT))
    said, true = predicted[:, urgent].any(1), targets[:, urgent].any(1)
    owed = _f_beta(predicted[:, answer].any(1), targets[:, answer].any(1), 1.0)
    benign = ~targets.any(1)
    lines = [
        f"macro-F1 {macro:.3f}, micro-F1 {_f_beta(predicted.ravel(), targets.ravel(), 1.0):.3f}",
        f"urgent: recall {_share(said & true, true):.2f}, precision {_share(said & true, said):.2f}, "
        f"recall with doubt {_share(possible[:, urgent].any(1) & true, true):.2f}",
        f"needs an answer (query or complaint): F1 {owed:.2f}",
        f"comments without a label: {_share(predicted.any(1) & benign, benign):.0%} get one, "
        f"{_share(possible.any(1) & benign, benign):.0%} get one or a doubt",
    ]
    return "\n".join(lines)


def _columns(labels: Sequence[Label]) -> list[int]:
    return [LABELS.index(label) for label in labels]


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
