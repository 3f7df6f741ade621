"""Who is told what, when: the routing rows of the policies, the ladder, and nobody twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor import casework
from monitor.domain.case import Decision
from monitor.domain.item import Channel
from monitor.domain.people import Role
from monitor.pipeline import escalate
from tests.stages.conftest import School


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a threat #threat", {"joan.price", "david.okafor", "sian.llewellyn-field", "linh.nguyen"}),
        ("hate #hate", {"joan.price", "david.okafor", "sian.llewellyn-field", "linh.nguyen"}),
        ("a child at risk #safeguarding", {"david.okafor", "sian.llewellyn-field"}),
        ("hurt a child #allegation @tom-field", {"joan.price"}),
        ("stole #allegation @joan-price", {"colin.hartley-brooke"}),
        ("angry with @tom-field #complaint", {"joan.price"}),
        ("angry with @joan-price #complaint", {"colin.hartley-brooke"}),
        ("the BBC asks #media", {"margaret.bell"}),
        ("her number is #personal_data", {"linh.nguyen"}),
        ("when is the fair #query", set()),
        ("the fair was bad #complaint", set()),
        ("lovely show", set()),
    ],
)
def test_the_rule_books_people_are_told_at_once(school: School, said: str, told: set[str]) -> None:
    school.say(said)
    school.work()
    assert set(school.told()) == told


def test_whoever_is_accused_is_not_told_whatever_other_role_they_hold(school: School) -> None:
    school.say("he ignored a child #safeguarding #allegation @david-okafor")
    school.work()
    assert "david.okafor" not in school.told()
    assert {"sian.llewellyn-field", "joan.price"} <= set(school.told())


def test_going_around_somebody_accused_shows_on_no_status_page(school: School) -> None:
    school.say("he ignored a child #safeguarding #allegation @david-okafor")
    school.work()
    with school.store.reading() as tx:
        assert tx.health.problems() == []


def test_a_role_that_nobody_holds_is_a_problem_that_is_shown(school: School) -> None:
    school.book = replace(
        school.book, people=tuple(one for one in school.book.people if Role.PRESS_CONTACT not in one.roles)
    )
    school.say("the BBC asks #media")
    school.work()
    with school.store.reading() as tx:
        assert [problem.subject for problem in tx.health.problems()] == ["role press_contact"]
    assert set(school.told()) == {"david.okafor"}, "the first of the fallback roles"


def test_being_named_in_a_threat_is_not_being_accused(school: School) -> None:
    school.say("@joan-price watch your back #threat")
    school.work()
    assert "joan.price" in school.told()


def test_the_ladder_reminds_then_reports_the_breach_then_goes_to_the_headteacher(school: School) -> None:
    school.say("When is the fair? #query")
    school.work()
    assert school.told() == {}
    school.later(hours=19, minutes=12)
    school.work()
    assert school.told() == {"margaret.bell": 1}
    school.later(hours=4, minutes=48)
    school.work()
    assert school.told() == {"margaret.bell": 2, "david.okafor": 1}
    assert "Overdue" in school.postbox.to("margaret.bell@larkfield.example")[1]["subject"]
    school.later(hours=12)
    school.work()
    assert school.told() == {"margaret.bell": 2, "david.okafor": 1, "joan.price": 1}
    school.later(days=3)
    school.work()
    assert sum(school.told().values()) == 4, "the ladder has ended"


def test_an_answer_ends_the_ladder(school: School) -> None:
    question = school.say("When is the fair? #query")
    school.work()
    school.later(hours=1)
    school.answer(question)
    school.later(days=3)
    school.work()
    assert school.told() == {}


def test_acknowledging_on_the_desk_does_not_stop_the_clock(school: School) -> None:
    school.say("When is the fair? #query")
    school.work()
    [entry] = school.queue()
    casework.acknowledge(school.store, entry.case.id, actor="moderator", now=school.now)
    school.later(hours=25)
    school.work()
    assert "margaret.bell" in school.told()


def test_an_unglanced_comment_is_reported_once_its_window_has_passed(school: School) -> None:
    school.say("What a lovely show")
    school.work()
    school.later(hours=25)
    school.work()
    assert school.told() == {"margaret.bell": 1}


def test_a_glance_in_time_tells_nobody(school: School) -> None:
    school.say("What a lovely show")
    school.work()
    with school.store.reading() as tx:
        waiting = [entry.case.id for entry in tx.queue.to_glance()]
    assert casework.glance(school.store, waiting, actor="moderator", now=school.now) == 1
    school.later(hours=25)
    school.work()
    assert school.told() == {}


def test_reminders_of_a_restricted_case_go_only_to_those_it_is_restricted_to(school: School) -> None:
    school.say("please help him #safeguarding #query")
    school.work()
    school.later(days=3)
    school.work()
    assert set(school.told()) == {"david.okafor", "sian.llewellyn-field"}


def test_a_closed_case_tells_nobody_any_more(school: School) -> None:
    school.say("When is the fair? #query")
    school.work()
    [entry] = school.queue()
    casework.close(school.store, entry.case.id, Decision.NO_ACTION, actor="moderator", now=school.now)
    school.later(days=3)
    school.work()
    assert school.told() == {}


def test_sweeping_twice_tells_nobody_twice(school: School) -> None:
    school.say("a threat #threat")
    school.work()
    with school.store.transaction() as tx:
        [case] = tx.cases.all()
        before = tx.outbox.count()
        tx.cases.stepped(case.id, told=(), level=0, next_step_at=school.now)
    assert escalate.run(school.store, school.book, school.now) == 1
    assert escalate.run(school.store, school.book, school.now) == 0
    with school.store.reading() as tx:
        assert tx.outbox.count() == before > 0


def test_a_mention_has_no_clock(school: School) -> None:
    school.say("they never answer #complaint", channel=Channel.MENTION)
    school.work()
    [entry] = school.queue()
    assert entry.case.deadline is None
    school.later(days=9)
    school.work()
    assert school.told() == {}


def test_after_an_outage_each_person_gets_one_message_about_everything(school: School) -> None:
    for hours in (30, 40, 60, 80):
        school.say("When is the fair? #query", published_at=school.now - timedelta(hours=hours))
    school.say("angry with @tom-field #complaint", published_at=school.now - timedelta(hours=70))
    school.work()
    assert school.told() == {"margaret.bell": 1, "david.okafor": 1, "joan.price": 1}
    [message] = school.postbox.to("margaret.bell@larkfield.example")
    assert message["subject"].startswith("5 matters need you")


def test_a_notice_quotes_nothing_and_says_where_and_by_when(school: School) -> None:
    school.say("I am FURIOUS with @tom-field #complaint")
    school.work()
    [message] = school.postbox.to("joan.price@larkfield.example")
    for body in (message["text"], message["html"]):
        assert "FURIOUS" not in body
        assert "http://desk.example/cases/1" in body
        assert "Thu 19 Nov, 12:00" in body
        assert "A complaint that names somebody" in body


def test_a_restricted_notice_does_not_even_say_what_kind_of_thing_happened(school: School) -> None:
    school.say("something awful #safeguarding")
    school.work()
    [message] = school.postbox.to("david.okafor@larkfield.example")
    assert "A confidential matter" in message["subject"]
    assert "child" not in message["text"]


def test_every_step_is_in_the_cases_history_and_the_chain_holds(school: School) -> None:
    school.say("a threat #threat")
    school.work()
    with school.store.reading() as tx:
        events = tx.cases.history(1)
    assert [event.kind for event in events][:2] == ["opened", "told"]
    assert {"captured", "accepted"} <= {event.kind for event in events}
    assert [event.previous for event in events] == ["", *(event.hash for event in events[:-1])]


def test_a_grave_notice_asks_to_look_now_whatever_its_deadline(school: School) -> None:
    school.say("@tom-field watch your back #threat")
    school.work()
    [message] = school.postbox.to("joan.price@larkfield.example")
    for body in (message["text"], message["html"]):
        assert "Please look now, by day or night." in body
        assert "Thu 19 Nov, 12:00" in body


def test_a_grave_matter_among_several_is_named_in_the_subject(school: School) -> None:
    school.say("angry with @tom-field #complaint")
    school.say("watch your back #threat")
    school.work()
    [message] = school.postbox.to("joan.price@larkfield.example")
    assert message["subject"] == "A threat (case 2) and 1 more – Larkfield"
