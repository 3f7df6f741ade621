"""When a page counts as showing an item's own text."""

import pytest

from monitor.evidence.photograph import contains


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("Dan W: watch your back", "watch your back"),
        ("watch\n  your\u00a0back", "watch your back"),
        ("watch your back", " watch\n\nyour back "),
        ("(ok)", "ok"),
        ("so rude 😡😡 indeed", "😡😡"),
        ("cafe\u0301", "caf\u00e9"),
        ("a.b*c", "a.b*c"),
        ("well... no", "..."),
    ],
)
def test_a_text_is_found_however_the_page_breaks_its_lines(page: str, text: str) -> None:
    assert contains(page, text)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("Log in to Facebook", "ok"),
        ("Log in to Facebook", "in to face"),
        ("watch your back", "watch your back!"),
        ("axbc", "a.b*c"),
        ("anything", ""),
        ("anything", " \n"),
    ],
)
def test_a_text_is_not_found_inside_other_words_or_when_there_is_none(page: str, text: str) -> None:
    assert not contains(page, text)
