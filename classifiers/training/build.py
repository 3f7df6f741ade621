"""Train what ships: `python -m classifiers.training.build DATA`, DATA being the folder of the public sets.

1. The student's first pass: the public sets.
2. The teacher, a network ten times the student's size, passes over the written comments. What it thinks is asked
   of every comment, of the sentences in them, one by one, and of some public texts.
3. The student learns from all of it: half what the annotator said, half what the teacher thinks, which softens
   single doubtful labels and fills in what nobody annotated (distillation, Hinton et al. 2015, arXiv 1503.02531).

Comments that are held back (written.py) take part in none of it. Everything goes to cache/; a step whose file is
there is not done again.
"""

import argparse
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from classifiers.training.augment import vary
from classifiers.training.base import base_model, teacher_model
from classifiers.training.model import Network
from classifiers.training.public import public
from classifiers.training.samples import EMOTIONS, LABELS, UNKNOWN, Sample, sample
from classifiers.training.train import Logits, Recipe, Trainer
from classifiers.training.written import Written, written

CACHE = Path(__file__).with_name("cache")
SEED = 20261121
FIRST = Recipe(rate=8e-5, seed=SEED)
TEACHER = Recipe(rate=5e-5, decay=0.95, hidden=0.1, frozen=4, seed=SEED)
STUDENT = Recipe(rate=1e-4, decay=0.9, hidden=0.1, seed=SEED)
TEACHER_EPOCHS = 3
STUDENT_EPOCHS = 4
#: Public samples mixed into each pass over the written comments, and how long they may be.
MIX = 1000
MIX_CHARACTERS = 200
#: The share of variants that stand before or after a harmless comment, as one grave sentence may in a long text.
BESIDE = 0.12
#: Public samples that the teacher is asked about.
ASKED = 6000
#: Sentences mixed into each of the student's passes, and how long they are.
SENTENCES = 3000
SENTENCE_CHARACTERS = range(12, 160)
#: Schools that the teacher does not learn from: a judge that has not seen the answers.
UNTAUGHT = frozenset({"coldbeck", "drayford", "eastmoor", "garrowby", "vinehall", "wexcombe", "yarrowby"})

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def main() -> None:
    options = argparse.ArgumentParser(description="Train the shipped classifier.")
    options.add_argument("data", type=Path, help="folder of the public sets")
    data: Path = options.parse_args().data
    CACHE.mkdir(exist_ok=True)
    trainer = Trainer(base_model())
    print("reading the public sets", flush=True)
    samples = public(data, SEED)
    first = _kept(trainer, "stage-one", lambda: _first(trainer, samples))
    comments = [each for each in written() if not each.held_back]
    short = [each for each in samples if len(each.text) <= MIX_CHARACTERS]
    teaching = Trainer(teacher_model(CACHE))
    teacher = _kept(teaching, "teacher", lambda: _teacher(teaching, comments, short))
    print("asking the teacher", flush=True)
    asked = random.Random(SEED).sample(short, ASKED) + _sentences(comments)
    own = teaching.logits(teacher, [each.sample() for each in comments])
    others = _softened(asked, teaching.logits(teacher, asked))
    _kept(trainer, "student", lambda: _student(trainer, first, list(zip(comments, own, strict=True)), others))


def _first(trainer: Trainer, samples: Sequence[Sample]) -> Network:
    """The public sets once, emotions beside the labels; of the head only the labels are kept."""
    network = trainer.network(outputs=len(LABELS) + EMOTIONS)
    trainer.fit(network, [samples], FIRST, "public sets")
    state = network.state_dict()
    for name in ("head.weight", "head.bias"):
        state[name] = state[name][: len(LABELS)]
    labels_only = trainer.network()
    labels_only.load_state_dict(state)
    return labels_only


def _teacher(teaching: Trainer, comments: Sequence[Written], public_samples: Sequence[Sample]) -> Network:
    lessons = [(each, None) for each in comments if each.school not in UNTAUGHT]
    passes = _passes(lessons, TEACHER_EPOCHS)
    chance = random.Random(SEED)
    epochs = [each + chance.sample(public_samples, MIX) for each in passes]
    return teaching.fit(teaching.network(), epochs, TEACHER, "teacher")


def _sentences(comments: Sequence[Written]) -> list[Sample]:
    """The sentences of longer comments, each by itself, as windows show them: what the whole is not, no part is to
    be taken for; what it is, only the teacher can place.
    """
    parts = {
        part: dict.fromkeys(set(LABELS) - each.labels, False)
        for each in comments
        for part in _SENTENCE_END.split(each.text)
        if part != each.text and len(part) in SENTENCE_CHARACTERS
    }
    return [sample(part, known) for part, known in parts.items()]


def _student(
    trainer: Trainer,
    first: Network,
    lessons: Sequence[tuple[Written, Logits | None]],
    others: Sequence[Sample],
) -> Network:
    passes = _passes(lessons, STUDENT_EPOCHS)
    chance = random.Random(SEED)
    epochs = [each + chance.sample(others, MIX + SENTENCES) for each in passes]
    return trainer.fit(first, epochs, STUDENT, "student")


def _passes(comments: Sequence[tuple[Written, Logits | None]], count: int) -> list[list[Sample]]:
    """Passes over the comments, two of three over fresh variants, softened by an opinion where there is one."""
    chance = random.Random(SEED)
    harmless = [comment.text for comment, _ in comments if not comment.labels]
    passes = []
    for number in range(count):
        variants = []
        for comment, opinion in comments:
            text = vary(comment.text, comment.names, chance) if number % 3 else comment.text
            if chance.random() < BESIDE:
                text = " ".join(chance.sample([text, chance.choice(harmless)], 2))
            each = comment.sample(text)
            variants.append(each if opinion is None else _soft(each, opinion))
        passes.append(variants)
    return passes


def _softened(samples: Sequence[Sample], opinions: Logits) -> list[Sample]:
    return [_soft(each, opinion) for each, opinion in zip(samples, opinions, strict=True)]


def _soft(each: Sample, opinion: Logits) -> Sample:
    """Half its own target, half the opinion; all opinion where its source says nothing."""
    thought = (1 / (1 + np.exp(-opinion))).tolist()
    pairs = zip(each.target, thought, strict=True)
    return replace(each, target=tuple(p if t == UNKNOWN else (t + p) / 2 for t, p in pairs))


def _kept(trainer: Trainer, name: str, make: Callable[[], Network]) -> Network:
    file = CACHE / f"{name}.pt"
    if file.exists():
        print(f"{name} is there already", flush=True)
        return trainer.network(file)
    network = make()
    torch.save(network.state_dict(), file)
    return network


if __name__ == "__main__":
    main()
