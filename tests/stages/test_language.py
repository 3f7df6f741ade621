"""What is written in a language that the classifier does not read goes to a person, within the same time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta

import pytest

from classifiers.language import guess
from monitor.domain.item import Channel
from monitor.domain.policy import Policy
from monitor.domain.rulebook import RuleBook
from monitor.domain.verdict import Action, Comment, Expects, Reading
from monitor.pipeline import digest
from tests.stages.conftest import School, TableReader

POLISH = "Jutro po lekcjach czekam na ciebie przed szkołą, zobaczysz co będzie"


class ListeningReader(TableReader):
    """Says in which language each text is."""

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        read = zip(super().read(comments), comments, strict=True)
        return [replace(reading, language=guess(comment.text)) for reading, comment in read]


@pytest.fixture(autouse=True)
def listening(school: School) -> None:
    school.reader = ListeningReader()


def reading(book: RuleBook, *languages: str) -> RuleBook:
    """The rule book of a school whose classifier reads these languages."""
    changed = book.policy.book.model_copy(update={"languages": languages})
    return replace(book, policy=Policy(book=changed, version="1"))


def test_it_waits_on_the_desk_and_not_among_what_is_only_glanced_at(school: School) -> None:
    school.say(POLISH)
    school.work()
    [entry] = school.queue()
    assert (entry.case.action, entry.case.severity, entry.case.rules) == (Action.REVIEW, 2, ("language-not-read",))
    assert (entry.case.expects, entry.language) == (Expects.GLANCE, "pl")
    assert entry.case.deadline is not None
    assert entry.case.deadline.due_at == school.now + timedelta(hours=24)
    assert school.told() == {}


def test_the_moderator_is_told_in_which_language_when_nobody_has_looked_in_time(school: School) -> None:
    school.say(POLISH)
    school.work()
    school.later(hours=24)
    school.work()
    assert school.told() == {"margaret.bell": 1}
    [message] = school.postbox.accepted
    assert message["subject"].startswith("Overdue: In a language that is not read")
    assert "It is in Polish (the classifier does not read it)." in message["text"]
    assert "zobaczysz" not in message["text"]


def test_the_digest_says_in_which_language_it_is(school: School) -> None:
    school.say(POLISH)
    school.work()
    edition = digest.Edition(at=time(7, 30), accounts=(), problems={})
    digest.run(school.store, school.letters, school.book, school.sender, edition, school.now)
    school.work()
    for body in (school.postbox.accepted[0]["text"], school.postbox.accepted[0]["html"]):
        assert "in Polish (the classifier does not read it)" in body


@pytest.mark.parametrize(
    "said", ["❤️❤️👏", "Fantastic!", "Diolch!", "Bravo!!", "شكرا", "Dziękuję Mrs Price, they loved it", "😂", "!!!"]
)
def test_a_heart_or_one_word_of_thanks_does_not(school: School, said: str) -> None:
    school.say(said)
    school.work()
    assert school.queue() == []


def test_what_is_read_in_it_counts_all_the_same(school: School) -> None:
    school.say(f"{POLISH} #threat")
    school.work()
    [entry] = school.queue()
    assert (entry.case.severity, entry.case.rules) == (4, ("threat", "language-not-read"))
    assert "joan.price" in school.told()


def test_elsewhere_it_is_looked_at_without_a_clock(school: School) -> None:
    school.say(POLISH, channel=Channel.MENTION)
    school.work()
    [entry] = school.queue()
    assert (entry.case.action, entry.case.deadline) == (Action.REVIEW, None)


def test_a_school_whose_classifier_reads_it_says_so_in_the_rule_book(school: School) -> None:
    school.book = reading(school.book, "en", "pl")
    school.say(POLISH)
    school.work()
    assert school.queue() == []


def test_a_language_without_a_name_here_goes_to_a_person_too(school: School) -> None:
    school.say("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎠᏂᏣᎳᎩ")
    school.work()
    [entry] = school.queue()
    assert entry.language == "mis"
