"""Readings become cases by the school's rule book, and answers are recognised wherever they were typed."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor import casework
from monitor.domain.case import CaseStatus, Decision
from monitor.domain.item import Channel
from monitor.domain.verdict import Action, Expects
from tests.stages.conftest import School


def test_a_question_is_due_24_hours_after_it_was_published(school: School) -> None:
    school.say("When is the fair? #query", published_at=school.now - timedelta(hours=2))
    school.work()
    [entry] = school.queue()
    assert entry.case.expects is Expects.ANSWER
    assert entry.case.deadline is not None
    assert entry.case.deadline.due_at == school.now + timedelta(hours=22)
    assert entry.case.deadline.because == "received on a working day (Wed 18 Nov, 10:00): 24 hours"


def test_a_question_dated_in_the_future_has_its_clock_from_when_it_was_found(school: School) -> None:
    school.say("When is the fair? #query", published_at=school.now + timedelta(days=9999))
    school.work()
    [entry] = school.queue()
    assert entry.case.deadline is not None
    assert entry.case.deadline.due_at == school.now + timedelta(hours=24)


def test_a_question_asked_on_saturday_is_due_at_mondays_close(school: School) -> None:
    school.now = datetime(2026, 11, 21, 9, tzinfo=UTC)
    school.say("Is there school on Monday? #query")
    school.work()
    [entry] = school.queue()
    assert entry.case.deadline is not None
    assert entry.case.deadline.due_at == datetime(2026, 11, 23, 17, tzinfo=UTC)


def test_praise_on_an_official_account_waits_for_a_glance(school: School) -> None:
    school.say("What a lovely show")
    school.work()
    assert school.queue() == []
    with school.store.reading() as tx:
        [entry] = tx.queue.to_glance()
    assert entry.case.expects is Expects.GLANCE
    assert entry.case.deadline is not None


def test_praise_elsewhere_waits_for_nobody(school: School) -> None:
    school.say("What a lovely school", channel=Channel.MENTION)
    school.work()
    with school.store.reading() as tx:
        assert tx.cases.all() == []


def test_history_gets_no_case_and_no_mail(school: School) -> None:
    school.say("I will burn it down #threat", published_at=None)
    school.say("I will burn it down #threat", published_at=datetime(2026, 10, 1, tzinfo=UTC))
    school.work()
    with school.store.reading() as tx:
        assert tx.cases.all() == []
        assert [stored.history for stored in tx.items.search()] == [True, True]
    assert school.postbox.accepted == []


def test_the_schools_reply_under_a_comment_discharges_it(school: School) -> None:
    question = school.say("When is the fair? #query")
    other = school.say("And who runs it? #query")
    school.work()
    school.later(hours=3)
    school.answer(question)
    school.work()
    with school.store.reading() as tx:
        first, second = tx.cases.all()
    assert (first.status, first.answered_at) == (CaseStatus.ANSWERED, school.now)
    assert second.status is CaseStatus.OPEN, "one reply answers one comment"
    assert other.ref != question.ref


def test_a_reply_that_is_read_before_its_comment_counts_too(school: School) -> None:
    question = school.say("placeholder", id="1_9", published_at=school.now)
    school.answer(question, published_at=school.now + timedelta(minutes=1))
    school.work()
    with school.store.reading() as tx:
        [case] = tx.cases.all()
    assert case.status is CaseStatus.ANSWERED


def test_a_late_answer_stays_a_miss(school: School) -> None:
    question = school.say("When is the fair? #query")
    school.work()
    school.later(hours=30)
    school.answer(question)
    school.work()
    with school.store.reading() as tx:
        [case] = tx.cases.all()
        counts = tx.queue.counts(school.now)
    assert case.overdue(school.now)
    assert (counts.answered, counts.answered_late, counts.overdue) == (1, 1, 0)


def test_an_answer_does_not_close_a_threat(school: School) -> None:
    threat = school.say("You had better watch your back #threat")
    school.work()
    school.answer(threat, published_at=school.now + timedelta(minutes=5))
    school.work()
    [entry] = school.queue()
    assert entry.case.status is CaseStatus.OPEN
    assert entry.case.answered_at is not None


def test_an_item_found_after_its_deadline_is_found_late(school: School) -> None:
    school.say("When is the fair? #query", published_at=school.now - timedelta(days=3))
    school.work()
    [entry] = school.queue()
    assert entry.case.found_late
    assert entry.case.overdue(school.now)
    assert "margaret.bell" in school.told(), "the moderator hears of it at once"


def test_an_edit_that_makes_a_comment_worse_raises_its_case_and_tells_again(school: School) -> None:
    comment = school.say("Not happy with @tom-field #complaint")
    school.work()
    assert school.told() == {"joan.price": 1}
    school.later(minutes=10)
    school.say("I will come for @tom-field #complaint #threat", id=comment.ref.id)
    school.work()
    [entry] = school.queue()
    assert entry.case.severity == 4
    assert school.told()["joan.price"] == 2
    assert "More serious now" in school.postbox.to("joan.price@larkfield.example")[1]["subject"]
    with school.store.reading() as tx:
        assert len(tx.evidence.of_case(entry.case.id)) == 2, "both wordings are kept"


@pytest.mark.parametrize("dealt_with", ["glanced", "answered", "closed", "acknowledged"])
def test_a_case_that_was_dealt_with_is_open_again_once_an_edit_makes_it_worse(
    school: School, dealt_with: str
) -> None:
    comment = school.say("What a lovely show" if dealt_with == "glanced" else "When is the fair? #query")
    school.work()
    if dealt_with == "glanced":
        casework.glance(school.store, [1], actor="moderator", now=school.now)
    elif dealt_with == "answered":
        school.answer(comment)
        school.work()
    elif dealt_with == "closed":
        casework.close(school.store, 1, Decision.NO_ACTION, actor="moderator", now=school.now)
    else:
        casework.acknowledge(school.store, 1, actor="moderator", now=school.now)
    school.later(minutes=10)
    school.say("I will burn it down #threat", id=comment.ref.id)
    school.work()
    [entry] = school.queue()
    assert (entry.case.severity, entry.case.status) == (4, CaseStatus.OPEN)
    assert "joan.price" in school.told()


def test_an_edit_that_makes_a_comment_milder_changes_no_case(school: School) -> None:
    comment = school.say("You idiots #abuse")
    school.work()
    school.later(minutes=10)
    school.say("Sorry, I was angry", id=comment.ref.id)
    school.work()
    [entry] = school.queue()
    assert (entry.case.severity, entry.case.action) == (3, Action.ESCALATE)
    assert entry.item.item.text == "Sorry, I was angry"


def test_grave_cases_stand_first_then_the_overdue_then_by_deadline(school: School) -> None:
    school.say("later question #query", published_at=school.now - timedelta(hours=1))
    school.say("sooner question #query", published_at=school.now - timedelta(hours=9))
    school.say("late question #query", published_at=school.now - timedelta(days=2))
    school.say("rude #abuse")
    school.say("worried about a child #safeguarding")
    school.say("menace #threat")
    school.say("aimed #threat @joan-price")
    school.work()
    assert [entry.item.item.text.split()[0] for entry in school.queue()] == [
        "aimed",
        "menace",
        "worried",
        "late",
        "rude",
        "sooner",
        "later",
    ]


def test_what_a_reader_doubts_is_looked_at_by_a_person(school: School) -> None:
    school.say("he'll get what he deserves ?threat")
    school.work()
    [entry] = school.queue()
    assert (entry.case.action, entry.case.rules) == (Action.REVIEW, ("possibly-urgent",))


def test_a_picture_without_words_is_never_nothing(school: School) -> None:
    school.say("", attachments=("photo",))
    school.work()
    [entry] = school.queue()
    assert entry.case.rules == ("picture-without-words",)
