"""What is counted, against counts made by hand."""

import numpy as np
import pytest

from classifiers.figures import Sampling, area, calibration_error, figure, precision_recall

SAID = np.array([True, True, True, False, False, False])
TRUE = np.array([True, True, False, True, False, False])


def test_f1_is_twice_the_hits_over_said_and_true() -> None:
    assert figure(Sampling(6).f1(SAID, TRUE)).value == pytest.approx(2 * 2 / (3 + 3))


def test_a_share_counts_the_part_within_the_whole() -> None:
    assert figure(Sampling(6).share(SAID, TRUE)).value == pytest.approx(2 / 3)


def test_pooled_f1_adds_the_columns_before_dividing() -> None:
    said, true = np.stack([SAID, TRUE], 1), np.stack([TRUE, TRUE], 1)
    assert figure(Sampling(6).pooled_f1(said, true)).value == pytest.approx(2 * (2 + 3) / (6 + 6))


def test_an_interval_holds_the_figure_and_narrows_with_more_comments() -> None:
    few = figure(Sampling(6).f1(SAID, TRUE))
    many = figure(Sampling(600).f1(np.tile(SAID, 100), np.tile(TRUE, 100)))
    assert few.low <= few.value <= few.high
    assert many.value == pytest.approx(few.value)
    assert many.high - many.low < (few.high - few.low) / 3


def test_nothing_said_and_nothing_there_is_no_figure() -> None:
    nothing = np.zeros(6, dtype=bool)
    assert str(figure(Sampling(6).f1(nothing, nothing))) == "–"


def test_the_same_comments_give_the_same_interval_each_time() -> None:
    assert figure(Sampling(6).f1(SAID, TRUE)) == figure(Sampling(6).f1(SAID, TRUE))


def test_area_is_the_chance_that_an_example_scores_above_another() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    assert area(scores, np.array([True, True, False, False])) == 1.0
    assert area(scores, np.array([True, False, True, False])) == pytest.approx(3 / 4)
    assert area(np.full(4, 0.5), np.array([True, False, True, False])) == 0.5


def test_area_without_an_example_is_no_figure() -> None:
    assert np.isnan(area(np.array([0.1, 0.2]), np.array([False, False])))


def test_scores_that_keep_their_promise_have_no_calibration_error() -> None:
    scores, true = np.array([0.75] * 4), np.array([True, True, True, False])
    assert calibration_error(scores, true) == pytest.approx(0.0)
    assert calibration_error(scores, ~true) == pytest.approx(0.5)


def test_precision_and_recall_as_ever_more_is_taken() -> None:
    precision, recall = precision_recall(np.array([0.1, 0.9, 0.5]), np.array([True, True, False]))
    assert list(precision) == pytest.approx([1.0, 1 / 2, 2 / 3])
    assert list(recall) == pytest.approx([0.5, 0.5, 1.0])
