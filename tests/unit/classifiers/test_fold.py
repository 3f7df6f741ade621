"""Many spellings, one plain text, and the way back to the original."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.fold import LONGEST, fold


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Siân Wójcik, Nguyễn", "Sian Wojcik, Nguyen"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("zero\u200bwidth and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("fu\u0441k", "fuck"),
        ("fuuuuuck", "fuck"),
        ("sooooo good", "soo good"),
        ("k y s", "kys"),
        ("that d i c k h e a d of a man", "that dickhead of a man"),
        ("b!tch cr@p sh1te", "bitch crap shite"),
        ("‘well’ – he’d", "'well' - he'd"),
        ("a\r\n\r\n  b", "a b"),
    ],
)
def test_a_spelling_is_made_plain(written: str, plain: str) -> None:
    assert fold(written).text == plain


@pytest.mark.parametrize(
    "written", ["y6", "07700 900123", "joan@school.example", "B2B", "Привет мир", "1st at 3.15"]
)
def test_what_is_plain_already_stays(written: str) -> None:
    assert fold(written).text == written


def test_an_emoji_is_read_by_its_name_and_a_row_of_one_only_once() -> None:
    assert fold("🔪🔪🔪").text.split() == ["hocho"]
    assert fold("👏🏽").text.split() == ["clapping", "hands"]


def test_what_is_found_is_shown_in_the_original() -> None:
    original = "well s\u200bh1te, Żółkiewski 👏 fuuuuck"
    folded = fold(original)
    shown = {
        match[0]: original[slice(*folded.original(*match.span()))] for match in re.finditer(r"\w+", folded.text)
    }
    assert shown["shite"] == "s\u200bh1te"
    assert shown["Zolkiewski"] == "Żółkiewski"
    assert shown["clapping"] == "👏"
    assert shown["fuck"] == "fuuuuck"


@given(st.text())
def test_every_character_knows_where_it_came_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.origins) == len(folded.text)
    assert list(folded.origins) == sorted(folded.origins)
    assert all(0 <= origin < len(text) for origin in folded.origins)


def test_no_more_than_the_longest_comment_is_read() -> None:
    assert max(fold("é" * (LONGEST + 50)).origins) < LONGEST
