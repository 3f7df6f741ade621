"""Whether a tuning is better than the model as it was shipped, on what was held back and in the safety cases."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from classifiers.evaluate import LABELS, URGENT, Evaluation, evaluate, macro
from classifiers.figures import Sampling
from classifiers.fit import PARTS, fit, learnable, parts
from classifiers.fold import fold
from classifiers.labelled import Labelled
from classifiers.safety import Objection, object_to
from classifiers.seen import Model, Seen
from classifiers.tuning import Floats, Tuning
from monitor.domain.ports import NameFinder
from monitor.domain.verdict import Comment, Label

#: A tuning is to be better in so many of 100 resamplings.
SURE = 90
#: Markedly worse: so many more mistakes at least, and F1 (or a share of comments) worse by more than so much.
MISTAKES, FALL = 2, 0.05
#: The figures of an evaluation that a tuning keeps.
KEPT = (
    *("macro-F1 over the labels", "urgent: recall", "urgent: precision"),
    *("needs an answer (query or complaint): F1", "comments without a label that get one"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A tuning of `labels`, what kept others from being learnt (`spared`), what was measured before and after on
    the comments held back, and every reason `against` it.
    """

    tuning: Tuning
    labels: tuple[Label, ...]
    spared: tuple[Objection, ...]
    before: Evaluation
    after: Evaluation
    against: tuple[str, ...]


def try_tuning(
    labelled: Sequence[Labelled],
    ordinary: Sequence[Comment],
    model: Model,
    names: NameFinder,
    now: datetime,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Trial:
    """Fit a tuning to the corrections `labelled` and examine it. Raises TuningError where there are too few, and
    ClassifierError. `ordinary` comments, which nobody corrected, are to be read as before.

    The comments are cut into parts. Each part is held back once and read by a tuning fitted to the others: no
    figure is of a comment that taught it. The tuning returned is fitted to all. `progress` may show how far it is.
    A label with which a safety case would come out worse is not learnt at all.
    """
    labelled = _once(labelled)
    corrected = {_key(each.comment) for each in labelled}
    judged = Seen.of(labelled, model, names)
    wanted = learnable(judged.true)
    seen = judged.with_unjudged([each for each in ordinary if _key(each) not in corrected], model, names)
    spared = object_to(fit(seen, wanted, model, names, now), model, names)
    labels = tuple(label for label in wanted if label not in {each.label for each in spared})
    after = list(judged.before)
    part = parts(seen)
    for each in progress(range(PARTS)):
        held, rest = np.flatnonzero((part == each) & seen.judged), np.flatnonzero(part != each)
        tuning = fit(seen.part(rest), labels, model, names, now)
        for index, reading in zip(held, seen.part(held).read_tuned(tuning, names), strict=True):
            after[index] = reading
    tuning = fit(seen, labels, model, names, now)
    was, becomes = evaluate(labelled, judged.before), evaluate(labelled, after)
    figures = {name: (was.summary[name].value, becomes.summary[name].value) for name in KEPT}
    figures = {name: pair for name, pair in figures.items() if not np.isnan(pair).any()}
    return Trial(
        tuning=replace(tuning, figures=figures),
        labels=labels,
        spared=tuple(spared),
        before=was,
        after=becomes,
        against=(*objections(was, becomes), *map(str, object_to(tuning, model, names))),
    )


def _once(labelled: Sequence[Labelled]) -> list[Labelled]:
    """Each comment once, as it was judged last: no copy stands both among what teaches and what is held back."""
    return list({_key(each.comment): each for each in labelled}.values())


def _key(comment: Comment) -> tuple[str, str | None]:
    return fold(comment.text).text.casefold(), comment.parent


def objections(was: Evaluation, becomes: Evaluation) -> list[str]:
    """What the comments held back have against it."""
    sampling = Sampling(len(was.true))
    before, after = sampling.f1(was.said, was.true), sampling.f1(becomes.said, was.true)
    return [
        *_not_surely_better(macro(before), macro(after)),
        *_blinder(was, becomes),
        *_noisier(was, becomes),
        *_worse_labels(was, becomes, before[0], after[0]),
    ]


def _not_surely_better(before: Floats, after: Floats) -> list[str]:
    share = int(100 * (after[1:] > before[1:]).mean())
    if share >= SURE:
        return []
    return [
        f"it is not surely better: macro-F1 {before[0]:.3f} before and {after[0]:.3f} after, better in {share} of "
        f"100 resamplings, and {SURE} are needed; with more corrections it may be"
    ]


def _blinder(was: Evaluation, becomes: Evaluation) -> list[str]:
    urgent = [LABELS.index(label) for label in URGENT]
    there = was.true[:, urgent].any(axis=1)
    before, after = (int((each.said[:, urgent].any(axis=1) & there).sum()) for each in (was, becomes))
    if after >= before:
        return []
    return [f"it sees less of what is urgent: {after} of {int(there.sum())} comments, {before} before"]


def _noisier(was: Evaluation, becomes: Evaluation) -> list[str]:
    nothing = ~was.true.any(axis=1)
    before, after = (int((each.said.any(axis=1) & nothing).sum()) for each in (was, becomes))
    if after - before < MISTAKES or after - before <= FALL * nothing.sum():
        return []
    return [
        f"it calls people for nothing: {after} of {int(nothing.sum())} comments without a label, {before} before"
    ]


def _worse_labels(was: Evaluation, becomes: Evaluation, before: Floats, after: Floats) -> list[str]:
    more = (becomes.said != was.true).sum(axis=0) - (was.said != was.true).sum(axis=0)
    return [
        f"it is markedly worse at {label}: F1 {before[i]:.2f} before and {after[i]:.2f} after"
        for i, label in enumerate(LABELS)
        if more[i] >= MISTAKES and before[i] - after[i] > FALL
    ]
