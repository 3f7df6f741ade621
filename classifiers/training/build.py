"""Train what ships: `python -m classifiers.training.build DATA`, DATA being the folder of the public sets.

1. One pass over the public sets.
2. Teachers: each passes several times over three quarters of the written comments and says what it thinks of the
   quarter that it never saw. What they think of the public texts is averaged.
3. The student learns from all of it: half what the annotator said, half what the teachers think, which softens
   single doubtful labels and fills in what the public sets do not say (distillation, Hinton et al. 2015, arXiv
   1503.02531).

Comments that are held back (written.py) take part in none of it. Everything goes to cache/; a step whose file is
there is not done again.
"""

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from classifiers.training.augment import vary
from classifiers.training.base import base_model
from classifiers.training.model import Network
from classifiers.training.public import public
from classifiers.training.samples import EMOTIONS, LABELS, UNKNOWN, Sample
from classifiers.training.train import Logits, Recipe, Trainer
from classifiers.training.written import Written, written

CACHE = Path(__file__).with_name("cache")
SEED = 20261121
FIRST = Recipe(rate=8e-5, seed=SEED)
THEN = Recipe(rate=1e-4, decay=0.9, hidden=0.1, seed=SEED)
TEACHERS = 4
TEACHER_EPOCHS = 5
STUDENT_EPOCHS = 6
#: Public samples mixed into each pass over the written comments, and how long they may be.
MIX = 1000
STUDENT_MIX = 1000
MIX_CHARACTERS = 200
#: The share of variants that stand before or after a harmless comment, as one grave sentence may in a long text.
BESIDE = 0.12
#: Public samples that the teachers are asked about.
ASKED = 6000
#: Schools that the teachers do not learn from: written when they had learnt, and all the better a judge of them.
UNTAUGHT = frozenset({"kestrel", "larchmere", "maplewell"})


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
    asked = random.Random(SEED).sample(short, ASKED)
    own, others = _opinions(trainer, first, comments, short, asked)
    _kept(trainer, "student", lambda: _student(trainer, first, comments, own, _softened(asked, others)))


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


def _opinions(
    trainer: Trainer,
    first: Network,
    comments: Sequence[Written],
    short: Sequence[Sample],
    asked: Sequence[Sample],
) -> tuple[Logits, Logits]:
    """What the teachers think of `comments` and of `asked`: of each text those that never saw it, on the mean."""
    own = np.zeros((len(comments), len(LABELS)), dtype=np.float32)
    others, opinions = np.zeros((len(asked), len(LABELS)), dtype=np.float32), np.zeros(len(comments))
    for teacher in range(TEACHERS):
        unseen = [i for i, c in enumerate(comments) if c.school in UNTAUGHT or quarter(c) == teacher]
        seen = [c for c in comments if c.school not in UNTAUGHT and quarter(c) != teacher]
        recipe = replace(THEN, seed=SEED + teacher)

        def learn(seen: Sequence[Written] = seen, recipe: Recipe = recipe, number: int = teacher + 1) -> Network:
            epochs = _epochs([(each, None) for each in seen], short, TEACHER_EPOCHS, MIX, recipe.seed)
            return trainer.fit(_copy(trainer, first), epochs, recipe, f"teacher {number} of {TEACHERS}")

        network = _kept(trainer, f"teacher-{teacher}", learn)
        own[unseen] += trainer.logits(network, [comments[i].sample() for i in unseen])
        others += trainer.logits(network, asked) / TEACHERS
        opinions[unseen] += 1
    return own / opinions[:, None].astype(np.float32), others


def quarter(comment: Written) -> int:
    """Which teacher does not see it: by its id alone."""
    return int(sha256(f"quarter {comment.id}".encode()).hexdigest()[:8], 16) % TEACHERS


def _student(
    trainer: Trainer, first: Network, comments: Sequence[Written], own: Logits, public_samples: Sequence[Sample]
) -> Network:
    lessons = list(zip(comments, own, strict=True))
    epochs = _epochs(lessons, public_samples, STUDENT_EPOCHS, STUDENT_MIX, SEED)
    return trainer.fit(_copy(trainer, first), epochs, THEN, "student")


def _epochs(
    comments: Sequence[tuple[Written, Logits | None]],
    public_samples: Sequence[Sample],
    count: int,
    mix: int,
    seed: int,
) -> list[list[Sample]]:
    """Passes over the comments, in two of three as fresh variants, softened by an opinion where there is one."""
    chance = random.Random(seed)
    harmless = [comment.text for comment, _ in comments if not comment.labels]
    epochs = []
    for epoch in range(count):
        variants = []
        for comment, opinion in comments:
            text = vary(comment.text, comment.names, chance) if epoch % 3 else comment.text
            if chance.random() < BESIDE:
                text = " ".join(chance.sample([text, chance.choice(harmless)], 2))
            each = comment.sample(text)
            variants.append(each if opinion is None else _soft(each, opinion))
        epochs.append(variants + chance.sample(list(public_samples), mix))
    return epochs


def _softened(samples: Sequence[Sample], opinions: Logits) -> list[Sample]:
    return [_soft(each, opinion) for each, opinion in zip(samples, opinions, strict=True)]


def _soft(each: Sample, opinion: Logits) -> Sample:
    """Half its own target, half the opinion; all opinion where its source says nothing."""
    thought = (1 / (1 + np.exp(-opinion))).tolist()
    pairs = zip(each.target, thought, strict=True)
    return replace(each, target=tuple(p if t == UNKNOWN else (t + p) / 2 for t, p in pairs))


def _copy(trainer: Trainer, network: Network) -> Network:
    copy = trainer.network()
    copy.load_state_dict(network.state_dict())
    return copy


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
