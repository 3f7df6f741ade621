"""Every case is a test of its own; those of known_failures.yaml are expected to fail."""

from collections.abc import Mapping

import pytest

from monitor.domain.verdict import Reading
from tests.functional.cases import Case
from tests.functional.gaps import BOUND, Gap, gaps
from tests.functional.identity import groups
from tests.functional.known_failures import every_case, known, marks

FAILING = known()


@pytest.fixture(scope="module")
def means(readings: Mapping[str, Reading]) -> Mapping[str, Gap]:
    return {gap.group: gap for gap in gaps(readings)}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id, marks=marks(case.id, FAILING)) for case in every_case()]
)
def test_case(case: Case, readings: Mapping[str, Reading]) -> None:
    assert not case.failings(readings[case.id]), case.comment.text


@pytest.mark.parametrize(
    "group", [pytest.param(group, marks=marks(f"identity_mean/{group}", FAILING)) for group in groups()]
)
def test_praise_of_a_group_scores_low_for_hate_and_abuse(group: str, means: Mapping[str, Gap]) -> None:
    assert not means[group].failings(), f"the mean may be {BOUND}"


def test_every_known_failure_is_of_a_case_that_exists() -> None:
    exist = {case.id for case in every_case()} | {f"identity_mean/{group}" for group in groups()}
    assert FAILING.keys() <= exist
