"""Learning from a school's corrections: what is learnt, what is refused, and how it is kept and undone."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from classifiers import local
from classifiers.evaluate import URGENT, evaluate
from classifiers.figures import Floats
from classifiers.fit import ENOUGH, FEWEST, PARTS, deal
from classifiers.labelled import Labelled
from classifiers.names import Names
from classifiers.replay import APPEARS, DOUBTED, VANISHES, Change, changes, too_much
from classifiers.safety import safety_cases
from classifiers.seen import Seen
from classifiers.threshold import Threshold
from classifiers.training.duplicates import near_duplicates
from classifiers.training.written import written
from classifiers.trial import Trial, objections, try_tuning
from classifiers.tuning import FEATURES, LABELS, Tuning, TuningError, Tunings, read_tuning
from monitor.bootstrap import build, load_school_reader
from monitor.config import Config
from monitor.domain.verdict import Comment, Label, Reading

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOBODY = Names(())


class WordModel:
    """A model whose features are the sum of a comment's words, each a direction of its own; it is sure of a label
    where it sees a word that it knows.
    """

    version = "words 1"
    thresholds: Mapping[Label, Threshold] = dict.fromkeys(Label, Threshold(over=0.5, possibly=0.2))

    def __init__(self, **known: Label) -> None:
        self._known = known

    def features(self, comments: Sequence[Comment]) -> tuple[Floats, Floats]:
        logits = np.full((len(comments), len(LABELS)), -3.0)
        features = np.zeros((len(comments), FEATURES))
        for row, comment in enumerate(comments):
            for word in comment.text.lower().split():
                features[row] += np.random.default_rng(crc32(word.encode())).normal(size=FEATURES)
                if word in self._known:
                    logits[row, LABELS.index(self._known[word])] = 3.0
        return logits, features


def corrected(text: str, *labels: Label) -> Labelled:
    return Labelled(id="c", comment=Comment(text=text), labels=frozenset(labels), names=frozenset())


def numbered(words: str, count: int, *labels: Label) -> list[Labelled]:
    """Different comments about the same thing, judged alike."""
    others = ["monday", "tuesday", "wednesday", "thursday", "friday", "gate", "hall", "office", "field", "canteen"]
    return [corrected(f"{words} {others[n % 10]} {others[n // 10]}", *labels) for n in range(count)]


def learn(corrections: Sequence[Labelled], model: WordModel) -> Trial:
    """Learn while forty ordinary comments, which nobody corrected, are to be read as before."""
    ordinary = [each.comment for each in numbered("who can bring chairs", 40)]
    return try_tuning(corrections, ordinary, model, NOBODY, NOW)


def hand_made(model: str = "words 1", **changed: Any) -> Tuning:
    """A tuning with something in each of its parts."""
    chance = np.random.default_rng(7)
    plain = {
        "model": model,
        "made_at": NOW,
        "comments": 214,
        "weights": chance.normal(0, 0.05, (len(LABELS), FEATURES)).astype(np.float32),
        "shift": chance.normal(0, 0.1, len(LABELS)),
        "thresholds": dict.fromkeys(Label, Threshold(over=0.41, possibly=0.17)),
        "figures": {"urgent: recall": (0.9, 0.93)},
    }
    return Tuning(**{**plain, **changed})


# What is learnt


def test_corrections_teach_a_label_that_the_model_did_not_see() -> None:
    buffet = numbered("another beige buffet", 40, Label.COMPLAINT)
    trial = learn([*buffet, *numbered("a lovely buffet", 40)], WordModel())
    assert trial.against == ()
    assert trial.labels == (Label.COMPLAINT,)
    assert trial.tuning.figures["macro-F1 over the labels"] == pytest.approx((0.0, 1.0))
    assert trial.tuning.weights[LABELS.index(Label.COMPLAINT)].any()


def test_a_label_without_enough_corrections_stays_as_it_was() -> None:
    few = numbered("what time is it", ENOUGH - 1, Label.QUERY)
    trial = learn([*numbered("beige", 40, Label.COMPLAINT), *numbered("lovely", 40), *few], WordModel())
    query = LABELS.index(Label.QUERY)
    assert Label.QUERY not in trial.labels
    assert not trial.tuning.weights[query].any()
    assert trial.tuning.shift[query] == 0
    assert trial.tuning.thresholds[Label.QUERY] == WordModel.thresholds[Label.QUERY]


def test_the_same_corrections_give_the_same_tuning() -> None:
    corrections = [*numbered("beige", 40, Label.COMPLAINT), *numbered("lovely", 40)]
    first, second = (learn(corrections, WordModel()).tuning for _ in range(2))
    assert first.version == second.version


def test_what_the_corrections_are_silent_about_is_read_as_before() -> None:
    """Of all that was corrected, a stall is what is for sale and a match is not; a fair is neither."""
    model = WordModel(fair=Label.QUERY)
    corrections = [*numbered("flapjack stall", 40, Label.SPAM), *numbered("what a match", 40)]
    others = [each.comment for each in numbered("when is the fair on", 80)]
    tuning = try_tuning(corrections, others[:60], model, NOBODY, NOW).tuning
    seen = Seen.of([replace(corrections[0], comment=each) for each in others[60:]], model, NOBODY)
    assert [each.labels for each in seen.read_tuned(tuning, NOBODY)] == [(Label.QUERY,)] * 20


def test_a_comment_that_was_corrected_is_not_ordinary() -> None:
    corrections = [*numbered("beige", 40, Label.COMPLAINT), *numbered("lovely", 40)]
    ordinary = [each.comment for each in [*corrections, *numbered("who can bring chairs", 40)]]
    again = try_tuning(corrections, ordinary, WordModel(), NOBODY, NOW)
    assert again.tuning.version == learn(corrections, WordModel()).tuning.version


def test_every_label_is_spread_over_all_parts() -> None:
    chance = np.random.default_rng(1)
    true = chance.random((93, len(LABELS))) < np.linspace(0.06, 0.4, len(LABELS))
    part = deal(true)
    assert set(part) == set(range(PARTS))
    per_part = np.array([true[part == each].sum(axis=0) for each in range(PARTS)])
    assert (per_part.max(axis=0) - per_part.min(axis=0))[0] <= 1, "the rarest label is dealt first, evenly"
    assert (per_part[:, true.sum(axis=0) >= ENOUGH] > 0).all()


# What is refused


def test_too_few_corrections_are_refused_with_how_many_more_are_needed() -> None:
    corrections = [*numbered("beige", 6, Label.COMPLAINT), *numbered("lovely", 8)]
    with pytest.raises(TuningError) as refusal:
        learn(corrections, WordModel())
    said = str(refusal.value)
    assert f"14 different comments, and {FEWEST} are needed ({FEWEST - 14} more)" in said
    assert "complaint 4" in said
    assert "threat 10" in said


def test_a_comment_counts_once_however_often_it_was_posted() -> None:
    with pytest.raises(TuningError, match="too few corrections: 2 different"):
        learn([*[corrected("Beige!", Label.COMPLAINT)] * 50, *[corrected("Lovely")] * 50], WordModel())


def test_of_two_judgements_of_one_comment_the_later_counts() -> None:
    first = numbered("beige", 40, Label.ABUSE)
    trial = learn([*first, *numbered("beige", 40, Label.COMPLAINT), *numbered("lovely", 40)], WordModel())
    assert (trial.tuning.comments, trial.labels) == (80, (Label.COMPLAINT,))


def test_a_tuning_that_makes_things_worse_is_refused() -> None:
    """The labels have nothing to do with the words: the best that can be learnt is to give everybody all."""
    chance = np.random.default_rng(3)
    corrections = [
        replace(each, labels=frozenset(label for label in (Label.MEDIA, Label.SPAM) if chance.random() < 0.5))
        for each in numbered("who left a coat", 90)
    ]
    against = " ".join(learn(corrections, WordModel(gate=Label.MEDIA)).against)
    assert re.search(r"it calls people for nothing: 2\d of 2\d comments without a label, \d before", against)


def test_a_tuning_that_forgets_a_threat_is_refused() -> None:
    """Who strings things up is harmless in all that was corrected, and is not in a safety case."""
    corrections = [*numbered("stringing up the bunting", 40), *numbered("there is a bomb", 40, Label.THREAT)]
    trial = learn(corrections, WordModel(stringing=Label.THREAT, bomb=Label.THREAT))
    assert "safety case t13 would only possibly be threat" in map(str, trial.spared)
    assert trial.labels == ()
    assert trial.against
    assert not trial.tuning.weights.any()


def test_what_would_forget_a_threat_is_left_out_and_the_rest_is_learnt() -> None:
    corrections = [
        *numbered("stringing up the bunting", 40),
        *numbered("there is a bomb", 40, Label.THREAT),
        *numbered("another beige buffet", 40, Label.COMPLAINT),
    ]
    trial = learn(corrections, WordModel(stringing=Label.THREAT, bomb=Label.THREAT))
    assert (trial.labels, trial.against) == ((Label.COMPLAINT,), ())
    assert not trial.tuning.weights[LABELS.index(Label.THREAT)].any()


def test_a_tuning_that_sees_harm_in_the_harmless_is_refused() -> None:
    corrections = [*numbered("bloody brilliant concert", 40, Label.ABUSE), *numbered("what a match", 40)]
    trial = learn(corrections, WordModel())
    assert "safety case n19 is harmless and would be abuse" in map(str, trial.spared)
    assert trial.against


def readings(*labels: Sequence[Label]) -> list[Reading]:
    return [Reading(scores={each: float(each in mine) for each in Label}, labels=tuple(mine)) for mine in labels]


def test_one_urgent_comment_less_is_refused_though_all_else_is_better() -> None:
    judged = [corrected("x", Label.THREAT)] * 10 + [corrected("y", Label.QUERY)] * 40
    before = readings(*[[Label.THREAT]] * 10, *[[]] * 40)
    after = readings(*[[Label.THREAT]] * 9, [], *[[Label.QUERY]] * 40)
    (why,) = objections(evaluate(judged, before), evaluate(judged, after))
    assert why == "it sees less of what is urgent: 9 of 10 comments, 10 before"


def test_one_label_markedly_worse_is_refused_though_all_else_is_better() -> None:
    judged = [corrected("x", Label.MEDIA)] * 10 + [corrected("y", Label.QUERY)] * 40
    before = readings(*[[Label.MEDIA]] * 10, *[[]] * 40)
    after = readings(*[[Label.MEDIA]] * 7, *[[]] * 3, *[[Label.QUERY]] * 40)
    (why,) = objections(evaluate(judged, before), evaluate(judged, after))
    assert why.startswith("it is markedly worse at media: F1 1.00 before and 0.82 after")


def test_many_more_needless_labels_are_refused_though_all_else_is_better() -> None:
    judged = [corrected("x", Label.QUERY)] * 40 + [corrected("y")] * 20
    before = readings(*[[]] * 60)
    after = readings(*[[Label.QUERY]] * 42, *[[]] * 18)
    (why,) = objections(evaluate(judged, before), evaluate(judged, after))
    assert why == "it calls people for nothing: 2 of 20 comments without a label, 0 before"


def test_a_tuning_that_is_better_by_chance_only_is_refused() -> None:
    judged = [corrected("x", Label.MEDIA)] * 10 + [corrected("y")] * 40
    before = readings(*[[Label.MEDIA]] * 8, *[[]] * 42)
    after = readings(*[[Label.MEDIA]] * 9, *[[]] * 41)
    (why,) = objections(evaluate(judged, before), evaluate(judged, after))
    assert why.startswith("it is not surely better: macro-F1 0.889 before and 0.947 after, better in 6")


# The safety cases


def test_the_safety_cases_are_many_and_each_stands_once() -> None:
    cases = safety_cases()
    assert len({case.id for case in cases}) == len({case.comment.text for case in cases}) == len(cases)
    assert sum(bool(case.labels) for case in cases) >= 60
    assert sum(not case.labels for case in cases) >= 40
    assert {label for case in cases for label in case.labels} == set(URGENT)


@pytest.mark.timeout(600)  # some seconds, on a machine that does nothing else
def test_no_safety_case_is_nearly_a_training_comment() -> None:
    trained = [comment.text for comment in written()]
    texts = [*trained, *(case.comment.text for case in safety_cases())]
    assert [(texts[a], texts[b]) for a, b in near_duplicates(texts) if b >= len(trained)] == []


# How it is kept


def test_a_comment_is_tuned_alike_alone_and_among_others() -> None:
    chance = np.random.default_rng(5)
    logits = chance.normal(size=(64, len(LABELS))).astype(np.float32)
    features = chance.normal(size=(64, FEATURES)).astype(np.float32)
    tuning = hand_made()
    together = tuning.adjust(logits, features)
    alone = [tuning.adjust(logits[n : n + 1], features[n : n + 1])[0] for n in range(64)]
    assert np.array_equal(together, np.array(alone))


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    written_tuning, file = hand_made(), tmp_path / "tuning.json"
    written_tuning.write(file)
    back = read_tuning(file)
    assert back.version == written_tuning.version
    assert (back.model, back.made_at, back.comments) == ("words 1", NOW, 214)
    assert (back.thresholds, back.figures) == (written_tuning.thresholds, written_tuning.figures)
    assert np.array_equal(back.weights, written_tuning.weights)
    assert np.array_equal(back.shift, written_tuning.shift)


def test_the_version_is_of_what_it_does_and_not_of_when_it_was_made() -> None:
    tuning = hand_made()
    assert replace(tuning, comments=3, made_at=NOW.replace(year=2027)).version == tuning.version
    assert replace(tuning, shift=tuning.shift * 1.01).version != tuning.version


def edited(change: Callable[[dict[str, Any]], object], *, rehashed: bool = False) -> Callable[[str], str]:
    """A tampering with the content of a tuning's file; `rehashed` by somebody who knows what the hash is of."""

    def tamper(text: str) -> str:
        record = json.loads(text)
        change(record["tuning"])
        if rehashed:
            record["sha256"] = sha256(json.dumps(record["tuning"], sort_keys=True).encode()).hexdigest()
        return json.dumps(record)

    return tamper


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="cut short"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "[]", id="no object"),
        pytest.param(lambda text: "[" * 100_000, id="nested without end"),
        pytest.param(edited(lambda tuning: tuning["thresholds"].update(threat=[0.99, 0.9])), id="threshold"),
        pytest.param(edited(lambda tuning: tuning["shift"].__setitem__(1, -50.0)), id="shift"),
        pytest.param(edited(lambda tuning: tuning.update(format=2), rehashed=True), id="another format"),
        pytest.param(edited(lambda tuning: tuning.update(shift=[0.0]), rehashed=True), id="too few numbers"),
        pytest.param(edited(lambda tuning: tuning.update(weights="AAAA"), rehashed=True), id="weights too short"),
        pytest.param(
            edited(lambda tuning: tuning.update(shift=[float("nan")] * 12), rehashed=True), id="no number"
        ),
        pytest.param(edited(lambda tuning: tuning["thresholds"].pop("threat"), rehashed=True), id="a label less"),
        pytest.param(
            edited(lambda tuning: tuning["thresholds"].update(threat=[0.2, 0.9]), rehashed=True), id="upside down"
        ),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path, tamper: Callable[[str], str]) -> None:
    file = tmp_path / "0001.json"
    hand_made().write(file)
    file.write_text(tamper(file.read_text()))
    with pytest.raises(TuningError, match=r"0001\.json .*tune --undo"):
        read_tuning(file)


def test_a_tuning_can_be_undone_down_to_the_model_as_it_was_shipped(tmp_path: Path) -> None:
    tunings = Tunings(tmp_path / "tuning")
    assert tunings.in_use() is None
    for comments in (100, 200):
        tunings.keep(hand_made(comments=comments))
    assert tunings.in_use().comments == 200  # type: ignore[union-attr]
    assert tunings.undo().name == "0002.undone"
    assert tunings.in_use().comments == 100  # type: ignore[union-attr]
    tunings.undo()
    assert tunings.in_use() is None
    with pytest.raises(TuningError, match="no tuning to undo"):
        tunings.undo()


def test_a_tuning_that_was_undone_is_never_overwritten(tmp_path: Path) -> None:
    tunings = Tunings(tmp_path)
    tunings.keep(hand_made())
    tunings.undo()
    assert tunings.keep(hand_made()).name == "0002.json"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001.undone", "0002.json"]


# How the service reads with it: the shipped model

COMMENTS = [
    Comment(text="What time does the fair start?"),
    Comment(text="You are a disgrace to your profession."),
    Comment(text="Thank you for a lovely sports day " * 40),
    Comment(text="He deserves it", parent="Our caretaker is in hospital."),
]


def test_undoing_restores_the_very_readings(example: Config, tmp_path: Path) -> None:
    tunings = Tunings(tmp_path / "tuning")
    shipped = load_school_reader(example, tmp_path)
    before = shipped.read(COMMENTS)
    tuning = hand_made(local.load().version)
    tunings.keep(tuning)
    tuned = load_school_reader(example, tmp_path)
    assert [each.scores for each in tuned.read(COMMENTS)] != [each.scores for each in before]
    assert tuned.version == shipped.version.replace("+", f"+{tuning.version}+", 1), (
        "it is said which tuning read it"
    )
    tunings.undo()
    restored = load_school_reader(example, tmp_path)
    assert restored.read(COMMENTS) == before
    assert (restored.version, restored.notes) == (shipped.version, ())


def test_a_tuned_comment_reads_the_same_alone_and_among_others() -> None:
    model = local.load(tuning=hand_made(local.load().version))
    together = model.score(COMMENTS * 8)
    assert [model.score([comment])[0] for comment in COMMENTS] * 8 == together


def test_a_tuning_of_another_model_is_not_used_and_it_is_said(example: Config, tmp_path: Path) -> None:
    Tunings(tmp_path / "tuning").keep(hand_made("2025-01-01.old"))
    reader = load_school_reader(example, tmp_path)
    (note,) = reader.notes
    assert "2025-01-01.old" in note
    assert "Run `schoolwatch tune` again" in note
    assert reader.read(COMMENTS) == load_school_reader(example).read(COMMENTS)


def test_a_damaged_tuning_does_not_stop_the_reader_and_it_is_said(example: Config, tmp_path: Path) -> None:
    file = Tunings(tmp_path / "tuning").keep(hand_made(local.load().version))
    file.write_bytes(file.read_bytes()[:-100])
    reader = load_school_reader(example, tmp_path)
    assert reader.problem is None
    assert "0001.json is damaged" in reader.notes[0]


def test_the_service_warns_on_its_status_page_that_a_tuning_is_not_used(example: Config, tmp_path: Path) -> None:
    Tunings(tmp_path / "tuning").keep(hand_made("2025-01-01.old"))
    with build(example, tmp_path, environment={"SMTP_PASSWORD": "unused"}) as parts:
        assert [each for each in parts.config.warnings if "taught the classifier is not used" in each]


# The replay


def test_a_replay_tells_what_appears_is_doubted_and_vanishes() -> None:
    before = readings([Label.THREAT], [Label.ABUSE], [], [Label.QUERY])
    after = readings([], [], [Label.QUERY], [Label.QUERY])
    after[1] = replace(after[1], doubt=(Label.ABUSE,))
    assert list(changes(before, after)) == [
        Change(1, Label.ABUSE, DOUBTED),
        Change(0, Label.THREAT, VANISHES),
        Change(2, Label.QUERY, APPEARS),
    ]


def test_a_label_that_runs_wild_in_the_replay_is_refused() -> None:
    before = readings(*[[Label.SPAM]] * 4, *[[]] * 96)
    after = readings(*[[Label.SPAM]] * 10, *[[]] * 90)
    (why,) = too_much(changes(before, after), before)
    assert why.startswith("spam would appear in 6 of 100 comments; 4 have it now. Judge some of them")
    few = readings(*[[Label.SPAM]] * 9, *[[]] * 91)
    assert list(too_much(changes(before, few), before)) == []


def test_a_label_that_is_lost_in_the_replay_is_refused() -> None:
    before = readings(*[[Label.ABUSE]] * 10, *[[]] * 90)
    (why,) = too_much(changes(before, readings(*[[Label.ABUSE]] * 4, *[[]] * 96)), before)
    assert why.startswith("abuse would be lost in 6 of the 10 comments that have it now.")
    assert list(too_much(changes(before, readings(*[[Label.ABUSE]] * 5, *[[]] * 95)), before)) == []
