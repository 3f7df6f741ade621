"""A light guess at the language."""

import pytest

from classifiers.language import guess


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What time does the disco finish?", "en"),
        ("Fab!", "en"),
        ("u lot r thick as mince", "en"),
        ("Bardzo dziękuję, czy jutro jest normalny dzień?", "pl"),
        ("Dzień dobry, is tomorrow normal uniform or PE kit? dziękuję", "en"),
        ("Felicitări tuturor copiilor, foarte frumos, mulțumesc din suflet", "ro"),
        ("المدرسة مغلقة اليوم", "ar"),
        ("স্কুল কি খোলা", "bn"),
        ("Школа сьогодні відчинена, дякую її вчителям", "uk"),
        ("❤️❤️", "und"),
        ("", "und"),
        ("https://", "en"),
    ],
)
def test_the_language_is_guessed(text: str, language: str) -> None:
    assert guess(text) == language
