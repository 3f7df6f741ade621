"""An evaluation as people read it: a Markdown table for the console and the model card, and a picture."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from classifiers.evaluate import LABELS, Evaluation
from classifiers.figures import precision_recall
from classifiers.replay import HOW, Change
from monitor.domain.verdict import Label

#: The worst mistakes that are listed, and how much of each text.
WORST = 25
EXCERPT = 90


def table(evaluation: Evaluation) -> str:
    """Markdown, its columns aligned: per label, then what a school feels, with 95 % intervals."""
    labels = [("label", "examples", "precision", "recall", "F1", "AUC", "calibration error")]
    labels += [
        (
            *(str(each.label), str(each.examples), str(each.precision), str(each.recall), str(each.f1)),
            *(f"{each.area:.3f}", f"{each.calibration_error:.3f}"),
        )
        for each in evaluation.labels
    ]
    summary = [("figure", "value")] + [(name, str(value)) for name, value in evaluation.summary.items()]
    return "\n".join([*_aligned(labels), "", *_aligned(summary)])


def comparison(before: Evaluation, after: Evaluation, figures: Collection[str]) -> str:
    """Markdown: F1 per label and some `figures` of the summary, before and after, with 95 % intervals.

    A label that no comment has and none was given is left out.
    """
    labels = [("label", "examples", "F1 before", "F1 after")]
    labels += [
        (str(old.label), str(old.examples), str(old.f1), str(new.f1))
        for old, new in zip(before.labels, after.labels, strict=True)
        if not (np.isnan(old.f1.value) and np.isnan(new.f1.value))
    ]
    summary = [("figure", "before", "after")]
    summary += [(name, str(before.summary[name]), str(after.summary[name])) for name in figures]
    return "\n".join([*_aligned(labels), "", *_aligned(summary)])


def replayed(changes: Iterable[Change], places: Sequence[str]) -> str:
    """Markdown: per label how many change and how; then where each comment is to be found. No text of any."""
    by_label: dict[Label, list[Change]] = {}
    for each in changes:
        by_label.setdefault(each.label, []).append(each)
    counts: list[tuple[str, ...]] = [("label", *HOW)]
    for label, mine in by_label.items():
        counts.append((label, *(str(sum(each.how == how for each in mine)) for how in HOW)))
    lines = [
        f"  {label} {each.how}: {_printable(places[each.index])}"
        for label, mine in by_label.items()
        for each in sorted(mine, key=lambda change: HOW.index(change.how))
    ]
    return "\n".join([*_aligned(counts), "", *lines]) if by_label else "No label changes."


def confusions(evaluation: Evaluation) -> str:
    """The worst mistakes, the surest first: id, label, missed or raised, score, and the beginning of the text."""
    count = len(evaluation.mistakes)
    lines = [f"{count} mistakes" + (f", the {WORST} surest:" if count > WORST else ":" if count else "")]
    for each in evaluation.mistakes[:WORST]:
        what = "raised" if each.raised else "missed"
        lines.append(f"  {each.score:.2f}  {what} {each.label:<13}  {each.id}  {_excerpt(each.text)}")
    return "\n".join(lines)


def picture(evaluation: Evaluation, file: Path) -> None:
    """Write a PNG: per label precision against recall, and the point of F1 best on these comments."""
    from matplotlib.figure import Figure  # slow to import, and only this command draws

    drawing = Figure(figsize=(12, 9), layout="constrained")
    drawing.suptitle(f"Precision against recall, {len(evaluation.true)} labelled comments")
    for axes, column in zip(drawing.subplots(3, 4, sharex=True, sharey=True).flat, range(len(LABELS)), strict=True):
        counted = evaluation.labels[column]
        precision, recall = precision_recall(evaluation.scores[:, column], evaluation.true[:, column])
        axes.set_title(f"{LABELS[column]} ({counted.examples})", fontsize=10)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
        if counted.examples:
            axes.step(recall, precision, where="post", color="#1f5f8b")
            axes.plot(counted.recall.value, counted.precision.value, "o", color="#c0392b")
        else:
            axes.text(0.5, 0.5, "no example", ha="center", alpha=0.6)
    drawing.supxlabel("recall: how many of those there are were found   (red: at the threshold in use)")
    drawing.supylabel("precision: how many of those raised were right")
    drawing.savefig(file, dpi=110, format="png")


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def _excerpt(text: str) -> str:
    plain = _printable(text)
    return plain if len(plain) <= EXCERPT else plain[: EXCERPT - 1] + "…"


def _printable(text: str) -> str:
    """One line of printable characters: what strangers wrote must not steer the terminal that shows it."""
    return "".join(c if c.isprintable() else " " for c in text)
