"""A light guess at the language: enough to send a person what the model cannot read."""

import pytest

from classifiers.language import guess
from classifiers.training.written import written


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bardzo dziękuję, czy jutro jest normalny dzień?", "pl"),
        ("kto wie o ktorej jest zebranie", "pl"),
        ("Zabiję cię jak jeszcze raz ruszysz mojego syna", "pl"),
        ("Proszę o kontakt", "pl"),
        ("NIE POLECAM TEJ SZKOŁY", "pl"),
        ("Felicitări tuturor copiilor, foarte frumos, mulțumesc din suflet", "ro"),
        ("rusine sa va fie", "ro"),
        ("mera beta school jane se darta hai", "ur"),
        ("Bore da, faint o'r gloch mae'r ysgol yn gorffen yfory?", "cy"),
        ("wiilkaygu wuu ka baqayaa inuu iskuulka aado", "so"),
        ("O meu filho não quer ir para a escola porque lhe batem", "pt"),
        ("c'est une honte, personne ne répond", "fr"),
        ("die Lehrerin schreit die Kinder an", "de"),
        ("öğretmen çocuklara bağırıyor", "tr"),
        ("المدرسة مغلقة اليوم", "ar"),
        ("سکول کل بند ہے", "ur"),
        ("স্কুল কি খোলা", "bn"),
        ("Школа сьогодні відчинена, дякую її вчителям", "uk"),
        ("спасибо всем учителям", "ru"),
        ("明天学校几点放学", "zh"),
        ("اسکول کب بند ہوگا؟ شکریہ", "ur"),
    ],
)
def test_another_language_is_named(text: str, language: str) -> None:
    assert guess(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "What time does the disco finish?",
        "Fab!",
        "u lot r thick as mince",
        "aye nae bother hen",
        "omg lol ffs",
        "Well done Zbigniew Żółkiewski and Oluwaseun Adébáyọ̀",
        "Dzień dobry, is tomorrow normal uniform or PE kit? dziękuję",
        "Diolch yn fawr to all the staff for a lovely concert",
        "Jazakallah khair to everyone who donated today",
        "Bon voyage Year 6",
        "La la la",
        "𝖋𝖚𝖈𝖐 𝖞𝖔𝖚 ａｎｄ ｙｏｕｒ ｓｃｈｏｏｌ",
        "https://",
    ],
)
def test_english_with_a_foreign_word_or_name_is_english(text: str) -> None:
    assert guess(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "❤️❤️",
        "",
        "5⭐",
        "...",
        "شكرا",
        "Спасибо!",
        "谢谢 ❤️",
        "@KowalskaPani #dziekujemy https://jest.example.org/bardzo",
    ],
)
def test_what_has_next_to_no_words_has_no_language(text: str) -> None:
    assert guess(text) == "und"


@pytest.mark.parametrize("text", ["Chwibu rolamo nde kitoro waze lupinga", "አማርኛ ቋንቋ ነው"])
def test_a_language_without_a_name_here_is_none_that_is_read(text: str) -> None:
    assert guess(text) not in ("en", "und")


def test_hardly_a_written_comment_is_taken_for_another_language() -> None:
    texts = [comment.text for comment in written()]
    unread = [text for text in texts if guess(text) not in ("en", "und")]
    assert len(unread) < 0.003 * len(texts), unread
