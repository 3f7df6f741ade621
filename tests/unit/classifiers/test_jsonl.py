"""`schoolwatch classify`: a line in, a line out, in order; a bad one is named and passed over."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from classifiers.jsonl import LineError, classify_lines
from classifiers.reader import load_reader
from monitor.domain.people import Person
from monitor.domain.ports import Reader
from monitor.domain.verdict import Label


@pytest.fixture(scope="module")
def reader(roster: Sequence[Person]) -> Reader:
    return load_reader("lexicon", roster)


def run(reader: Reader, *lines: str) -> list[dict[str, Any] | LineError]:
    return list(classify_lines(lines, reader, batch=2))


def test_a_result_has_the_fields_of_the_contract(reader: Reader) -> None:
    line = json.dumps({"id": "d1", "text": "Mrs Young is a f***ing liar", "platform": "x", "channel": "mention"})
    (result,) = run(reader, line)
    assert isinstance(result, dict)
    assert list(result) == ["id", "labels", "scores", "names", "doubt", "names_doubt", "language"]
    assert result["id"] == "d1"
    assert "profanity" in result["labels"]
    assert result["names"] == ["head"]
    assert set(result["scores"]) == set(Label)
    assert json.loads(json.dumps(result)) == result


def test_results_come_in_the_order_of_the_lines_across_batches(reader: Reader) -> None:
    lines = [json.dumps({"id": str(n), "text": "hello"}) for n in range(7)]
    assert [result["id"] for result in run(reader, *lines) if isinstance(result, dict)] == list("0123456")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"id": "a"}',
        '{"text": "a"}',
        '{"id": "a", "text": 1}',
        '{"id": "", "text": ""}',
        '{"id": true, "text": ""}',
        '{"id": "a", "text": null}',
        '{"id": "a", "text": "", "parent": 3}',
        "[" * 100_000,
    ],
)
def test_a_bad_line_is_reported_with_its_number_and_the_rest_goes_on(reader: Reader, line: str) -> None:
    good = '{"id": 1, "text": "hello"}'
    first, bad, last = run(reader, good, line, good)
    assert isinstance(bad, LineError)
    assert bad.number == 2
    assert str(bad).startswith("line 2: ")
    assert isinstance(first, dict)
    assert isinstance(last, dict)


def test_blank_lines_are_passed_over_and_still_counted(reader: Reader) -> None:
    (bad,) = run(reader, "\n", "  \n", "nonsense\n")
    assert isinstance(bad, LineError)
    assert bad.number == 3


def test_a_byte_order_mark_is_no_part_of_the_first_line(reader: Reader) -> None:
    (result,) = run(reader, '\ufeff{"id": "a", "text": "hello"}')
    assert isinstance(result, dict)


def test_the_context_fields_may_be_missing_or_null(reader: Reader) -> None:
    (result,) = run(reader, '{"id": "a", "text": "hello", "platform": null, "parent": "Why?"}')
    assert isinstance(result, dict)
