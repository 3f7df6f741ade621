"""What the model learns from, whatever its source: a folded text, the comment it answers, and a target per label.

A target has one number per label: 1, 0, or UNKNOWN where its source does not say. UNKNOWN is masked in the loss, so
no source is read as negative for what it never looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from classifiers.fold import fold
from classifiers.lexicon import Strength
from classifiers.lexicon import load as load_lexicon
from monitor.domain.verdict import Label

LABELS = tuple(Label)
UNKNOWN = -1.0
#: What one public set (GoEmotions) says beside: 27 emotions and neutral. Learnt in the first pass only: who hears
#: disappointment, gratitude and mockery in a sentence learns complaints from fewer of them.
EMOTIONS = 28


@dataclass(frozen=True, slots=True)
class Sample:
    """A folded text, the folded text it answers ("" for none), a target per label (LABELS) and per emotion."""

    text: str
    target: tuple[float, ...]
    parent: str = ""
    emotions: tuple[float, ...] = (UNKNOWN,) * EMOTIONS


def sample(text: str, known: Mapping[Label, float | bool], parent: str | None = None) -> Sample:
    """A sample of the labels that are `known`; profanity, where nobody annotated it, is what the word list says."""
    folded = fold(text)
    if Label.PROFANITY not in known:
        crude = any(
            found.label is Label.PROFANITY and found.strength is Strength.CERTAIN
            for found in load_lexicon().find(folded)
        )
        known = {**known, Label.PROFANITY: crude}
    target = tuple(float(known.get(label, UNKNOWN)) for label in LABELS)
    return Sample(folded.text, target, fold(parent).text if parent else "")
