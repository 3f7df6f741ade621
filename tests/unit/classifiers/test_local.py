"""The shipped model: it loads, it refuses what is damaged, and it knows the clear cases."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import classifiers
from classifiers.local import MODEL, SEGMENT, LocalModel, Window, load, pack
from classifiers.reader import load_reader
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Comment, Label


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    yield load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def said(texts: list[str]) -> list[Comment]:
    return [Comment(text=text) for text in texts]


def over(model: LocalModel, text: str) -> set[Label]:
    (scores,) = model.score([Comment(text=text)])
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
    same_length = [
        f"{word} was the gate locked again today?" for word in ("Why", "When", "Where", "How", "And")
    ] * 9
    texts = ["Fab!", "Why was the gate locked again? It is a disgrace. " * 30, "", *same_length, "🔪" * 50, "学 校"]
    together = model.score(said(texts))
    assert [model.score([Comment(text=text)])[0] for text in texts] == together
    assert model.score(said(texts[::-1])) == together[::-1]


def test_a_text_scores_the_same_while_others_are_scored(model: LocalModel) -> None:
    texts = [f"{'Why was the gate locked again? ' * length}It is a disgrace." for length in range(8)]
    expected = model.score(said(texts))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(model.score, [said(texts)] * 12)) == [expected] * 12


def test_what_is_answered_is_seen_but_does_not_speak(model: LocalModel) -> None:
    """The graph's second segment: it changes what the text's own tokens see, and nothing else is read from it."""
    alone, answering = (
        pack([Window([101, *range(2000, 2010), 102, *more], spoken=12)]) for more in ([], [3000, 3001, 102])
    )
    assert answering["spoken"].sum() == alone["spoken"].sum() == 12
    assert answering["there"].sum() == 15
    assert answering["places"].tolist() == [*range(12), SEGMENT + 12, SEGMENT + 13, SEGMENT + 14]


def test_a_comment_is_read_in_the_light_of_what_it_answers(model: LocalModel) -> None:
    parents = ["Somebody should put his windows through tonight", "Who wants to bring cakes on Friday?"]
    threat, cakes = model.score([Comment(text="Count me in, I know where he lives", parent=p) for p in parents])
    assert threat[Label.THREAT] > cakes[Label.THREAT]


def test_scores_are_a_linear_function_of_the_features(model: LocalModel) -> None:
    logits, features = model.features(said(["You useless lot", "When is the fair?", "Lovely day " * 100]))
    assert logits.shape == (3, 12)
    assert features.shape == (3, 768)
    scores = [list(each.values()) for each in model.score(said(["You useless lot", "When is the fair?"]))]
    assert np.allclose(scores, 1 / (1 + np.exp(-logits[:2])), atol=1e-6)


LONG_PRAISE = "Thank you for the lovely assembly, the children sang so well and we were all very proud. " * 40


@pytest.mark.parametrize(
    "threat",
    [
        "I will stab you at the gate, watch your back.",
        pytest.param(
            "I am going to kill you, watch your back.",
            marks=pytest.mark.xfail(strict=True, reason="0.26: words of many a joke (training/NOTEBOOK.md)"),
        ),
    ],
)
def test_a_threat_at_the_end_of_a_long_comment_is_seen(model: LocalModel, threat: str) -> None:
    (scores,) = model.score([Comment(text=LONG_PRAISE + threat)])
    (innocent,) = model.score([Comment(text=LONG_PRAISE)])
    assert scores[Label.THREAT] > model.thresholds[Label.THREAT].over > innocent[Label.THREAT]


def test_what_the_model_misses_of_a_blunt_threat_the_word_list_finds() -> None:
    reader = load_reader("local", [])
    praise, threat = reader.read(
        [Comment(text=LONG_PRAISE), Comment(text=LONG_PRAISE + "I am going to kill you, watch your back.")]
    )
    assert Label.THREAT in threat.labels
    assert Label.THREAT not in (*praise.labels, *praise.doubt)


@pytest.mark.parametrize(
    "text",
    ["", "\ud800", "❤️😂" * 20_000, "a b " * 25_000, "学" * 100_000, "a" * 100_000, "x\u0301" * 50_000, "\n\t "],
)
def test_odd_text_gets_an_answer(model: LocalModel, text: str) -> None:
    (scores,) = model.score([Comment(text=text)])
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
        "assert not {'onnxruntime', 'tokenizers', 'classifiers.local', 'classifiers.lexicon'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == list(classifiers.kinds())


def test_loading_says_nothing_and_needs_no_torch() -> None:
    code = (
        "import sys, classifiers; from monitor.domain.verdict import Comment;"
        "classifiers.load('local').score([Comment(text='hello')]);"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("", "")
