"""The word list: what it finds, behind which masks, and what it leaves alone."""

import pytest
import yaml

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
        "what a wh0r3",
        "5hit and $hite",
        "you @rsehole",
        "F*****g useless",
        "b******s to that",
        "thick as pigsh*t",
        "fookin hell",
        "the fecking gate",
        "daft sod",
        "b0ll0x",
        "utter b a s t a r d",
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
        "damn good, blimey, flipping heck",
        "great tits in box 3",
        "a shag pile in the reading corner",
        "a bloody nose in PE",
        "Moby Dick and Dick Whittington",
        "cock-a-doodle-doo",
        "p*** and t***",
        "it said p***s out",
        "ring him, hell open the gym",
        "5 a day",
        "#1 @home",
        "c-section",
    ],
)
def test_innocent_words_are_left_alone(text: str) -> None:
    assert certain(text) == set()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a chink in the armour", Label.HATE),
        ("fire retardant curtains", Label.HATE),
        ("dog grooming from my shed", Label.SAFEGUARDING),
        ("locked my car keys in", Label.ALLEGATION),
    ],
)
def test_an_entry_within_an_innocent_phrase_is_left_alone(text: str, label: Label) -> None:
    assert label not in labels(text)


def test_what_stands_beside_an_innocent_phrase_is_found() -> None:
    assert certain("shit, great tits in box 3") == {Label.PROFANITY}


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


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("be a shame if the hall burnt", Label.THREAT),
        ("send her back", Label.HATE),
        ("we rang social services", Label.SAFEGUARDING),
        ("that nonce", Label.ALLEGATION),
    ],
)
def test_a_sign_is_found(text: str, label: Label) -> None:
    assert [found.strength for found in lexicon.load().find(text) if found.label is label] == [Strength.SIGN]


def test_the_longest_of_two_entries_at_one_word_is_found() -> None:
    text = "dickheads, knob off"
    shown = [text[f.start : f.end] for f in lexicon.load().find(text) if f.strength is Strength.CERTAIN]
    assert shown == ["dickheads", "knob off"]


def test_profanity_is_sorted_by_severity() -> None:
    certainly = yaml.safe_load(lexicon.FILE.read_bytes())["profanity"]["certain"]
    assert list(certainly) == ["strongest", "strong", "medium", "mild"]


def test_what_is_found_is_shown_in_the_original() -> None:
    text = "you 🤬 s h i t e 👏"
    shown = [text[f.start : f.end] for f in lexicon.load().find(text) if f.label is Label.PROFANITY]
    assert shown == ["s h i t e"]


def test_every_label_has_a_score_between_0_and_1() -> None:
    (scores,) = lexicon.load().score([Comment(text="Mrs Price is a useless cow, what time do you open?")])
    assert set(scores) == set(Label)
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores[Label.QUERY] > 0.5 > scores[Label.SPAM]


@pytest.mark.parametrize(
    "text", ["*a" * 20_000 + " f" + "*" * 50_000, "f*-" * 30_000, "hope " * 20_000, "@$5" * 30_000]
)
def test_a_hostile_text_is_searched_at_once(text: str) -> None:
    assert labels(text) <= {Label.SPAM}
