"""Other people's models: what the configuration must say of them, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

import classifiers
from classifiers import hub, lexicon
from classifiers.reader import load_reader
from classifiers.threshold import Threshold
from monitor.bootstrap import classifier_options
from monitor.config import load_config
from monitor.domain.errors import ClassifierError, ConfigError
from monitor.domain.verdict import Comment, Label, Scores
from tests.conftest import ROOT
from tests.contract.tiny import LONGEST, WORDS, save_tiny, torch

LABELS = {"toxic": "abuse", "insult": "abuse", "menace": "threat", "fine": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "model", list(LABELS))


def score(model: hub.HubModel, text: str = "you are an idiot!") -> Scores:
    return model.score([Comment(text=text)])[0]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "missing a required argument: 'model'"),
        ({"model": "a/b"}, "missing a required argument: 'labels'"),
        ({"model": "a/b", "labels": LABELS, "modle": "c"}, "modle"),
        ({"model": "a/b", "labels": {"toxic": "rudeness"}}, "labels.toxic"),
        ({"model": "a/b", "labels": {}}, "labels"),
        ({"model": "a/b", "labels": LABELS, "thresholds": {"abuse": {"over": 0.2, "possibly": 0.4}}}, "possibly"),
        (
            {"model": "a/b", "labels": LABELS, "thresholds": {"rudeness": {"over": 0.5, "possibly": 0.4}}},
            "thresholds",
        ),
        ({"model": "a/b", "labels": LABELS, "download": "perhaps"}, "download"),
    ],
)
def test_an_option_that_does_not_fit_stops_the_start_and_is_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=f"classifier_options.*{named}"):
        load_reader("hub", (), options=options)


def test_another_kind_takes_no_option_of_hub() -> None:
    with pytest.raises(ConfigError, match=r"lexicon.*revision"):
        classifiers.load("lexicon", revision="main")


def test_without_pytorch_it_says_what_to_install_and_the_word_list_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    reader = load_reader("hub", (), options={"model": "a/b", "labels": LABELS})
    assert reader.problem == "PyTorch is not installed: pip install 'schoolwatch[torch]' (docs/classifiers.md)"
    [reading] = reader.read([Comment(text="hello")])
    assert reading.provisional
    assert Label.THREAT in reading.doubt


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"toxic": "abuse"}, "say what fine, insult, menace of .* means here, or null"),
        ({**LABELS, "rude": "abuse"}, "has no rude, only toxic, insult, menace, fine"),
        (dict.fromkeys(LABELS), "nothing that .* finds would count"),
    ],
)
def test_every_label_of_the_model_is_to_be_given_a_meaning(labels: dict[str, str | None], named: str) -> None:
    config = SimpleNamespace(id2label=dict(enumerate(LABELS)))
    with pytest.raises(ConfigError, match=named):
        hub.columns(config, hub.Options(model="a/b", labels=labels))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("problem", "labels", "exclusive"),
    [
        ("multi_label_classification", 3, False),
        ("single_label_classification", 3, True),
        (None, 3, True),
        (None, 1, False),
    ],
)
def test_the_model_says_whether_its_labels_exclude_one_another(
    problem: str | None, labels: int, exclusive: bool
) -> None:
    config = SimpleNamespace(problem_type=problem, id2label=dict.fromkeys(range(labels)))
    assert hub.exclusive(config) is exclusive


def test_a_model_of_numbers_is_refused() -> None:
    with pytest.raises(ClassifierError, match="regression"):
        hub.exclusive(SimpleNamespace(problem_type="regression", id2label={0: "score"}))


def test_a_folder_in_the_options_lies_beside_the_configuration(tmp_path: Path) -> None:
    config_folder = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    school = config_folder / "school.yaml"
    chosen = "classifier: hub\nclassifier_options: {model: larger, labels: {toxic: abuse}}\n"
    text = (
        school.read_text(encoding="utf-8")
        .replace("classifier_options: {}", "")
        .replace("classifier: local ", chosen + "#")
    )
    school.write_text(text, encoding="utf-8")
    assert classifier_options(load_config(config_folder))["model"] == "larger", "the name of a model"
    (config_folder / "larger").mkdir()
    assert classifier_options(load_config(config_folder))["model"] == config_folder / "larger"


def test_of_labels_that_may_stand_together_the_likeliest_speaks(folder: Path) -> None:
    toxic, insult = (
        score(hub.load(model=folder, labels=dict.fromkeys(LABELS) | {name: "abuse"}))[Label.ABUSE]
        for name in ("toxic", "insult")
    )
    assert score(hub.load(model=folder, labels=LABELS))[Label.ABUSE] == max(toxic, insult)


def test_of_labels_that_exclude_one_another_the_sum_counts(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, list(LABELS), "single_label_classification")
    ours = [Label.ABUSE, Label.THREAT, Label.HATE, Label.QUERY]
    apart = score(hub.load(model=folder, labels=dict(zip(LABELS, ours, strict=True))))
    together = score(hub.load(model=folder, labels=LABELS))
    assert sum(apart[label] for label in ours) == pytest.approx(1, abs=1e-3)
    assert together[Label.ABUSE] == pytest.approx(apart[Label.ABUSE] + apart[Label.THREAT], abs=1e-3)


def test_what_the_model_has_no_label_for_the_word_list_scores_and_it_says_so(folder: Path) -> None:
    model = hub.load(model=folder, labels=LABELS)
    comment = Comment(text="Newsdesk here, when is the fucking fair?")
    [scores], [words] = model.score([comment]), lexicon.load().score([comment])
    assert {label: scores[label] for label in model.unknown} == {label: words[label] for label in model.unknown}
    assert set(model.unknown) == set(Label) - {Label.ABUSE, Label.THREAT}
    assert "words:media" in model.version
    [note] = load_reader("hub", (), options={"model": folder, "labels": LABELS}).notes
    assert "does not know hate, sexual, profanity" in note


def test_its_version_is_that_of_weights_and_settings(folder: Path, tmp_path: Path) -> None:
    version = hub.load(model=folder, labels=LABELS).version
    assert version.startswith("model@")
    assert hub.load(model=folder, labels=LABELS).version == version
    stricter = {"abuse": {"over": 0.9, "possibly": 0.5}}
    other = save_tiny(tmp_path / "other" / "model", list(LABELS), seed=2)
    versions = {
        hub.load(model=folder, labels={**LABELS, "insult": None}).version,
        hub.load(model=folder, labels=LABELS, thresholds=stricter).version,
        hub.load(model=other, labels=LABELS).version,
    }
    assert len(versions - {version}) == 3


def test_thresholds_are_the_configurations(folder: Path) -> None:
    model = hub.load(model=folder, labels=LABELS, thresholds={"abuse": {"over": 0.9, "possibly": 0.5}})
    assert model.thresholds[Label.ABUSE] == Threshold(over=0.9, possibly=0.5)
    assert model.thresholds[Label.THREAT] == hub.USUAL


def test_a_long_text_is_read_in_windows_from_its_beginning_to_its_end(folder: Path) -> None:
    model = hub.load(model=folder, labels=LABELS)
    windows = [window["input_ids"] for _, window in model._windows(["what " + "lovely " * 300 + "idiot"])]
    assert all(len(window) <= LONGEST for window in windows)
    assert (windows[0][1], windows[-1][-2]) == (WORDS.index("what"), WORDS.index("idiot"))
    assert len(list(model._windows(["lovely " * 50_000]))) == hub.WINDOWS


def test_of_several_windows_the_strongest_decides(folder: Path) -> None:
    model = hub.load(model=folder, labels=LABELS)
    text = "what time is the fair? " * 30 + "you are an idiot! " * 30
    apart = [model._run([window])[0] for _, window in model._windows([text])]
    assert len(apart) > 3
    assert [score(model, text)[label] for label in (Label.ABUSE, Label.THREAT)] == pytest.approx(
        [max(column) for column in zip(*apart, strict=True)], abs=1e-4
    )


def damage(folder: Path) -> Iterator[tuple[str, str]]:
    """Each way in which a folder can be no model, made in turn: a name for it and what is said."""
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    yield "cut short", "cannot be loaded"
    weights.unlink()
    yield "missing", "cannot be loaded"
    torch().save({}, folder / "pytorch_model.bin")
    yield "pickled weights alone", "cannot be loaded"
    weights.write_bytes(whole)
    (folder / "tokenizer.json").write_text("{")
    yield "a damaged tokenizer", "cannot be loaded"
    config = json.loads((folder / "config.json").read_text())
    shutil.copy(folder / "config.json", folder / "kept.json")
    code = {"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.Model"}
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": code}))
    (folder / "evil.py").write_text("raise SystemExit('the code of a model was run')")
    yield "code of its own", "cannot be loaded"
    (folder / "config.json").write_text("no JSON")
    yield "a damaged config.json", "cannot be loaded"


def test_what_is_no_whole_model_is_refused(folder: Path) -> None:
    for name, said in damage(folder):
        with pytest.raises(ClassifierError, match=said):
            hub.load(model=folder, labels=LABELS)
            pytest.fail(name)


def test_a_language_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, list(LABELS), head=False)
    with pytest.raises(ClassifierError, match="no trained classifier: its weights lack classifier"):
        hub.load(model=folder, labels=LABELS)


def test_scores_that_are_no_numbers_are_a_failure(folder: Path) -> None:
    model = hub.load(model=folder, labels=LABELS)
    with torch().no_grad():
        model._network.classifier.weight.fill_(float("nan"))
    with pytest.raises(ClassifierError, match="no numbers"):
        score(model)


def test_a_device_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(ClassifierError, match="cannot be loaded"):
        hub.load(model=folder, labels=LABELS, device="cuda:99")


class Counting(BaseHTTPRequestHandler):
    """A model hub that has nothing, and counts who asks."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("download", [False, True])
def test_nothing_is_asked_of_the_network_unless_that_is_allowed(tmp_path: Path, download: bool) -> None:
    torch()
    Counting.asked = 0
    with HTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = (
            "from classifiers import hub; from monitor.domain.errors import ClassifierError\n"
            f"try: hub.load(model='some/model', labels={{'a': 'abuse'}}, download={download})\n"
            "except ClassifierError as error: print(error)"
        )
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path),
            "NO_PROXY": "127.0.0.1",
        }
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
        )
        server.shutdown()
    assert (Counting.asked > 0) is download
    assert "some/model cannot be loaded" in ran.stdout if download else "is not on this computer" in ran.stdout
