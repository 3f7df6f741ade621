"""One reading of a comment: what the model scores, what the word list and the patterns find, and whom it names."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from classifiers import lexicon, load, personal_data
from classifiers.explain import Unexplained, explain
from classifiers.fold import LONGEST
from classifiers.language import guess
from classifiers.lexicon import Found, Strength
from classifiers.names import NAMED, Names
from classifiers.threshold import Scorer
from monitor.domain.errors import ClassifierError, MonitorError
from monitor.domain.people import Person
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Comment, Label, NameHit, Reading, Scores, Span

#: What a school must not miss: without a model, each of them stays possible in every text.
HARD = (Label.THREAT, Label.HATE, Label.SEXUAL, Label.ABUSE, Label.SAFEGUARDING, Label.ALLEGATION)
#: The score of private data that a pattern found.
SHAPED = 0.9
#: How far a cue of the word list takes a score on its way to 1.
CUE = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What word list, patterns and names find in a text, whatever the model says."""

    text: str
    found: Sequence[Found]
    names: Sequence[NameHit]
    private: Sequence[Span]
    language: str


class SchoolReader:
    """Implements ports.Reader.

    While the model fails (`problem` says how) the word list reads alone, `name` and `version` are the word list's,
    its readings are provisional, and every hard label that it does not see stays in doubt: nothing is called fine
    that nobody read. A model that could not be loaded is asked for again (`load`) at every reading.
    """

    def __init__(
        self,
        scorer: Scorer | None,
        names: NameFinder,
        *,
        load: Callable[[], Scorer] | None = None,
        problem: str | None = None,
        notes: Sequence[str] = (),
        explains: bool = True,
    ) -> None:
        self._model = scorer
        self._load = load
        self._words = lexicon.load()
        self._names = names
        self._explains = explains
        self._notes = notes
        self.problem = problem

    @property
    def name(self) -> str:
        return self._used.name

    @property
    def version(self) -> str:
        """Of the model and of the word list: a change of either reads differently."""
        return "+".join(dict.fromkeys((self._used.version, self._words.version)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a school should know of its classifier, a sentence each."""
        return (*self._notes, *getattr(self._model, "notes", ()))

    @property
    def _used(self) -> Scorer:
        return self._words if self._model is None or self.problem else self._model

    def read(self, comments: Sequence[Comment]) -> list[Reading]:
        """One reading a comment."""
        cut = [replace(each, text=each.text[:LONGEST], parent=(each.parent or "")[:LONGEST]) for each in comments]
        with ThreadPoolExecutor(1) as aside:  # the model lets go of the interpreter while it computes
            scoring = aside.submit(self._model_scores, cut)
            seen = [self._see(comment.text) for comment in cut]
            scores = scoring.result()
        if scores is None:
            return [self._without_model(each) for each in seen]
        readings = [self._with_model(each, scored) for each, scored in zip(seen, scores, strict=True)]
        return self._explained(cut, readings) if self._explains else readings

    def _model_scores(self, comments: Sequence[Comment]) -> list[Scores] | None:
        try:
            if self._model is None:
                if self._load is None:
                    return None
                self._model = self._load()
            scores = self._model.score(comments)
        except MonitorError as error:  # loading it anew may also find that its settings no longer fit
            log.error("the classifier failed, the word list reads alone: %s", error)
            self.problem = str(error)
            return None
        self.problem = None
        return scores

    def _see(self, text: str) -> _Seen:
        names = self._names.find(text)
        return _Seen(text, self._words.find(text), names, personal_data.find(text, names), guess(text))

    def _with_model(self, seen: _Seen, scored: Scores) -> Reading:
        scores = dict(scored)
        for label in {each.label for each in seen.found if each.strength in (Strength.CERTAIN, Strength.CUE)}:
            scores[label] += (1 - scores[label]) * CUE
        if any(each.label is Label.PROFANITY and each.strength is Strength.CERTAIN for each in seen.found):
            scores[Label.PROFANITY] = max(scores[Label.PROFANITY], lexicon.WORTH[Strength.CERTAIN])
        if seen.private and not any(self._over(label, scores) for label in (Label.SPAM, Label.MEDIA)):
            scores[Label.PERSONAL_DATA] = max(scores[Label.PERSONAL_DATA], SHAPED)
        possible = {each.label for each in seen.found if each.strength is not Strength.HINT}
        return self._reading(seen, scores, possible)

    def _without_model(self, seen: _Seen) -> Reading:
        scores = dict(self._words.score([Comment(text=seen.text)])[0])
        if seen.private:
            scores[Label.PERSONAL_DATA] = SHAPED
        return replace(self._reading(seen, scores, set(HARD)), provisional=True)

    def _reading(self, seen: _Seen, scores: Scores, possible: set[Label]) -> Reading:
        thresholds = self._used.thresholds
        labels = tuple(label for label in Label if self._over(label, scores))
        doubt = tuple(
            label
            for label in Label
            if label not in labels and (label in possible or scores[label] >= thresholds[label].possibly)
        )
        spoken_of = {*labels, *doubt}
        spans = [each.span for each in seen.found if each.label in spoken_of]
        spans += [span for span in seen.private if Label.PERSONAL_DATA in spoken_of]
        named = tuple(hit for hit in seen.names if hit.score >= NAMED)
        return Reading(
            scores=scores,
            labels=labels,
            doubt=doubt,
            names=named,
            names_doubt=_possibly_named(seen.names, {hit.person for hit in named}),
            language=seen.language,
            spans=tuple(sorted(spans, key=lambda span: (span.start, span.end))),
        )

    def _over(self, label: Label, scores: Scores) -> bool:
        return scores[label] >= self._used.thresholds[label].over

    def _explained(self, comments: Sequence[Comment], readings: Sequence[Reading]) -> list[Reading]:
        """The readings with a span for every label that words alone did not explain."""
        wanted = [_unexplained(each, reading) for each, reading in zip(comments, readings, strict=True)]
        at = [index for index, each in enumerate(wanted) if each.labels]
        explained = list(readings)
        if self._model is None or not at:
            return explained
        try:
            reasons = explain(self._model, [wanted[index] for index in at])
        except ClassifierError as error:
            log.error("the scores could not be explained: %s", error)
            return explained
        for index, spans in zip(at, reasons, strict=True):
            reading = readings[index]
            everything = sorted((*reading.spans, *spans), key=lambda span: (span.start, span.end))
            explained[index] = replace(reading, spans=tuple(everything))
        return explained


def load_reader(
    kind: str,
    people: Sequence[Person],
    *,
    options: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    explains: bool = True,
) -> SchoolReader:
    """The reader over the classifier `kind`, loaded with `options`, and the roster `people`; `notes` are passed on.

    A classifier that cannot be loaded does not stop the service: the reader says so in `problem` and reads by the
    word list. Without `explains`, spans are those of the word list and the patterns only, which is faster. Raises
    ConfigError for an unknown kind, and for options that do not fit.
    """
    names = Names(people)

    def model() -> Scorer:
        return load(kind, **(options or {}))

    try:
        return SchoolReader(model(), names, load=model, notes=notes, explains=explains)
    except ClassifierError as error:
        log.error("the classifier cannot be loaded, the word list reads alone: %s", error)
        return SchoolReader(None, names, load=model, problem=str(error), notes=notes, explains=explains)


def _possibly_named(hits: Sequence[NameHit], named: set[str]) -> tuple[str, ...]:
    possible = [hit.person for hit in hits] + [person for hit in hits for person in hit.ambiguous_with]
    return tuple(dict.fromkeys(person for person in possible if person not in named))


def _unexplained(comment: Comment, reading: Reading) -> Unexplained:
    explained = {span.label for span in reading.spans}
    labels = tuple(Label(label) for label in reading.labels if label not in explained)
    return Unexplained(comment, reading.scores, labels)
