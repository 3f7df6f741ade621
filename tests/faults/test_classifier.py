"""The service with a broken classifier: nothing is called fine, people hear of it, and all is read again."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.local import MODEL
from monitor.bootstrap import build
from monitor.cli import app
from monitor.config import Config
from monitor.domain.verdict import Action
from monitor.jobs import Parts, Stages
from monitor.pipeline import classify, failures
from tests.conftest import ROOT
from tests.faults.conftest import SECRETS, Rig, page_of


def missing(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def cut_short(folder: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


def tampered_with(folder: Path) -> None:
    changed = bytearray((folder / "tokenizer.json").read_bytes())
    changed[len(changed) // 2] ^= 1
    (folder / "tokenizer.json").write_bytes(changed)


DAMAGE = (
    (missing, "model.onnx cannot be read"),
    (cut_short, "model.onnx is damaged"),
    (tampered_with, "tokenizer.json is damaged"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.bootstrap.find_browser", lambda: None)


def with_model(rig: Rig, folder: Path) -> Config:
    """The example school's Facebook page, read by the model in `folder`."""
    chosen = {"classifier": "local", "classifier_options": {"folder": str(folder)}}
    return replace(
        rig.config, accounts=(rig.account("facebook"),), school=rig.config.school.model_copy(update=chosen)
    )


def subjects(rig: Rig, recipient: str) -> list[str]:
    """The subjects of the mails about the classifier that a person got."""
    to = [mail.subject for mail in rig.mailbox.messages() if mail.recipients == (recipient,)]
    return [subject for subject in to if subject.startswith(("The classifier", "Still: the classifier"))]


def provisional(parts: Parts) -> int:
    with parts.store.reading() as tx:
        return tx.readings.count_provisional()


@pytest.mark.parametrize(("damage", "said"), DAMAGE, ids=[one.__name__ for one, _ in DAMAGE])
def test_a_model_that_is_not_whole_is_never_fine(
    rig: Rig, folder: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(folder)
    with build(with_model(rig, folder), rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        assert said in page_of(parts, "/status"), "before any comment has come"
        stages.poll_all()
        stages.drain()
        status = page_of(parts, "/status")
        queue = page_of(parts, "/")
        with parts.store.reading() as tx:
            cases = tx.cases.all()
            glances = tx.queue.to_glance()
    assert said in status
    assert '<span class="light red"><i aria-hidden="true"></i>Problem</span> <b>Classifier</b>' in status
    assert "To be read again by the classifier" in status
    assert "The classifier fails" in queue
    assert len(cases) > 20
    assert {case.action for case in cases} <= {Action.REVIEW, Action.ESCALATE}
    assert glances == []
    assert subjects(rig, "linh.nguyen@larkfield.example") == ["The classifier fails – " + rig.config.school.name]
    assert subjects(rig, "margaret.bell@larkfield.example") == ["The classifier fails – " + rig.config.school.name]


def test_a_model_that_is_put_back_reads_everything_again_without_a_new_start(rig: Rig, folder: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    cut_short(folder)
    with build(with_model(rig, folder), rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        stages.poll_all()
        stages.drain()
        with parts.store.reading() as tx:
            before = {case.id: set(case.rules) for case in tx.cases.all()}
        assert provisional(parts) > 20
        (folder / "model.onnx").write_bytes(whole)
        rig.clock.jump(rig.clock.now() + classify.TRY_AGAIN)
        stages.drain()
        assert provisional(parts) == 0
        assert "The classifier fails" not in page_of(parts, "/")
        with parts.store.reading() as tx:
            cases = tx.cases.all()
            assert tx.health.problem_of("classifier").cleared_at == rig.clock.now()  # type: ignore[union-attr]
            assert all("read_again" in [event.kind for event in tx.cases.history(case.id)] for case in cases)
        after = {case.id: set(case.rules) for case in cases}
        assert all(after[case] >= rules for case, rules in before.items()), "nothing fell"
        assert after != before, "the model found more"
        rig.clock.jump(rig.clock.now() + failures.STEADY)
        stages.drain()
    assert [one.split(" –")[0] for one in subjects(rig, "linh.nguyen@larkfield.example")] == [
        "The classifier fails",
        "The classifier works again",
    ]


def test_a_start_with_the_model_mended_reads_again_what_the_last_run_could_not(rig: Rig, folder: Path) -> None:
    missing(folder)
    config = with_model(rig, folder)
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        stages = Stages(parts)
        stages.poll_all()
        stages.drain()
    shutil.copy(MODEL / "model.onnx", folder / "model.onnx")
    rig.clock.jump(rig.clock.now() + timedelta(minutes=30))
    with build(config, rig.data, clock=rig.clock, environment=SECRETS) as parts:
        assert "The classifier fails" not in page_of(parts, "/")
        Stages(parts).drain()
        assert provisional(parts) == 0


def test_check_says_that_the_classifier_cannot_be_loaded(tmp_path: Path, folder: Path) -> None:
    missing(folder)
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    school = config / "school.yaml"
    text = school.read_text(encoding="utf-8")
    school.write_text(text.replace("classifier_options: {}", f"classifier_options: {{folder: {folder}}}"))
    ran = CliRunner().invoke(app, ["check", "--config", str(config)])
    assert ran.exit_code == 1
    said = " ".join(ran.stdout.split())
    assert "CANNOT BE LOADED, the word list reads alone: the classifier's model.onnx cannot be read" in said
