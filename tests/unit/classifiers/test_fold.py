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
        ("f * c k is not, s h 1 t e is", "f * c k is not, shite is"),
        ("b!tch cr@p sh1te", "bitch crap shite"),
        ("b0ll0cks and b@st@rd$", "bollocks and bastards"),
        ("$hit, a pain in the a$$", "shit, a pain in the ass"),
        ("\U0001d52a\U0001d534\U0001d52a and \u24c2\u24e4\u24dc", "mwm and Mum"),
        ("\U0001f150\U0001f171\ufe0f \ua730\u1d1c\u1d04\u1d0b", "AB FUCK"),
        ("\u0192u\u00a2k, n1\u20e3ce, z\u0334\u0489a\u20d2lgo", "fuck, nice, zalgo"),
        ("what a \u0441\u043e\u0441\u043a-up", "what a cock-up"),
        ("#KeepOurHead #year6rocks #SATsWeek2026", "#Keep Our Head #year6rocks #SATs Week2026"),
        ("‘well’ – he’d", "'well' - he'd"),
        ("a\r\n\r\n  b", "a b"),
    ],
)
def test_a_spelling_is_made_plain(written: str, plain: str) -> None:
    assert fold(written).text == plain


@pytest.mark.parametrize(
    "written",
    [
        *("y6", "07700 900123", "joan@school.example", "@MissPrice5H", "B2B", "1st at 3.15", "£5 or US$ 5", "$40"),
        *("Привет мир", "Спасибо, thanks", "#shambles", "NHS", "a 1 b", "SW1A 2AA"),
    ],
)
def test_what_is_plain_already_stays(written: str) -> None:
    assert fold(written).text == written


def test_an_emoji_is_read_by_its_name_and_a_row_of_one_only_once() -> None:
    assert fold("🔪🔪🔪").text.split() == ["hocho"]
    assert fold("👏🏽").text.split() == ["clapping", "hands"]


def test_what_is_found_is_shown_in_the_original() -> None:
    original = "well s\u200bh1te, Żółkiewski 👏 fuuuuck #SackTheHead!"
    folded = fold(original)
    shown = {
        match[0]: original[slice(*folded.original(*match.span()))] for match in re.finditer(r"\w+", folded.text)
    }
    assert shown["shite"] == "s\u200bh1te"
    assert shown["Zolkiewski"] == "Żółkiewski"
    assert shown["clapping"] == "👏"
    assert shown["fuck"] == "fuuuuck"
    assert shown["The"] == "The"


@given(st.text())
def test_every_character_knows_where_it_came_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.origins) == len(folded.text)
    assert list(folded.origins) == sorted(folded.origins)
    assert all(0 <= origin < len(text) for origin in folded.origins)


def test_a_hostile_row_takes_no_longer_than_a_harmless_one() -> None:
    for row in ("a@", "a!", "а", "аa", "a ", "#aA", "$", "1\u20e3"):
        assert fold((row * LONGEST)[:LONGEST] + "@") is not None


def test_no_more_than_the_longest_comment_is_read() -> None:
    assert max(fold("é" * (LONGEST + 50)).origins) < LONGEST
