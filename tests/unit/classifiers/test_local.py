"""The shipped model: it loads, it refuses what is damaged, and it knows the clear cases."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import classifiers
from classifiers.local import MODEL, LocalModel, load
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Label


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    yield load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def over(model: LocalModel, text: str) -> set[Label]:
    (scores,) = model.score([text])
    return {label for label in Label if scores[label] >= model.thresholds[label].over}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What time does the school office open tomorrow please?", {Label.QUERY}),
        ("Thank you for a wonderful sports day, the children loved every minute", set()),
        ("I have emailed three times about the broken heating and nobody has replied", {Label.COMPLAINT}),
        ("You are a pathetic, stupid little woman and everybody laughs at you", {Label.ABUSE}),
        ("Watch your back. I know where you live and I am going to hurt you.", {Label.THREAT}),
        ("Make £500 a day from home! Click here to join: http://example.org", {Label.SPAM}),
    ],
)
def test_a_clear_case_is_known(model: LocalModel, text: str, expected: set[Label]) -> None:
    assert expected <= over(model, text)
    if not expected:
        assert over(model, text) == set()


def test_a_text_scores_the_same_alone_and_among_others(model: LocalModel) -> None:
    texts = ["Fab!", "Why was the gate locked again? It is a disgrace. " * 30, "What time is the play?"]
    together = model.score(texts)
    for text, scores in zip(texts, together, strict=True):
        (alone,) = model.score([text])
        assert alone == scores


def test_a_threat_at_the_end_of_a_long_comment_is_seen(model: LocalModel) -> None:
    praise = "Thank you for the lovely assembly, the children sang so well and we were all very proud. " * 40
    (scores,) = model.score([praise + "I am going to kill you, watch your back."])
    (innocent,) = model.score([praise])
    assert scores[Label.THREAT] > model.thresholds[Label.THREAT].over > innocent[Label.THREAT]


@pytest.mark.parametrize(
    "text",
    ["", "\ud800", "❤️😂" * 20_000, "a b " * 25_000, "学" * 100_000, "a" * 100_000, "x\u0301" * 50_000, "\n\t "],
)
def test_odd_text_gets_an_answer(model: LocalModel, text: str) -> None:
    (scores,) = model.score([text])
    assert set(scores) == set(Label)
    assert all(0 <= score <= 1 for score in scores.values())


def test_nothing_to_score_is_no_error(model: LocalModel) -> None:
    assert model.score([]) == []


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_flipped_byte_is_refused(copy: Path, name: str) -> None:
    damaged = bytearray((copy / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (copy / name).write_bytes(damaged)
    with pytest.raises(ClassifierError, match=f"{name} is damaged"):
        load(copy)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ClassifierError, match=f"{name} cannot be read"):
        load(copy)


def test_a_model_that_is_no_model_is_refused_though_its_hash_is_right(copy: Path) -> None:
    (copy / "model.onnx").write_bytes(b"not ONNX at all")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["model.onnx"] = sha256(b"not ONNX at all").hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ClassifierError, match="cannot be loaded"):
        load(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}', '{"files": {}}'])
def test_a_manifest_that_says_too_little_is_refused(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content)
    with pytest.raises(ClassifierError):
        load(copy)


def test_a_manifest_that_vouches_for_nothing_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text()) | {"files": {}}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ClassifierError, match="does not list its files"):
        load(copy)


def test_thresholds_that_make_no_sense_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["thresholds"]["threat"] = {"over": 0.1, "possibly": 0.9}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ClassifierError, match="possibly"):
        load(copy)


def test_listing_the_kinds_imports_none() -> None:
    code = (
        "import sys, classifiers; print(*classifiers.kinds());"
        "assert not {'onnxruntime', 'transformers', 'classifiers.local', 'classifiers.lexicon'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == list(classifiers.kinds())


def test_loading_says_nothing_and_needs_no_torch() -> None:
    code = "import sys, classifiers; classifiers.load('local').score(['hello']); assert 'torch' not in sys.modules"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("", "")
