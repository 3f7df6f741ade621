"""The cases are new to the model, and differ from one another; a test that a model was trained on is none."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from classifiers.training.duplicates import near_duplicates
from classifiers.training.written import written
from tests.functional.cases import Case, cases
from tests.functional.identity import PLAIN, PRAISE, group_of, identity_cases


def mine() -> list[Case]:
    """The written cases, and the templates once each. Word for word with another parent, a text is another case."""
    plain = [case for case in identity_cases() if case.capability == PRAISE and group_of(case) == PLAIN]
    return [*{case.comment.text: case for case in [*cases(), *plain]}.values()]


def alike(others: Sequence[str]) -> list[tuple[str, str]]:
    """Cases that are nearly the same as another, or as one of `others`."""
    texts = [*others, *(case.comment.text for case in mine())]
    return [(texts[a], texts[b]) for a, b in near_duplicates(texts) if b >= len(others)]


@pytest.mark.timeout(600)  # some seconds, on a machine that does nothing else
def test_no_case_is_nearly_a_training_comment_or_another_case() -> None:
    assert not alike([comment.text for comment in written()])


def test_no_case_is_nearly_a_development_comment(shared: Path) -> None:
    rows = (shared / "comments" / "comments.jsonl").read_text(encoding="utf-8").splitlines()
    assert not alike([json.loads(row)["text"] for row in rows])
