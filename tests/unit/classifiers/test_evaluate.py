"""An evaluation of a handful of comments whose figures can be counted by hand, and how it is told."""

import json
from pathlib import Path

import pytest

from classifiers.evaluate import Evaluation, evaluate
from classifiers.labelled import LabelledError, read_labelled
from classifiers.report import confusions, picture, table
from monitor.domain.verdict import Label, NameHit, Reading

LINES = [
    {"id": "a", "text": "You useless man, Mr Holt", "labels": ["abuse", "complaint"], "names": ["holt"]},
    {"id": "b", "text": "When does it start?", "labels": ["query"], "names": []},
    {"id": "c", "text": "Lovely \x1b[31mday", "labels": [], "names": []},
    {"id": "d", "text": "Still no reply from Holt", "labels": ["complaint"], "names": ["holt"]},
]


def reading(*labels: Label, names: tuple[str, ...] = (), scores: dict[Label, float] | None = None) -> Reading:
    everything = {label: 0.9 if label in labels else 0.1 for label in Label}
    hits = tuple(NameHit(person=name, start=0, end=1, score=1.0) for name in names)
    return Reading(scores={**everything, **(scores or {})}, labels=labels, names=hits)


@pytest.fixture
def measured() -> Evaluation:
    readings = [
        reading(Label.ABUSE, Label.COMPLAINT, names=("holt",)),
        reading(Label.QUERY),
        reading(Label.THREAT, scores={Label.THREAT: 0.97}),
        reading(scores={Label.COMPLAINT: 0.4}),
    ]
    return evaluate(read_labelled(map(json.dumps, LINES)), readings)


def test_each_label_is_counted(measured: Evaluation) -> None:
    complaint = next(each for each in measured.labels if each.label is Label.COMPLAINT)
    assert complaint.examples == 2
    assert (complaint.precision.value, complaint.recall.value) == (1.0, 0.5)
    assert complaint.f1.value == pytest.approx(2 / 3)
    assert complaint.area == 1.0


def test_what_a_school_feels_is_counted(measured: Evaluation) -> None:
    values = {name: each.value for name, each in measured.summary.items()}
    assert values["urgent: recall"] == 1.0
    assert values["urgent: precision"] == 0.5
    assert values["needs an answer (query or complaint): F1"] == pytest.approx(2 * 2 / (2 + 3))
    assert values["comments without a label that get one"] == 1.0
    assert values["names: F1"] == pytest.approx(2 / 3)
    assert values["complaint that names somebody, all found: recall"] == 0.5


def test_a_label_that_nobody_used_does_not_lower_the_mean(measured: Evaluation) -> None:
    by_hand = (1.0 + 2 / 3 + 1.0 + 0.0) / 4  # abuse, complaint, query, threat; the other eight were never there
    assert measured.summary["macro-F1 over the labels"].value == pytest.approx(by_hand)


def test_mistakes_are_listed_the_surest_first(measured: Evaluation) -> None:
    assert [(m.id, m.label, m.raised) for m in measured.mistakes] == [
        ("c", Label.THREAT, True),
        ("d", Label.COMPLAINT, False),
    ]


def test_the_table_has_a_row_for_every_label_and_figure(measured: Evaluation) -> None:
    rows = table(measured).splitlines()
    assert {row.split("|")[1].strip() for row in rows if row} >= {*Label, *measured.summary}
    assert len({len(row) for row in rows[: 2 + len(Label)]}) == 1, "the columns are aligned"


def test_a_listed_comment_cannot_steer_the_terminal(measured: Evaluation) -> None:
    told = confusions(measured)
    assert "raised threat" in told
    assert "\x1b" not in told


def test_the_picture_is_a_png(measured: Evaluation, tmp_path: Path) -> None:
    file = tmp_path / "precision.png"
    picture(measured, file)
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert file.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "a", "text": "x"}', "line 1: `labels`"),
        ('{"id": "a", "text": "x", "labels": ["rude"]}', "no label is called rude"),
        ('{"id": "a", "text": "x", "labels": [], "names": "holt"}', "`names`"),
        ('{"id": "a", "labels": []}', "`text` is missing"),
        ("nonsense", "line 1: not JSON"),
        ("", "no comment"),
    ],
)
def test_a_labelled_file_that_cannot_be_read_says_where_and_why(line: str, says: str) -> None:
    with pytest.raises(LabelledError, match=says):
        read_labelled([line])
