"""While the classifier fails nothing is called fine, people are told, and all of it is read again afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta

import pytest

from monitor import casework
from monitor.domain.case import CaseStatus, Decision
from monitor.domain.people import Role
from monitor.domain.verdict import Action, Comment, Label, Reading
from monitor.pipeline import classify, digest, failures
from tests.stages.conftest import School, TableReader

HARD = (Label.THREAT, Label.HATE, Label.SEXUAL, Label.ABUSE, Label.SAFEGUARDING, Label.ALLEGATION)
LOOK_AFTER_IT = {"linh.nguyen", "margaret.bell"}


class FailingReader(TableReader):
    """While it is `broken` it finds no label and rules out none; `asked` counts how often it was tried."""

    broken = True
    asked = 0

    @property
    def version(self) -> str:  # type: ignore[override]
        return "words alone" if self.problem else "model 1"

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        self.asked += 1
        self.problem = "the model failed: out of memory" if self.broken else None  # type: ignore[assignment]
        readings = super().read(comments)
        if not self.broken:
            return readings
        return [replace(each, labels=(), doubt=HARD, provisional=True) for each in readings]


@pytest.fixture
def reader(school: School) -> FailingReader:
    school.reader = FailingReader()
    return school.reader


def mend(school: School) -> None:
    """The model works again, and the reader finds out."""
    school.reader.broken = False  # type: ignore[attr-defined]
    school.now += classify.TRY_AGAIN
    school.work()


def kinds(school: School, case_id: int = 1) -> list[str]:
    with school.store.reading() as tx:
        return [event.kind for event in tx.cases.history(case_id)]


def test_the_kindest_words_wait_for_a_person_while_the_model_fails(school: School, reader: FailingReader) -> None:
    school.say("What a lovely show")
    school.work()
    [entry] = school.queue()
    assert (entry.case.action, entry.case.rules) == (Action.REVIEW, ("possibly-urgent",))
    with school.store.reading() as tx:
        [problem] = tx.health.problems()
    assert (problem.subject, "word list alone: the model failed" in problem.message) == ("classifier", True)


def test_those_who_look_after_it_are_told_once_and_reminded_every_day(
    school: School, reader: FailingReader
) -> None:
    for _ in range(3):
        school.say("What a lovely show")
        school.work()
        school.later(minutes=5)
    assert school.told() == dict.fromkeys(LOOK_AFTER_IT, 1)
    [message] = school.postbox.to("linh.nguyen@larkfield.example")
    assert message["subject"] == "The classifier fails – Larkfield"
    assert "the model failed: out of memory" in message["text"]
    assert "http://desk.example/status" in message["text"]
    assert "lovely" not in message["text"] + message["html"]
    school.later(hours=24)
    failures.run(school.store, school.letters, school.book, school.sender, school.now)
    school.work()
    assert school.postbox.to("linh.nguyen@larkfield.example")[1]["subject"].startswith("Still: the classifier")


def test_they_are_told_when_it_is_over_and_what_was_read_again(school: School, reader: FailingReader) -> None:
    school.say("What a lovely show")
    school.work()
    mend(school)
    assert school.told() == dict.fromkeys(LOOK_AFTER_IT, 1), "not before it has stayed well for a while"
    school.now += failures.STEADY
    school.work()
    subjects = [message["subject"] for message in school.postbox.to("margaret.bell@larkfield.example")]
    assert subjects == ["The classifier fails – Larkfield", "The classifier works again – Larkfield"]
    school.later(days=3)
    failures.run(school.store, school.letters, school.book, school.sender, school.now)
    with school.store.reading() as tx:
        assert tx.health.problems() == []
        assert len([one for one in tx.outbox.messages() if "classifier" in one.subject]) == 4


def test_a_model_that_comes_and_goes_is_one_failure(school: School, reader: FailingReader) -> None:
    for _ in range(4):
        reader.broken = True
        school.say("What a lovely show")
        school.work()
        mend(school)
        school.later(minutes=4)
    assert school.told() == dict.fromkeys(LOOK_AFTER_IT, 1)


def test_a_second_failure_after_the_first_was_over_is_told_anew(school: School, reader: FailingReader) -> None:
    school.say("What a lovely show")
    school.work()
    mend(school)
    school.now += failures.STEADY
    school.work()
    reader.broken = True
    school.say("Lovely again")
    school.work()
    assert school.told() == dict.fromkeys(LOOK_AFTER_IT, 3)


def test_with_no_technician_and_no_moderator_somebody_is_told_all_the_same(
    school: School, reader: FailingReader
) -> None:
    absent = {Role.IT_TECHNICIAN, Role.MODERATOR}
    school.book = replace(
        school.book, people=tuple(one for one in school.book.people if absent.isdisjoint(one.roles))
    )
    school.say("What a lovely show")
    school.work()
    assert set(school.told()) == {"david.okafor"}


def test_a_failing_model_is_tried_once_a_minute_when_nothing_waits(school: School, reader: FailingReader) -> None:
    school.say("What a lovely show")
    school.work()
    assert reader.asked == 1
    for _ in range(60):
        school.later(seconds=2)
        classify.run(school.store, reader, school.now)
    assert reader.asked == 3


def test_what_was_missed_is_raised_and_told_once_the_model_is_back(school: School, reader: FailingReader) -> None:
    school.say("see you at the gate @tom-field #threat")
    school.work()
    assert set(school.told()) == LOOK_AFTER_IT
    mend(school)
    [entry] = school.queue()
    assert (entry.case.severity, entry.case.rules) == (4, ("possibly-urgent", "threat-against-staff"))
    [message] = school.postbox.to("joan.price@larkfield.example")
    assert message["subject"].startswith("More serious now: A threat against")
    assert kinds(school)[0] == "opened"
    assert {"read_again", "raised", "told"} <= set(kinds(school))
    with school.store.reading() as tx:
        [event] = [one for one in tx.cases.history(1) if one.kind == "read_again"]
        assert event.detail == {"before": "words alone", "version": "model 1", "labels": ["threat"]}
        assert tx.readings.made_by(entry.item.id, entry.item.revision) == "model 1"
        assert tx.readings.count_provisional() == 0


def test_what_was_doubted_is_not_made_harmless_by_a_machine(school: School, reader: FailingReader) -> None:
    school.say("What a lovely show")
    school.work()
    mend(school)
    [entry] = school.queue()
    assert (entry.case.action, entry.case.severity, entry.labels) == (Action.REVIEW, 2, ())
    assert kinds(school).count("read_again") == 1
    assert "raised" not in kinds(school)


def test_a_person_closed_it_but_the_model_finds_a_threat(school: School, reader: FailingReader) -> None:
    school.say("see you at the gate #threat")
    school.work()
    casework.close(school.store, 1, Decision.NO_ACTION, actor="moderator", now=school.now)
    mend(school)
    [entry] = school.queue()
    assert (entry.case.status, entry.case.severity) == (CaseStatus.OPEN, 4)


def test_every_wording_is_read_again(school: School, reader: FailingReader) -> None:
    comment = school.say("I will burn it down #threat")
    school.work()
    school.say("Only joking", id=comment.ref.id)
    school.work()
    mend(school)
    [entry] = school.queue()
    assert (entry.case.severity, entry.item.item.text) == (4, "Only joking")
    assert kinds(school).count("read_again") == 2


def test_history_that_turns_out_to_be_restricted_is_restricted(school: School, reader: FailingReader) -> None:
    school.say("she has a bruise #safeguarding", published_at=school.now - timedelta(days=400))
    school.work()
    mend(school)
    with school.store.reading() as tx:
        [stored] = tx.items.search()
        assert tx.queue.surroundings([stored.id])[stored.id].rules == ("possibly-urgent", "safeguarding")
        assert tx.items.search(without_restricted=["safeguarding"]) == []
        assert tx.cases.all() == []


def test_a_model_that_fails_at_reading_again_leaves_it_to_be_read_again(
    school: School, reader: FailingReader
) -> None:
    school.say("see you at the gate #threat")
    school.work()

    class FailsOnComments(FailingReader):
        def read(self, comments: Sequence[Comment]) -> list[Reading]:
            self.broken = comments[0] is not classify.TRIAL
            return super().read(comments)

    school.reader = FailsOnComments()
    for _ in range(3):
        school.later(minutes=2)
        school.work()
    with school.store.reading() as tx:
        assert tx.readings.count_provisional() == 1
    assert "read_again" not in kinds(school)


def test_a_start_with_a_working_model_reads_again_what_the_last_run_could_not(
    school: School, reader: FailingReader
) -> None:
    for number in range(70):
        school.say(f"number {number} #query")
    school.work()
    school.reader = TableReader()
    school.work()
    with school.store.reading() as tx:
        assert tx.readings.count_provisional() == 0
    assert {entry.labels for entry in school.queue()} == {("query",)}


def test_the_digest_never_says_that_all_is_well_while_the_classifier_fails(
    school: School, reader: FailingReader
) -> None:
    school.say("What a lovely show")
    school.work()
    school.postbox.accepted.clear()
    edition = digest.Edition(at=time(7, 30), accounts=(), problems={})
    digest.run(school.store, school.letters, school.book, school.sender, edition, school.now)
    school.work()
    [message] = school.postbox.to("margaret.bell@larkfield.example")
    assert message["subject"].endswith("1 open, 0 overdue, the classifier fails")
    for body in (message["text"], message["html"]):
        assert "comments are read by the word list alone: the model failed: out of memory" in body
