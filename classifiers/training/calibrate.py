"""Make scores mean what they say, and choose the thresholds: `python -m classifiers.training.calibrate`.

Both on the written comments that were held back, of which no model saw any, and both written to the manifest of the
exported model. Scores by a slope and a shift of each label's logit (Platt 1999): a score of 0.8 is to be right in
eight of ten. Thresholds by the rule book's costs, on what the reader makes of the scores (word list, patterns).
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from classifiers.evaluate import LABELS
from classifiers.local import MODEL, load
from classifiers.reader import load_reader
from classifiers.training.written import COMMENTS, Written, written
from monitor.domain.people import Person
from monitor.domain.verdict import Comment, Label

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: F-beta that a threshold aims at. Over 1 a miss is worse than a needless look (P6, P11, P19: what is urgent);
#: under 1 the other way round: a missed complaint is still glanced at in time (P2), a needless one costs an answer.
BETA = {
    Label.COMPLAINT: 0.8,
    Label.THREAT: 1.5,
    Label.SAFEGUARDING: 1.5,
    Label.ALLEGATION: 1.2,
    Label.ABUSE: 1.2,
    Label.SEXUAL: 1.2,
}
#: From this share of its threshold a label is possible.
POSSIBLY = 0.4
CUTS = np.linspace(0.1, 0.9, 81)
#: Resamplings over which the best cut is averaged: with so few examples the best of one sample is chance.
RESAMPLINGS = 200
SEED = 20261121
#: How strongly a slope is drawn to 1 and a shift to 0, in examples.
PRIOR = 4.0


def main() -> None:
    comments = [each for each in written() if each.held_back]
    true = np.array([[label in each.labels for label in LABELS] for each in comments])
    _write(calibration={label: [1.0, 0.0] for label in LABELS}, thresholds=_plain())
    logits, _ = load().features([_comment(each) for each in comments])
    fitted = {label: platt(logits[:, i], true[:, i]) for i, label in enumerate(LABELS)}
    _write(calibration={label: [round(slope, 4), round(shift, 4)] for label, (slope, shift) in fitted.items()})
    scores = _read(comments)
    chosen = {label: threshold(scores[:, i], true[:, i], BETA.get(label, 1.0)) for i, label in enumerate(LABELS)}
    _write(
        thresholds={label: {"over": over, "possibly": round(over * POSSIBLY, 3)} for label, over in chosen.items()}
    )
    for label in LABELS:
        slope, shift = fitted[label]
        print(f"{label:<14} slope {slope:.2f} shift {shift:+.2f} threshold {chosen[label]:.3f}")


def platt(logits: Floats, true: Booleans) -> tuple[float, float]:
    """Slope and shift that make logits of these comments honest, by Newton's method."""
    rows = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)
    at, start = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    for _ in range(200):
        said = 1 / (1 + np.exp(-(rows @ at).clip(-50, 50)))
        slope = rows.T @ (said - true) + PRIOR * (at - start)
        curve = (rows * (said * (1 - said))[:, None]).T @ rows + PRIOR * np.eye(2)
        step = np.linalg.solve(curve, slope).clip(-0.5, 0.5)
        at = at - step
        if np.abs(step).max() < 1e-6:
            break
    return float(max(at[0], 0.1)), float(at[1])


def threshold(scores: Floats, true: Booleans, beta: float) -> float:
    """The cut of the best F-beta, averaged over resamplings of the comments."""
    chance = np.random.default_rng(SEED)
    weights = chance.multinomial(len(true), np.full(len(true), 1 / len(true)), size=RESAMPLINGS).astype(np.float64)
    said = scores[:, None] >= CUTS[None, :]
    hits, taken, there = weights @ (said & true[:, None]), weights @ said, weights @ true
    values = (1 + beta**2) * hits / np.maximum(1e-9, beta**2 * there[:, None] + taken)
    best = [CUTS[np.isclose(row, row.max())].mean() for row in values]
    return round(float(np.mean(best)), 3)


def _read(comments: Sequence[Written]) -> Floats:
    """Scores as the reader gives them, each school with its own roster; (comments, 12)."""
    by_school: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(comments):
        by_school[each.school].append(index)
    scores = np.zeros((len(comments), len(LABELS)))
    for school, indices in by_school.items():
        reader = load_reader("local", _people(COMMENTS / school / "roster.yaml"), explains=False)
        for index, reading in zip(indices, reader.read([_comment(comments[i]) for i in indices]), strict=True):
            scores[index] = [reading.scores[label] for label in LABELS]
    return scores


def _people(file: Path) -> list[Person]:
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [Person(**{**entry, "aliases": tuple(entry.get("aliases", ()))}) for entry in entries]


def _comment(each: Written) -> Comment:
    return Comment(text=each.text, parent=each.parent)


def _plain() -> dict[str, dict[str, float]]:
    return {label: {"over": 0.5, "possibly": 0.2} for label in LABELS}


def _write(**entries: Any) -> None:
    """Set `entries` of the manifest, and the version to say what the figures are made of."""
    file = MODEL / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8")) | entries
    made_of = json.dumps([manifest["files"], manifest["calibration"], manifest["thresholds"]], sort_keys=True)
    manifest["version"] = f"{manifest['version'][:10]}.{sha256(made_of.encode()).hexdigest()[:8]}"
    file.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
