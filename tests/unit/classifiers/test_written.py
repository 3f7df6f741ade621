"""The training comments: enough of them, each said once, nobody real in them, and none of the development set."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from classifiers.training.agreement import kappa, twice_read
from classifiers.training.duplicates import near_duplicates, repeated
from classifiers.training.written import COMMENTS, Written, written
from monitor.domain.verdict import Label

#: What Ofcom keeps for films and examples, and the domains that RFC 2606 does.
DRAMA_NUMBERS = re.compile(
    r"^(?:0|44)(?:7700900\d{3}|1632960\d{3}|2079460\d{3}|1[1-6]1496\d{4}|808157\d{4}|909879\d{4})$"
)
NUMBER = re.compile(r"(?<![\w£.:/-])(?:\+44|0)(?:[ ()-]{0,2}\d){9,10}(?!\d)")
LINK = re.compile(
    r"(?<![@\w.-])(?:https?://)?((?:[\w-]+\.)+(?:com|org|net|uk|io|co|ly|shop|info|me))\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def comments() -> list[Written]:
    return written()


def test_there_are_six_thousand_of_many_schools(comments: list[Written]) -> None:
    assert len(comments) >= 6000
    assert len({each.school for each in comments}) >= 7


def test_every_label_has_examples_and_many_comments_have_none(comments: list[Written]) -> None:
    count = Counter(label for each in comments for label in each.labels)
    assert min(count[label] for label in Label) >= 200
    assert 0.25 <= sum(not each.labels for each in comments) / len(comments) <= 0.5


def test_every_comment_has_an_id_of_its_own(comments: list[Written]) -> None:
    assert len({each.id for each in comments}) == len(comments)


def test_no_two_say_nearly_the_same(comments: list[Written]) -> None:
    assert [(first.id, second.id) for first, second in repeated(comments)] == []


def test_none_is_of_the_development_set(comments: list[Written]) -> None:
    file = Path(__file__).parents[3].parent / "shared" / "comments" / "comments.jsonl"
    if not file.exists():
        pytest.skip("shared/comments is not beside this checkout")
    theirs = [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    theirs = [text for text in theirs if len(text.split()) > 5]  # of fewer words anybody writes the same
    texts = theirs + [each.text for each in comments]
    copied = [(texts[a], texts[b]) for a, b in near_duplicates(texts) if a < len(theirs) <= b]
    assert copied == []


def test_telephone_numbers_are_nobodys(comments: list[Written]) -> None:
    numbers = [re.sub(r"\D", "", found) for each in comments for found in NUMBER.findall(each.text)]
    assert len(numbers) > 50
    assert [number for number in numbers if not DRAMA_NUMBERS.match(number)] == []


def test_links_lead_nowhere(comments: list[Written]) -> None:
    hosts = [host.rstrip(".").lower() for each in comments for host in LINK.findall(each.text)]
    assert len(hosts) > 50
    assert [h for h in hosts if not re.search(r"(?:^|\.)example(?:\.(?:org|com|net))?$", h)] == []


def test_about_an_eighth_is_held_back_and_has_every_label(comments: list[Written]) -> None:
    held = [each for each in comments if each.held_back]
    assert 0.1 <= len(held) / len(comments) <= 0.14
    assert {label for each in held for label in each.labels} == set(Label)


def test_a_tenth_was_read_again_by_somebody_else_who_mostly_agreed(comments: list[Written]) -> None:
    twice = twice_read()
    assert len(twice) >= len(comments) / 10
    assert {each.id for each in twice} <= {each.id for each in comments}
    for label in Label:
        agreement = kappa([label in each.first for each in twice], [label in each.second for each in twice])
        assert agreement >= 0.8, label


def test_every_school_has_a_roster(comments: list[Written]) -> None:
    for school in {each.school for each in comments}:
        assert (COMMENTS / school / "roster.yaml").is_file()


def test_kappa_is_one_for_agreement_and_nought_for_chance() -> None:
    assert kappa([True, False, True], [True, False, True]) == 1
    assert kappa([True, True, False, False], [True, False, True, False]) == 0
