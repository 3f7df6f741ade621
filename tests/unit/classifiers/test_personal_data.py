"""Private data that has a shape."""

import pytest

from classifiers.personal_data import find, find_pupils


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("ring me on 07700 900123 please", "07700 900123"),
        ("ring +44 7700 900123", "+44 7700 900123"),
        ("01632-960-001", "01632-960-001"),
        ("(01632) 960001", "01632) 960001"),
        ("we live in SW1A 2AA now", "SW1A 2AA"),
        ("mail jo.bloggs+x@example.org", "jo.bloggs+x@example.org"),
        ("she lives at 14 Tanner's Row", "14 Tanner's Row"),
        ("Flat 2, 61 Quarry Rise", "61 Quarry Rise"),
    ],
)
def test_contact_details_are_found(text: str, private: str) -> None:
    assert [text[span.start : span.end] for span in find(text)] == [private]


@pytest.mark.parametrize(
    "text",
    [
        "won 6-0 in 2024",
        "£1,000,000 raised",
        "100 Years of Hill Park School",
        "class of 1974-1980",
        "3.15 at gate 2",
        "@jbloggs",
        "Year 6 Road Safety",
        "0 out of 10",
    ],
)
def test_ordinary_numbers_are_not(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Well done Oliver Whitcombe in Year 4!", "Oliver Whitcombe"),
        ("It's Amelia Thornbury's mum here", "Amelia Thornbury"),
        ("my granddaughter Isla-Rae Cuthbertson won", "Isla-Rae Cuthbertson"),
    ],
)
def test_a_pupils_full_name_is_found(text: str, name: str) -> None:
    assert name in {text[span.start : span.end] for span in find_pupils(text)}


@pytest.mark.parametrize(
    "text", ["Mrs Price in Year 4", "Well Done Year 4", "Oliver in Year 4", "Thank You Year 6"]
)
def test_a_staff_member_or_a_class_is_no_pupil(text: str) -> None:
    assert find_pupils(text) == []


def test_a_long_text_is_searched_at_once() -> None:
    assert find("0" * 50_000 + "a@" * 20_000 + "1 A " * 10_000) is not None
