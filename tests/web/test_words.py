"""Words, marks and links: what the desk says and what it refuses to show."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.domain.case import Decision
from monitor.domain.evidence import Grade
from monitor.domain.people import Role
from monitor.domain.verdict import Label, NameHit, Span
from monitor.domain.why import words_behind
from monitor.web import words
from monitor.web.links import web_address
from monitor.web.marks import parts

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def test_a_time_is_said_in_school_time() -> None:
    assert words.when(datetime(2026, 7, 7, 14, 40, tzinfo=UTC), LONDON, NOW) == "Tue 7 Jul, 15:40"


def test_another_years_time_says_its_year() -> None:
    assert words.when(datetime(2025, 1, 6, 9, 5, tzinfo=UTC), LONDON, NOW) == "Mon 6 Jan 2025, 09:05"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=3, minutes=20), "3 hours 20 minutes"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=2, minutes=5), "2 days"),
        (timedelta(days=2, hours=1, minutes=5), "2 days 1 hour"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(span: timedelta, said: str) -> None:
    assert words.length(span) == said


@pytest.mark.parametrize(
    ("rest", "pace"), [(timedelta(hours=5), "fine"), (timedelta(hours=3), "soon"), (timedelta(minutes=-1), "late")]
)
def test_time_left_says_how_pressing_it_is(rest: timedelta, pace: str) -> None:
    left = words.time_left(NOW + rest, NOW)
    assert left.pace == pace
    assert left.words.endswith("late" if pace == "late" else "left")


def test_every_label_role_grade_and_decision_that_is_shown_has_words() -> None:
    assert set(words.LABELS) == set(Label)
    assert set(words.ROLES) == set(Role)
    assert set(words.GRADES) == set(Grade)
    assert set(words.DECISIONS) <= set(Decision)


def test_roles_are_always_said_in_the_same_order() -> None:
    expected = "the safeguarding lead (DSL) and the deputy safeguarding lead"
    assert words.roles(("deputy_dsl", "dsl")) == words.roles(("dsl", "deputy_dsl")) == expected


def test_what_turns_text_round_or_hides_it_is_taken_out() -> None:
    assert words.harmless("a\u202eb\x00c\u2066d\u200fe\x1bf\u2028g\ud83d") == "abcdefg"


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    for text in ("Da iawn, pawb!\nDiolch", "مبروك لجميع الأطفال", "👩‍👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿 ❤️", "Nguyễn Thị Ánh", "हिन्दी क्षत्रिय"):
        assert words.harmless(text) == text


def test_letters_are_not_buried_under_marks() -> None:
    assert len(words.harmless("a" + "\u0301" * 200 + "b")) == 6


def test_what_stands_behind_a_blur_cannot_be_read_back() -> None:
    blurred = words.blurred("I will find you")
    assert [len(word) for word in blurred.split(" ")] == [1, 4, 4, 3]
    assert words.blurred("A lamb and a dog") == words.blurred("I will see a man")


def test_a_long_text_is_cut_at_a_word() -> None:
    assert words.short("one two three four", 10) == "one two …"
    assert words.short("x" * 500, 10) == "x" * 10 + " …"


def test_text_is_cut_at_every_span_and_name_and_nothing_is_lost() -> None:
    text = "Mr Field had better watch himself"
    spans = [Span(start=9, end=33, label="threat"), Span(start=20, end=25, label="abuse")]
    cut = parts(text, spans, [NameHit(person="tom-field", start=0, end=8, score=1.0)])
    assert "".join(part.text for part in cut) == text
    assert [(part.text, part.labels, part.person) for part in cut] == [
        ("Mr Field", (), "tom-field"),
        (" ", (), None),
        ("had better ", ("threat",), None),
        ("watch", ("threat", "abuse"), None),
        (" himself", ("threat",), None),
    ]


def test_spans_outside_the_text_do_no_harm() -> None:
    cut = parts("short", [Span(start=3, end=99, label="threat"), Span(start=-4, end=2, label="abuse")], [])
    assert "".join(part.text for part in cut) == "short"


def test_the_words_behind_a_label_are_named_once_each() -> None:
    spans = [Span(start=0, end=2, label="abuse"), Span(start=3, end=5, label="abuse")]
    assert words_behind("ha ha", spans, "abuse") == ["ha"]


@pytest.mark.parametrize("url", ["https://facebook.example/1?a=b#c", "http://x.example:8080/"])
def test_a_web_page_is_linked(url: str) -> None:
    assert web_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://x.example",
        " https://x.example",
        "https://x.example/\n",
        "java\tscript:alert(1)",
        "data:text/html,<script>",
        "//x.example/",
        "/cases/1",
        "https://school.example@evil.example/",
        "https://[::1",
        "https:",
        "",
    ],
)
def test_anything_else_is_not_linked(url: str) -> None:
    assert web_address(url) is None
