"""A notice says why: what was read, the words behind it where they may be quoted, and who is named."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.domain.policy import Policy
from monitor.domain.verdict import Comment, Label, NameHit, Reading, Span
from tests.stages.conftest import School, TableReader

HEAD = "joan.price@larkfield.example"


class SayingReader(TableReader):
    """A reader that says what it was told to."""

    says: Reading

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        return [self.says] * len(comments)


def reading(
    text: str, labels: dict[str, str], names: dict[str, str] | None = None, doubt: Sequence[str] = ()
) -> Reading:
    """`labels` map each label to the words behind it, `names` words to people."""

    def place(words: str) -> tuple[int, int]:
        return text.index(words), text.index(words) + len(words)

    return Reading(
        scores=dict.fromkeys(Label, 0.01) | dict.fromkeys(labels, 0.88) | dict.fromkeys(doubt, 0.4),
        labels=tuple(labels),
        doubt=tuple(doubt),
        names=tuple(
            NameHit(person=who, start=place(words)[0], end=place(words)[1], score=0.9)
            for words, who in (names or {}).items()
        ),
        spans=tuple(
            Span(start=place(words)[0], end=place(words)[1], label=label)
            for label, words in labels.items()
            if words
        ),
        language="en",
    )


def told(school: School, text: str, said: Reading, recipient: str = HEAD) -> tuple[str, str]:
    """Both bodies of the one mail that this comment sends to somebody."""
    school.reader = SayingReader()
    school.reader.says = said
    school.say(text)
    school.work()
    [message] = school.postbox.to(recipient)
    return message["text"], message["html"]


COMPLAINT = "Third lost coat this term, Mr F, and nobody ever answers"


def test_it_quotes_the_words_behind_a_complaint_and_says_who_is_named_and_how(school: School) -> None:
    said = reading(COMPLAINT, {"complaint": "nobody ever answers"}, {"Mr F": "tom-field"})
    for body in told(school, COMPLAINT, said):
        assert "Complaint (88%): “nobody ever answers”" in body
        assert "Names Mr Tom Field, Year 6 teacher (“Mr F”)" in body
        assert "Third lost coat" not in body


def test_it_says_who_else_may_be_meant(school: School) -> None:
    said = reading(COMPLAINT, {"complaint": ""}, {"Mr F": "tom-field"})
    unsure = replace(said.names[0], ambiguous_with=("derek-young",))
    text, _ = told(school, COMPLAINT, replace(said, names=(unsure,), names_doubt=("derek-young", "jose-alvarez")))
    assert "Names Mr Tom Field, Year 6 teacher (“Mr F”); or is it Mr Derek Young, reading volunteer?" in text
    assert "Possibly names Mr José Álvarez, music teacher" in text
    assert text.count("Derek Young") == 1


@pytest.mark.parametrize("hurtful", ["threat", "hate", "sexual", "abuse", "profanity", "personal_data", "spam"])
@pytest.mark.parametrize("certain", [True, False])
def test_of_what_is_hurtful_private_or_advertising_no_word_is_quoted(
    school: School, hurtful: str, certain: bool
) -> None:
    labels = {"complaint": "nobody ever answers"} | ({hurtful: "lost coat"} if certain else {})
    said = reading(COMPLAINT, labels, {"Mr F": "tom-field"}, doubt=() if certain else [hurtful])
    for body in told(school, COMPLAINT, said):
        assert "Complaint (88%)" in body
        assert "Names Mr Tom Field, Year 6 teacher" in body
        assert [words for words in ("nobody ever answers", "lost coat", "“") if words in body] == []


def test_a_school_may_have_nothing_quoted(school: School) -> None:
    silent = school.book.policy.book.model_copy(update={"quotes": False})
    school.book = replace(school.book, policy=Policy(book=silent, version="1"))
    text, _ = told(
        school, COMPLAINT, reading(COMPLAINT, {"complaint": "nobody ever answers"}, {"Mr F": "tom-field"})
    )
    assert "Complaint (88%)\n" in text
    assert "nobody ever answers" not in text


def test_a_restricted_matter_is_not_explained(school: School) -> None:
    text = "Mr F saw the marks on her arm"
    said = reading(text, {"safeguarding": "marks on her arm"}, {"Mr F": "tom-field"})
    for body in told(school, text, said, "david.okafor@larkfield.example"):
        assert [words for words in ("marks", "child", "Tom Field", "Read in it") if words in body] == []


@pytest.mark.parametrize(
    "words", ["see https://evil.example/now", "write to a@evil.example", "evil.example/x", "www.evil.example"]
)
def test_nothing_that_a_mail_program_would_make_a_link_is_quoted(school: School, words: str) -> None:
    text = f"Mr F never answers, {words}"
    body, _ = told(school, text, reading(text, {"complaint": words}, {"Mr F": "tom-field"}))
    assert "Complaint (88%)\n" in body
    assert "evil.example" not in body


def test_what_is_quoted_is_escaped_harmless_and_short(school: School) -> None:
    words = "<b onclick=x>he\u202e never\x07 answers\r\nBcc: all" + " on and on" * 50
    text = f"Mr F {words}"
    plain, html = told(school, text, reading(text, {"complaint": words}, {"Mr F": "tom-field"}))
    assert "“<b onclick=x>he never answers Bcc: all on and on on and on …”" in plain
    assert "&lt;b onclick=x&gt;he never" in html
    assert "<b onclick" not in html


def test_what_the_word_list_read_alone_is_only_possible(school: School) -> None:
    said = replace(reading(COMPLAINT, {"complaint": ""}, {"Mr F": "tom-field"}), provisional=True)
    text, _ = told(school, COMPLAINT, said)
    assert "Complaint (possibly, 88%)" in text
