"""Train what ships: `python -m classifiers.training.build DATA`, DATA being the folder of the public sets.

1. One pass over the public sets.
2. From there, several passes over the written comments, mixed with their single sentences and some public texts;
   twice, by chance in another order and with other variants, and the mean of both networks' weights taken, which
   does better than either (model soups, Wortsman et al. 2022, arXiv 2203.05482).

Comments that are held back (written.py) take part in none of it. Everything goes to cache/; a step whose file is
there is not done again.
"""

import argparse
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from classifiers.training.augment import vary
from classifiers.training.base import base_model
from classifiers.training.model import Network
from classifiers.training.public import public
from classifiers.training.samples import EMOTIONS, LABELS, Sample, sample
from classifiers.training.train import Recipe, Trainer
from classifiers.training.written import Written, written

CACHE = Path(__file__).with_name("cache")
SEED = 20261121
FIRST = Recipe(rate=8e-5, seed=SEED)
THEN = Recipe(rate=1e-4, decay=0.9, hidden=0.1)
RUNS = 3
EPOCHS = 4
#: The share of variants that stand before or after a harmless comment, as one grave sentence may in a long text.
BESIDE = 0.12
#: Sentences and public samples mixed into each pass over the written comments, so many of so many, how long each.
MIXED = 4000
SENTENCE_CHARACTERS = range(12, 160)
PUBLIC, PUBLIC_CHARACTERS = 6000, 200

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
    short = [each for each in samples if len(each.text) <= PUBLIC_CHARACTERS]
    others = random.Random(SEED).sample(short, PUBLIC) + _sentences(comments)
    runs = [
        _kept(trainer, f"run-{seed}", partial(_then, trainer, first, comments, others, seed))
        for seed in range(SEED, SEED + RUNS)
    ]
    _kept(trainer, "network", lambda: _mean(trainer, runs))


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


def _sentences(comments: Sequence[Written]) -> list[Sample]:
    """The sentences of longer comments, each by itself, as windows show them: what the whole is not, no part is to
    be taken for; which part makes the whole what it is, nobody said.
    """
    parts = {
        part: dict.fromkeys(set(LABELS) - each.labels, False)
        for each in comments
        for part in _SENTENCE_END.split(each.text)
        if part != each.text and len(part) in SENTENCE_CHARACTERS
    }
    return [sample(part, known) for part, known in parts.items()]


def _then(
    trainer: Trainer, first: Network, comments: Sequence[Written], others: Sequence[Sample], seed: int
) -> Network:
    network = trainer.network()
    network.load_state_dict(first.state_dict())
    chance = random.Random(seed)
    passes = [_pass(comments, bool(number % 3), chance) + chance.sample(others, MIXED) for number in range(EPOCHS)]
    return trainer.fit(
        network, passes, replace(THEN, seed=seed), f"written comments, run {seed - SEED + 1} of {RUNS}"
    )


def _pass(comments: Sequence[Written], varied: bool, chance: random.Random) -> list[Sample]:
    """Every comment once, as it is or as a fresh variant, a share of them beside a harmless one."""
    harmless = [each.text for each in comments if not each.labels]
    samples = []
    for each in comments:
        text = vary(each.text, each.names, chance) if varied else each.text
        if chance.random() < BESIDE:
            text = " ".join(chance.sample([text, chance.choice(harmless)], 2))
        samples.append(each.sample(text))
    return samples


def _mean(trainer: Trainer, networks: Sequence[Network]) -> Network:
    states = [network.state_dict() for network in networks]
    mean = trainer.network()
    mean.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return mean


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
