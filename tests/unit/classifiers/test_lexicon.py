"""The word list: what it finds, behind which masks, and what it leaves alone."""

import pytest

from classifiers import lexicon
from classifiers.lexicon import Strength
from monitor.domain.verdict import Comment, Label


def labels(text: str) -> set[Label]:
    return {found.label for found in lexicon.load().find(text)}


def certain(text: str) -> set[Label]:
    return {found.label for found in lexicon.load().find(text) if found.strength is Strength.CERTAIN}


@pytest.mark.parametrize(
    "text",
    [
        "f***ing useless",
        "what a tw@t",
        "absolute sh1te",
        "f---ing hell",
        "b*st@rds",
        "fuuuuck",
        "f u c k off",
        "FFS",
        "a load of b*llocks",
        "fu\u200bck",
        "bloody brilliant",
        "pi$$ed off",
    ],
)
def test_crude_words_are_found_behind_their_masks(text: str) -> None:
    assert Label.PROFANITY in certain(text)


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe and Essex",
        "hello shell",
        "a classic assembly",
        "Mr Cockburn",
        "shitake? no, shiitake",
        "t-shirt",
        "Dick Whittington",
        "blue tit",
        "***",
        "* * *",
        "a-level results",
    ],
)
def test_innocent_words_are_left_alone(text: str) -> None:
    assert certain(text) == set()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("you want to watch your back", Label.THREAT),
        ("I'll knock your f**king teeth out", Label.THREAT),
        ("someone should burn that place to the ground", Label.THREAT),
        ("she says she wants to die", Label.SAFEGUARDING),
        ("scared to go home", Label.SAFEGUARDING),
        ("window lickers", Label.HATE),
        ("I'm a reporter with the Gazette", Label.MEDIA),
        ("double your bitcoin", Label.SPAM),
        ("he slapped my boy", Label.ALLEGATION),
    ],
)
def test_a_hard_cue_is_found(text: str, label: Label) -> None:
    found = [f for f in lexicon.load().find(text) if f.label is label]
    assert found
    assert found[0].strength is not Strength.HINT


def test_what_is_found_is_shown_in_the_original() -> None:
    text = "you 🤬 s h i t e 👏"
    shown = [text[f.start : f.end] for f in lexicon.load().find(text) if f.label is Label.PROFANITY]
    assert shown == ["s h i t e"]


def test_every_label_has_a_score_between_0_and_1() -> None:
    (scores,) = lexicon.load().score([Comment(text="Mrs Price is a useless cow, what time do you open?")])
    assert set(scores) == set(Label)
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores[Label.QUERY] > 0.5 > scores[Label.SPAM]


def test_masks_do_not_make_it_slow() -> None:
    assert labels("*a" * 20_000 + " f" + "*" * 50_000) == set()
