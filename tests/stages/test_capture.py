"""Evidence is kept of what is escalated, of nothing else, and a failure is never silent."""

from datetime import datetime

from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Capture, Grade, Subject
from monitor.pipeline import capture
from tests.stages.conftest import RecordCapturer, School


class Broken:
    def capture(self, subject: Subject, now: datetime) -> Capture:
        raise CaptureError("the disk is full")


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


def test_a_capture_that_fails_is_tried_again_and_then_kept_as_failed(school: School) -> None:
    school.say("a threat #threat")
    real, RecordCapturer.capture = RecordCapturer.capture, Broken.capture  # type: ignore[method-assign]
    try:
        for _ in range(capture.ATTEMPTS):
            school.work()
            school.later(minutes=30)
    finally:
        RecordCapturer.capture = real  # type: ignore[method-assign]
    with school.store.reading() as tx:
        [evidence] = tx.evidence.of_case(1)
        problems = [problem.message for problem in tx.health.problems()]
    assert (evidence.grade, evidence.reason) == (Grade.FAILED, "the disk is full")
    assert problems == ["no evidence could be kept: the disk is full"]
