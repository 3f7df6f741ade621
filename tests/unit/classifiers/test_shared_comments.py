"""The development comments, read whole: names as found, and labels as a check that nothing is broken.

The shipped model was trained on these very comments, so its figures here are no measure of how good it is (those
are in the model card, from held-out folds); they would fall if folding, export, thresholds or rules went wrong.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifiers.reader import load_reader
from monitor.domain.people import Person
from monitor.domain.verdict import Comment, Label, Reading

Rows = Sequence[dict[str, Any]]


@pytest.fixture(scope="module")
def folder() -> Path:
    comments = Path(__file__).parents[3].parent / "shared" / "comments"
    if not comments.is_dir():
        pytest.skip("shared/comments is not beside this checkout")
    return comments


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    return [json.loads(line) for line in (folder / "comments.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def people(folder: Path) -> list[Person]:
    entries = yaml.safe_load((folder / "roster.yaml").read_text("utf-8"))
    return [Person(**{**entry, "aliases": tuple(entry["aliases"])}) for entry in entries]


def read(kind: str, people: Sequence[Person], rows: Rows) -> list[Reading]:
    reader = load_reader(kind, people, explains=False)
    assert reader.problem is None
    return reader.read([Comment(text=row["text"]) for row in rows])


def f1(said: Sequence[Collection[str]], true: Sequence[Collection[str]], of: str | None = None) -> float:
    pairs = [(s, t, {of} if of else {*s, *t}) for s, t in zip(said, true, strict=True)]
    hits = sum(len({*s} & {*t} & among) for s, t, among in pairs)
    total = sum(len({*s} & among) + len({*t} & among) for s, t, among in pairs)
    return 2 * hits / total


def test_names_are_found(rows: Rows, people: Sequence[Person]) -> None:
    readings = read("lexicon", people, rows)
    found = [{hit.person for hit in reading.names} for reading in readings]
    score = f1(found, [row["names"] for row in rows])
    print(f"names F1 {score:.3f}")
    assert score >= 0.96


def test_the_shipped_model_reads_what_it_was_trained_on(rows: Rows, people: Sequence[Person]) -> None:
    readings = read("local", people, rows)
    said, true = [reading.labels for reading in readings], [row["labels"] for row in rows]
    scores = {label: f1(said, true, label) for label in Label}
    macro = sum(scores.values()) / len(scores)
    print(
        {str(label): round(score, 2) for label, score in scores.items()}, f"macro-F1 {macro:.3f} (trained on these)"
    )
    assert macro >= 0.9


def test_the_word_list_alone_is_better_than_nothing(rows: Rows, people: Sequence[Person]) -> None:
    readings = read("lexicon", people, rows)
    macro = sum(f1([r.labels for r in readings], [row["labels"] for row in rows], label) for label in Label) / 12
    print(f"word list alone: macro-F1 {macro:.3f} (written with these comments at hand)")
    assert macro >= 0.5
