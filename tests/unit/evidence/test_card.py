"""The card says what was written, by whom and when; nothing on it acts, hides or comes from elsewhere."""

import hashlib
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.evidence import Subject
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef
from monitor.evidence.card import is_hidden, render_card, signs, visible
from monitor.evidence.manifest import canonical_json

MakeSubject = Callable[..., Subject]


class _Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def words(subject: Subject) -> str:
    return " ".join(_Page(render_card(subject)).words.split())


def test_it_says_what_it_is(make_subject: MakeSubject) -> None:
    assert "Rendered by Schoolwatch from the platform's record. This is not a photograph" in words(make_subject())


def test_author_handle_ids_and_address_are_there(make_subject: MakeSubject) -> None:
    page = words(make_subject())
    for fact in ["Dan W", "dan.w", "31", "1002_7", "https://www.facebook.com/1002/posts/7", "Case 17"]:
        assert fact in page


def test_times_are_in_utc_and_in_school_time(make_subject: MakeSubject) -> None:
    page = words(make_subject())
    assert "2026-07-14 20:41:07 UTC" in page
    assert "Tuesday 14 July 2026, 21:41:07 BST" in page


def test_a_comment_without_author_text_time_or_address_still_has_a_card(make_subject: MakeSubject) -> None:
    page = words(make_subject(author=Author(), text="", published_at=None, url="", raw={}))
    assert "Author unknown" in page
    assert "No text." in page
    assert "not given by the platform" in page


def test_white_space_stands_as_written(make_subject: MakeSubject) -> None:
    text = "  two  spaces\n\n\tand a tab"
    assert f'<div class="text" dir="auto">{text}</div>' in render_card(make_subject(text=text))


def test_the_thread_stands_above_the_comment_in_order(make_subject: MakeSubject) -> None:
    above = tuple(
        Item(
            ref=ItemRef("facebook", name),
            channel=Channel.OFFICIAL,
            kind=ItemKind.POST,
            author=Author(display_name=name),
            text=f"the words of {name}",
            url="",
            published_at=None,
        )
        for name in ("first", "second")
    )
    page = words(make_subject(thread=above, text="the words of the last"))
    assert page.index("words of first") < page.index("words of second") < page.index("words of the last")


def test_attachments_are_named_and_not_shown(make_subject: MakeSubject) -> None:
    page = render_card(make_subject(attachments=("photo", "video")))
    assert "photo, video (named by the platform; not fetched, not shown)" in page
    assert not _Page(page).tags & {"img", "video", "audio", "picture", "iframe", "object", "embed"}


def test_it_names_the_hash_of_the_record_it_was_drawn_from(make_subject: MakeSubject) -> None:
    subject = make_subject()
    assert hashlib.sha256(canonical_json(subject.item.raw)).hexdigest() in render_card(subject)


def test_the_same_record_gives_the_same_card(make_subject: MakeSubject) -> None:
    assert render_card(make_subject()) == render_card(make_subject())


HOSTILE = "</div><script>alert(1)</script><img src=https://example.com/x onerror=alert(1)>{{ 7*7 }}\"'&"


def test_markup_in_any_field_stays_text(make_subject: MakeSubject) -> None:
    page = render_card(
        make_subject(
            ref=ItemRef("facebook", HOSTILE),
            text=HOSTILE,
            author=Author(id=HOSTILE, handle=HOSTILE, display_name=HOSTILE),
            url="javascript:" + HOSTILE,
            attachments=(HOSTILE,),
        )
    )
    assert not _Page(page).tags & {"script", "img", "a", "link", "iframe", "base", "form"}
    assert _Page(page).words.count("{{ 7*7 }}") == 10  # title, name, handle, text and six details


def test_nothing_is_loaded_and_nothing_runs(make_subject: MakeSubject) -> None:
    page = _Page(render_card(make_subject()))
    assert not page.tags & {"script", "link", "a", "img"}
    assert not [name for name, _ in page.attributes if name in ("href", "src", "style") or name.startswith("on")]


def test_the_policy_admits_our_own_style_and_nothing_else(make_subject: MakeSubject) -> None:
    page = render_card(make_subject())
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'", policy
    )


@pytest.mark.parametrize(
    "character", "\u202e\u202d\u2066\u2069\u200f\u061c\u200b\ufeff\u0000\u0008\u001b\u2028\x85\ud800"
)
def test_a_character_that_hides_or_reorders_is_shown_by_its_code(character: str) -> None:
    shown = str(visible(f"a{character}b"))
    assert character not in shown
    assert f'a<span class="code">U+{ord(character):04X}</span>b' == shown


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d👩\u200d👧",
        "❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",
        "عربي",
        "a\tb\r\nc",
    ],
)
def test_emoji_flags_scripts_and_white_space_stay_whole(text: str) -> None:
    assert visible(text) == text


def test_tags_that_follow_no_flag_are_shown() -> None:
    assert visible("a\U000e0062") == 'a<span class="code">U+E0062</span>'


def test_signs_are_named_once_each_in_order() -> None:
    assert signs("🔪 x 🔫 🔪") == ["🔪 hocho (U+1F52A)", "🔫 pistol (U+1F52B)"]


def test_a_name_of_5000_characters_leaves_room_for_the_rest(make_subject: MakeSubject) -> None:
    page = render_card(make_subject(author=Author(display_name="N" * 5000)))
    assert "N" * 201 not in page
    assert "(5,000 characters in the record)" in page


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_whatever_breaks_the_card_or_leaves_a_hidden_character(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert _Page(str(shown)).tags <= {"span"}
    assert len(re.findall('class="code"', str(shown))) <= sum(map(is_hidden, text))
