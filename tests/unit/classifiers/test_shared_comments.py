"""The development comments of another school, of which nothing was learnt: the figures that a school feels.

The bounds are the targets, or where one is not reached yet (model/README.md says which) a little under what
was measured, so that a change for the worse is seen.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from classifiers.evaluate import Evaluation, evaluate
from classifiers.figures import Figure
from classifiers.labelled import Labelled, read_labelled
from classifiers.reader import load_reader
from monitor.config import load_people

SHARED = Path(__file__).parents[3].parent / "shared" / "comments"


@pytest.fixture(scope="module")
def labelled() -> list[Labelled]:
    if not SHARED.is_dir():
        pytest.skip("shared/comments is not beside this checkout")
    return read_labelled((SHARED / "comments.jsonl").read_text("utf-8").splitlines())


def read(kind: str, labelled: list[Labelled]) -> Evaluation:
    reader = load_reader(kind, load_people(SHARED / "roster.yaml"), explains=False)
    assert reader.problem is None
    return evaluate(labelled, reader.read([each.comment for each in labelled]))


@pytest.fixture(scope="module")
def figures(labelled: list[Labelled]) -> Mapping[str, Figure]:
    return read("local", labelled).summary


@pytest.mark.parametrize(
    ("figure", "at_least"),
    [
        ("macro-F1 over the labels", 0.80),
        ("micro-F1 of the seven rare labels", 0.75),
        ("urgent: recall", 0.95),
        ("urgent: precision", 0.75),
        ("needs an answer (query or complaint): F1", 0.87),
        ("names: F1", 0.96),
        ("complaint that names somebody, all found: recall", 0.92),
    ],
)
def test_the_shipped_model_reaches(figures: Mapping[str, Figure], figure: str, at_least: float) -> None:
    print(f"{figure}: {figures[figure]}")
    assert figures[figure].value >= at_least


def test_few_are_called_to_look_at_nothing(figures: Mapping[str, Figure]) -> None:
    assert figures["comments without a label that get one"].value <= 0.08


def test_the_word_list_alone_is_better_than_nothing(labelled: list[Labelled]) -> None:
    figures = read("lexicon", labelled).summary
    assert figures["macro-F1 over the labels"].value >= 0.4
