"""The rule book's meaning: all matches apply, the strongest wins, recipients unite, the tightest limit holds."""

from collections.abc import Collection

import pytest
from pydantic import ValidationError

from monitor.domain.item import AuthorKind, Channel
from monitor.domain.people import Role
from monitor.domain.policy import Facts, Policy, PolicyFile, When, decide
from monitor.domain.verdict import Action, Expects, Verdict


def book(*rules: dict[str, object], **settings: object) -> Policy:
    filled = [{"headline": "H", "says": "S", "action": "review", "severity": 1, **rule} for rule in rules]
    return Policy(book=PolicyFile.model_validate({"rules": filled, **settings}), version="1")


def judge(
    policy: Policy,
    labels: Collection[str] = (),
    *,
    doubt: Collection[str] = (),
    named: dict[str, Collection[Role]] | None = None,
    channel: Channel = Channel.OFFICIAL,
    author: AuthorKind = AuthorKind.UNKNOWN,
    platform: str = "x",
    language_read: bool = True,
    has_text: bool = True,
    has_attachments: bool = False,
) -> Verdict:
    facts = Facts(
        labels=labels,
        doubt=doubt,
        named=named or {},
        channel=channel,
        platform=platform,
        author=author,
        language_read=language_read,
        has_text=has_text,
        has_attachments=has_attachments,
    )
    return decide(facts, policy)


TWO = book(
    {"id": "a", "when": {"labels": ["abuse"]}, "action": "escalate", "severity": 3, "tell": ["slt"]},
    {"id": "b", "when": {"labels": ["complaint"]}, "severity": 2, "tell": ["headteacher", "slt"]},
)


def test_all_matching_rules_apply() -> None:
    verdict = judge(TWO, ["abuse", "complaint"])
    assert (verdict.action, verdict.severity, verdict.rank) == (Action.ESCALATE, 3, 0)
    assert verdict.rules == ("a", "b")
    assert verdict.tell == ("slt", "headteacher")


def test_a_later_rule_ranks_lower() -> None:
    assert judge(TWO, ["complaint"]).rank == 1


def test_nothing_that_matches_is_ignored_but_still_waits_for_a_glance() -> None:
    verdict = judge(TWO)
    assert (verdict.action, verdict.severity, verdict.expects) == (Action.IGNORE, 0, Expects.GLANCE)


def test_a_question_always_reaches_the_desk_even_without_a_rule() -> None:
    verdict = judge(TWO, ["query"])
    assert (verdict.action, verdict.expects) == (Action.REVIEW, Expects.ANSWER)


def test_mentions_have_no_response_clock() -> None:
    assert judge(TWO, ["complaint"], channel=Channel.MENTION).expects is Expects.NOTHING


def test_the_literal_rule_makes_every_comment_expect_an_answer() -> None:
    assert judge(book(obligations={"answer": "all"})).expects is Expects.ANSWER


def test_what_the_school_writes_matches_no_rule() -> None:
    verdict = judge(TWO, ["abuse"], author=AuthorKind.SCHOOL)
    assert (verdict.rules, verdict.expects, verdict.action) == ((), Expects.NOTHING, Action.IGNORE)


def test_the_tightest_restriction_holds() -> None:
    policy = book(
        {"id": "a", "when": {"labels": ["safeguarding"]}, "visible_to": ["dsl", "deputy_dsl"]},
        {"id": "b", "when": {"labels": ["allegation"]}, "visible_to": ["headteacher", "dsl"]},
    )
    assert judge(policy, ["safeguarding"]).visible_to == ("deputy_dsl", "dsl")
    assert judge(policy, ["safeguarding", "allegation"]).visible_to == ("dsl",)
    assert judge(policy, ["query"]).visible_to is None


def test_where_no_role_may_see_all_of_it_those_of_each_restriction_may() -> None:
    policy = book(
        {"id": "a", "when": {"labels": ["safeguarding"]}, "visible_to": ["dsl"], "tell": ["dsl"]},
        {"id": "b", "when": {"labels": ["allegation"]}, "visible_to": ["headteacher"], "tell": ["headteacher"]},
    )
    verdict = judge(policy, ["safeguarding", "allegation"])
    assert verdict.visible_to == ("dsl", "headteacher"), "whoever is told can open it"


@pytest.mark.parametrize("label", ["complaint", "allegation"])
def test_somebody_named_in_a_complaint_or_allegation_is_accused(label: str) -> None:
    assert judge(TWO, [label], named={"tom": ()}).accused == ("tom",)


@pytest.mark.parametrize("label", ["threat", "abuse", "safeguarding"])
def test_somebody_named_in_a_threat_or_disclosure_is_not(label: str) -> None:
    assert judge(TWO, [label], named={"tom": ()}).accused == ()


@pytest.mark.parametrize(
    ("when", "yes", "no"),
    [
        ({"labels": ["abuse", "hate"]}, {"labels": ["hate"]}, {"labels": ["query"]}),
        ({"all_labels": ["abuse", "hate"]}, {"labels": ["hate", "abuse"]}, {"labels": ["hate"]}),
        ({"without": ["spam"]}, {"labels": ["query"]}, {"labels": ["query", "spam"]}),
        ({"possibly": ["threat"]}, {"doubt": ["threat"]}, {"labels": ["threat"]}),
        ({"names": "anyone"}, {"named": {"tom": ()}}, {}),
        ({"names": "nobody"}, {}, {"named": {"tom": ()}}),
        ({"names": ["dsl"]}, {"named": {"tom": [Role.DSL]}}, {"named": {"tom": [Role.SLT]}}),
        ({"not_named": ["dsl"]}, {"named": {"tom": [Role.SLT]}}, {"named": {"tom": [Role.DSL]}}),
        ({"channel": "mention"}, {"channel": Channel.MENTION}, {}),
        ({"platforms": ["feed"]}, {"platform": "feed"}, {}),
        ({"author": ["pupil"]}, {"author": AuthorKind.PUPIL}, {}),
        ({"language": "unread"}, {"language_read": False}, {}),
        ({"attachments": True, "empty_text": True}, {"has_text": False, "has_attachments": True}, {}),
    ],
)
def test_each_condition(when: dict[str, object], yes: dict[str, object], no: dict[str, object]) -> None:
    policy = book({"id": "a", "when": when})
    assert judge(policy, **yes).rules == ("a",)  # type: ignore[arg-type]
    assert judge(policy, **no).rules == ()  # type: ignore[arg-type]


def test_every_condition_is_tested() -> None:
    [mark] = [one for one in test_each_condition.pytestmark if one.name == "parametrize"]  # type: ignore[attr-defined]
    assert {name for when, _, _ in mark.args[1] for name in when} == set(When.model_fields)


@pytest.mark.parametrize(
    ("language", "is_read"), [("en", True), ("und", True), ("pl", False), ("mis", False), ("cy", True)]
)
def test_the_rule_book_says_which_languages_are_read(language: str, is_read: bool) -> None:
    assert book(languages=["en", "cy"]).reads(language) is is_read


@pytest.mark.parametrize(
    ("rules", "settings", "wrong"),
    [
        ([{"id": "a", "when": {"labls": ["abuse"]}}], {}, "labls"),
        ([{"id": "a", "when": {"labels": ["rudeness"]}}], {}, "labels"),
        ([{"id": "a", "when": {}}, {"id": "a", "when": {}}], {}, "found twice: a"),
        ([{"id": "a", "when": {}, "severity": 6}], {}, "severity"),
        ([], {"ladder": [{"at": 1, "tell": ["slt"]}, {"at": 0.5, "tell": ["slt"]}]}, "in order"),
        ([], {"ladder": [{"at": 1, "tell": ["the boss"]}]}, "tell"),
        ([], {"failures": {"tell": []}}, "tell"),
        ([], {"failures": {"remind_every": 24}}, "remind_every"),
    ],
)
def test_a_rule_book_that_means_nothing_is_refused(
    rules: list[dict[str, object]], settings: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ValidationError, match=wrong):
        book(*rules, **settings)
