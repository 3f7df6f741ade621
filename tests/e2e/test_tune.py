"""`schoolwatch tune` as a school uses it: preview, apply, undo; with the shipped model."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Run

#: What nobody but this school would call an advertisement: a stall that the office wants to hear of.
THINGS = (
    *(
        "lemon drizzle",
        "coffee and walnut",
        "jam tarts",
        "shortbread",
        "rocky road",
        "ginger parkin",
        "welsh cakes",
    ),
    "cheese scones",
)
STALL = "Flapjack Friday is back: oat and raisin by the hall"
COMMENTS = ROOT / "classifiers" / "training" / "comments"
WHEN = ("after assembly", "on Friday", "at the gate", "next week", "this afternoon")


@pytest.fixture
def corrections(tmp_path: Path) -> Path:
    """Forty comments about the stall, judged spam, and forty like them about something else, judged harmless."""
    stall = [(f"Flapjack Friday is back: {thing} {when}", ["spam"]) for thing in THINGS for when in WHEN]
    other = [(f"We made {thing} together {when}, lovely", []) for thing in THINGS for when in WHEN]
    file = tmp_path / "corrections.jsonl"
    file.write_text(
        "".join(
            json.dumps({"id": f"c{n}", "text": text, "labels": labels}) + "\n"
            for n, (text, labels) in enumerate([*stall, *other])
        )
    )
    return file


@pytest.fixture
def data(schoolwatch: Run, tmp_path: Path) -> Path:
    """A school's data folder in which 219 ordinary comments were read, and then one about the stall."""
    written = (COMMENTS / "ashgrove" / "comments.jsonl").read_text(encoding="utf-8").splitlines()[:219]
    texts = [*(json.loads(line)["text"] for line in written), STALL]
    comments = tmp_path / "comments.jsonl"
    comments.write_text(
        "".join(
            json.dumps({"id": f"i{n}", "text": text, "platform": "x", "url": f"https://x.example/{n}"}) + "\n"
            for n, text in enumerate(texts)
        )
    )
    ended = schoolwatch("import", comments, "--data", tmp_path / "data")
    assert ended.returncode == 0, ended.stderr
    return tmp_path / "data"


@pytest.mark.timeout(600)  # six starts of the program
def test_a_tuning_is_previewed_applied_and_undone(schoolwatch: Run, corrections: Path, data: Path) -> None:
    previewed = schoolwatch("tune", corrections, "--data", data)
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    assert "Learnt, there being enough of them: spam" in previewed.stdout
    assert "The last 110 comments" in previewed.stdout
    assert re.search(r"\| spam +\| [1-5] +\| 0 +\| 0 +\|", previewed.stdout)
    assert "spam appears: 220  https://x.example/219" in previewed.stdout
    assert "oat and raisin" not in previewed.stdout + previewed.stderr, "ids and links, no text"
    assert not (data / "tuning").exists(), "a preview changes nothing"
    assert "used as it was shipped" in schoolwatch("tune", "--status", "--data", data).stdout

    applied = schoolwatch("tune", corrections, "--data", data, "--apply")
    assert "Kept as 0001.json" in applied.stdout, applied.stdout + applied.stderr
    assert "It is tuned: 80 corrections" in schoolwatch("tune", "--status", "--data", data).stdout
    assert "No label changes." in schoolwatch("tune", corrections, "--data", data).stdout

    undone = schoolwatch("tune", "--undo", "--data", data)
    assert "Put aside as 0001.undone" in undone.stdout
    assert "used as it was shipped" in undone.stdout


def test_too_few_corrections_are_one_clear_line(
    schoolwatch: Run, corrections: Path, data: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(corrections.read_text().splitlines(keepends=True)[:7]))
    ended = schoolwatch("tune", few, "--data", data)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "too few corrections: 7 different comments, and 60 are needed (53 more)" in ended.stderr
    assert "spam 10" in ended.stderr


def test_without_comments_to_replay_nothing_is_learnt(schoolwatch: Run, corrections: Path) -> None:
    ended = schoolwatch("tune", corrections)
    assert ended.returncode == 1
    assert "0 comments were read so far, and 200 are needed to see what else would change" in ended.stderr


def test_a_damaged_tuning_is_said_and_can_be_undone(schoolwatch: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "tuning").mkdir(parents=True)
    (data / "tuning" / "0001.json").write_text("{}")
    ended = schoolwatch("tune", "--status", "--data", data)
    assert ended.returncode == 1
    assert "0001.json is damaged" in ended.stdout
    assert schoolwatch("tune", "--undo", "--data", data).returncode == 0


def test_either_a_file_or_undo_or_status_is_wanted(schoolwatch: Run, corrections: Path) -> None:
    assert schoolwatch("tune").returncode == 2
    assert schoolwatch("tune", corrections, "--undo").returncode == 2
