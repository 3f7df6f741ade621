"""Words for labels and languages."""

import pytest

from classifiers import language
from monitor.domain import wording
from monitor.domain.verdict import Label


def test_every_label_has_words() -> None:
    assert set(wording.LABELS) == set(Label)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("pl", "in Polish (the classifier does not read it)"),
        ("mis", "in another language (the classifier does not read it)"),
    ],
)
def test_a_language_that_is_not_read_is_named(code: str, said: str) -> None:
    assert wording.unread(code) == said


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dzień dobry, czy jutro jest szkoła?", "Polish"),
        ("اسکول کب بند ہوگا؟ شکریہ", "Urdu"),
        ("Școala este închisă mâine, vă rog?", "Romanian"),
        ("Mae'r plant yn hapus iawn heddiw, diolch", "Welsh"),
        ("학교는 언제 문을 열어요?", "Korean"),
    ],
)
def test_what_is_guessed_has_a_name(text: str, name: str) -> None:
    assert wording.language(language.guess(text)) == name
