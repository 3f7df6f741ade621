"""Putting scores, words, patterns and names together; and what is said when the model cannot be asked."""

from collections.abc import Mapping, Sequence

import pytest

from classifiers import local
from classifiers.names import Names
from classifiers.reader import HARD, SchoolReader, load_reader
from classifiers.threshold import Threshold
from monitor.domain.errors import ClassifierError, ConfigError
from monitor.domain.people import Person
from monitor.domain.verdict import Comment, Label, Reading, Scores


class Scripted:
    """A scorer that says what it was told to, or fails."""

    name, version = "scripted", "1"
    thresholds: Mapping[Label, Threshold] = dict.fromkeys(Label, Threshold(over=0.6, possibly=0.3))

    def __init__(self, **scores: float) -> None:
        self.scores: Scores = dict.fromkeys(Label, 0.0) | scores
        self.broken = False

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        if self.broken:
            raise ClassifierError("the model failed: out of memory")
        return [self.scores] * len(comments)


@pytest.fixture
def scorer() -> Scripted:
    return Scripted()


def read(scorer: Scripted, roster: Sequence[Person], text: str) -> Reading:
    (reading,) = SchoolReader(scorer, Names(roster)).read([Comment(text=text)])
    return reading


def test_a_label_needs_its_threshold_and_is_possible_below_it(roster: Sequence[Person]) -> None:
    reading = read(Scripted(complaint=0.6, query=0.59, abuse=0.3, spam=0.29), roster, "hello")
    assert reading.labels == (Label.COMPLAINT,)
    assert set(reading.doubt) == {Label.ABUSE, Label.QUERY}


def test_every_label_has_a_score(scorer: Scripted, roster: Sequence[Person]) -> None:
    assert set(read(scorer, roster, "hello").scores) == set(Label)


def test_a_hard_cue_that_the_model_scores_away_stays_possible(scorer: Scripted, roster: Sequence[Person]) -> None:
    reading = read(scorer, roster, "you had better watch your back")
    assert reading.labels == ()
    assert reading.doubt == (Label.THREAT,)


def test_a_sign_is_kept_possible_and_raises_nothing(scorer: Scripted, roster: Sequence[Person]) -> None:
    reading = read(scorer, roster, "it would be a shame if it rained")
    assert (reading.labels, reading.doubt) == ((), (Label.THREAT,))
    assert reading.scores[Label.THREAT] == 0


def test_a_crude_word_is_profanity_whatever_the_model_says(scorer: Scripted, roster: Sequence[Person]) -> None:
    assert read(scorer, roster, "absolute sh1te").labels == (Label.PROFANITY,)


def test_an_address_is_personal_data_but_a_newsrooms_number_is_not(roster: Sequence[Person]) -> None:
    assert Label.PERSONAL_DATA in read(Scripted(), roster, "he lives at 14 Tanner's Row").labels
    assert Label.PERSONAL_DATA not in read(Scripted(media=0.9), roster, "Newsdesk: 01632 960118").labels


def test_a_staff_members_name_and_class_are_no_personal_data(scorer: Scripted, roster: Sequence[Person]) -> None:
    assert read(scorer, roster, "Emily Young in Year 3 is lovely").labels == ()
    assert read(scorer, roster, "Oliver Whitcombe in Year 3 is lovely").labels == (Label.PERSONAL_DATA,)


def test_who_else_may_be_meant_is_said(scorer: Scripted, roster: Sequence[Person]) -> None:
    reading = read(scorer, roster, "that Young is a liar")
    assert [hit.person for hit in reading.names] == ["head"]
    assert reading.names_doubt == ("year3",)


def test_the_words_behind_a_label_are_shown(scorer: Scripted, roster: Sequence[Person]) -> None:
    text = "Thanks for the sh1te letter"
    (span,) = read(scorer, roster, text).spans
    assert (text[span.start : span.end], span.label) == ("sh1te", Label.PROFANITY)


def test_without_lexicon_words_the_piece_that_carried_the_score_is_shown(roster: Sequence[Person]) -> None:
    class Keyword(Scripted):
        def score(self, comments: Sequence[Comment]) -> list[Scores]:
            return [self.scores | {Label.COMPLAINT: 0.9 if "beige" in each.text else 0.1} for each in comments]

    text = "Another day, another beige buffet"
    (span,) = read(Keyword(), roster, text).spans
    assert (text[span.start : span.end], span.label) == ("beige", Label.COMPLAINT)


def test_a_failing_model_leaves_every_hard_label_possible(scorer: Scripted, roster: Sequence[Person]) -> None:
    scorer.broken = True
    reader = SchoolReader(scorer, Names(roster))
    (reading,) = reader.read([Comment(text="See how you like waiting then. Watch your back.")])
    assert Label.THREAT in reading.labels
    assert set(HARD) <= {*reading.labels, *reading.doubt}
    assert reader.problem is not None
    assert reader.name == "lexicon"


def test_the_reader_recovers_with_its_model(scorer: Scripted, roster: Sequence[Person]) -> None:
    reader = SchoolReader(scorer, Names(roster))
    version = reader.version
    scorer.broken = True
    reader.read([Comment(text="hello")])
    assert reader.version != version
    scorer.broken = False
    assert reader.read([Comment(text="hello")])[0].doubt == ()
    assert (reader.problem, reader.name, reader.version) == (None, "scripted", version)


def test_a_model_that_cannot_be_loaded_does_not_stop_the_reader(
    roster: Sequence[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> Scripted:
        raise ClassifierError("the classifier's model.onnx cannot be read")

    monkeypatch.setattr(local, "load", load)
    reader = load_reader("local", roster)
    assert reader.problem == "the classifier's model.onnx cannot be read"
    (reading,) = reader.read([Comment(text="Mrs Young is lovely")])
    assert set(reading.doubt) == set(HARD)
    assert [hit.person for hit in reading.names] == ["head"]


def test_what_the_word_list_reads_alone_is_provisional(scorer: Scripted, roster: Sequence[Person]) -> None:
    reader = SchoolReader(scorer, Names(roster))
    assert not reader.read([Comment(text="hello")])[0].provisional
    scorer.broken = True
    assert reader.read([Comment(text="hello")])[0].provisional


def test_a_model_that_was_put_back_reads_at_once(
    scorer: Scripted, roster: Sequence[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Scripted:
        raise ClassifierError("the classifier's model.onnx cannot be read")

    monkeypatch.setattr(local, "load", missing)
    reader = load_reader("local", roster)
    assert reader.read([Comment(text="hello")])[0].provisional
    monkeypatch.setattr(local, "load", lambda: scorer)
    assert not reader.read([Comment(text="hello")])[0].provisional
    assert (reader.problem, reader.name) == (None, "scripted")


def test_an_unknown_kind_is_refused_with_the_choices(roster: Sequence[Person]) -> None:
    with pytest.raises(ConfigError, match="lexicon, local"):
        load_reader("oracle", roster)


def test_no_comments_need_no_reading(scorer: Scripted, roster: Sequence[Person]) -> None:
    assert SchoolReader(scorer, Names(roster)).read([]) == []
