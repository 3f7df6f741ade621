"""Evidence is kept of what is escalated, of nothing else, and a failure is never silent."""

from datetime import datetime

import pytest

from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Capture, CapturedFile, Grade
from monitor.pipeline import capture
from tests.stages.conftest import RecordCapturer, School


def test_an_escalated_item_is_captured_and_its_files_are_in_the_vault(school: School) -> None:
    school.say("a threat #threat")
    school.work()
    with school.store.reading() as tx:
        [evidence] = tx.evidence.of_case(1)
    assert evidence.grade is Grade.RECORD_ONLY
    assert [file.name for file in evidence.files] == ["record.json", "manifest.json"]
    assert school.vault.get(evidence.files[0].sha256) == b"a threat #threatrecord.json"
    assert evidence.manifest_sha256 == evidence.files[1].sha256


def test_a_parents_question_is_not_evidence(school: School) -> None:
    school.say("When is the fair? #query")
    school.work()
    with school.store.reading() as tx:
        assert tx.evidence.of_case(1) == []


def graded(grade: Grade, now: datetime) -> Capture:
    files = (CapturedFile(name="manifest.json", media_type="application/json", body=grade.encode()),)
    return Capture(files=files, grade=grade, reason="the page took too long", captured_at=now)


def test_a_page_that_could_not_be_photographed_is_tried_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    grades = iter([Grade.FAILED, Grade.FAILED, Grade.FULL])
    monkeypatch.setattr(RecordCapturer, "capture", lambda *_: graded(next(grades), school.now))
    school.say("a threat #threat")
    for _ in range(3):
        school.work()
        school.later(minutes=5)
    with school.store.reading() as tx:
        [evidence] = tx.evidence.of_case(1)
    assert (evidence.grade, evidence.attempts) == (Grade.FULL, 3)


def test_a_page_that_never_can_be_photographed_is_kept_as_far_as_it_goes(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordCapturer, "capture", lambda *_: graded(Grade.FAILED, school.now))
    school.say("a threat #threat")
    for _ in range(capture.ATTEMPTS):
        school.work()
        school.later(minutes=30)
    with school.store.reading() as tx:
        [evidence] = tx.evidence.of_case(1)
        [problem] = tx.health.problems()
    assert (evidence.grade, len(evidence.files)) == (Grade.FAILED, 1)
    assert "The record and its card are kept" in problem.message


def test_a_page_that_cannot_be_photographed_is_a_problem_until_one_can(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    for grade, problems in ((Grade.FAILED, 1), (Grade.FULL, 0)):
        monkeypatch.setattr(RecordCapturer, "capture", lambda *_, grade=grade: graded(grade, school.now))
        school.say("a threat #threat")
        school.work()
        with school.store.reading() as tx:
            assert len(tx.health.problems()) == problems


def test_a_capture_that_fails_is_tried_again_and_then_kept_as_failed(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Capture:
        raise CaptureError("the disk is full")

    monkeypatch.setattr(RecordCapturer, "capture", broken)
    school.say("a threat #threat")
    for _ in range(capture.ATTEMPTS):
        school.work()
        school.later(minutes=30)
    with school.store.reading() as tx:
        [evidence] = tx.evidence.of_case(1)
        problems = [problem.message for problem in tx.health.problems()]
    assert (evidence.grade, evidence.reason) == (Grade.FAILED, "the disk is full")
    assert problems == ["no evidence could be kept: the disk is full"]
