"""Train the shipped model: `python -m classifiers.training.train DATA COMMENTS`, on a CPU, in under an hour.

1. Stage one: one pass over the public sets.
2. Stage two on all school comments: the model that is exported.
3. Held out: for each fold of the school comments, stage two on the other folds; the scores of the held-out fold are
   kept for thresholds and for honest figures.

Everything goes to `cache/`; a stage whose file is there is not done again.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from classifiers.training.augment import vary
from classifiers.training.base import base_model
from classifiers.training.data import LABELS, Sample, SchoolComment, comments, public
from classifiers.training.model import Network

CACHE = Path(__file__).with_name("cache")
SEED = 20261121
FOLDS = 5
BATCH = 32
EPOCHS = 9
#: Public samples mixed into each epoch of stage two, so that it forgets nothing, and how long they may be.
MIX = 300
MIX_CHARACTERS = 160


def main() -> None:
    options = argparse.ArgumentParser(description="Train the shipped classifier.")
    options.add_argument("data", type=Path, help="folder of the public sets")
    options.add_argument("comments", type=Path, help="folder of the labelled school comments")
    chosen = options.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    CACHE.mkdir(exist_ok=True)
    trainer = Trainer(base_model())

    print("reading the public sets", flush=True)
    samples = public(chosen.data, SEED)
    first = _kept("stage-one.pt", lambda: trainer.stage_one(samples))
    school = comments(chosen.comments)
    short = [each for each in samples if len(each.text) <= MIX_CHARACTERS]
    print("the model that ships, on every comment", flush=True)
    _kept("final.pt", lambda: trainer.stage_two(first, school, short))
    if not (CACHE / "heldout.npz").exists():
        _hold_out(trainer, first, school, short)


def _hold_out(trainer: "Trainer", first: Network, school: Sequence[SchoolComment], mix: Sequence[Sample]) -> None:
    """Keep for every comment the logits of a model that never saw it."""
    logits = np.zeros((len(school), len(LABELS)), dtype=np.float32)
    fold_of = folds(school)
    for fold in range(FOLDS):
        print(f"fold {fold + 1} of {FOLDS}", flush=True)
        seen = [comment for comment, f in zip(school, fold_of, strict=True) if f != fold]
        held = [i for i, f in enumerate(fold_of) if f == fold]
        network = trainer.stage_two(first, seen, mix)
        logits[held] = trainer.logits(network, [school[i].sample().text for i in held])
    targets = np.array([[label in c.labels for label in LABELS] for c in school])
    np.savez(CACHE / "heldout.npz", logits=logits, targets=targets, folds=np.array(fold_of))


def folds(school: Sequence[SchoolComment]) -> list[int]:
    """A fold per comment, dealt out rarest label first so that each fold has its share of every label."""
    count = {label: sum(label in c.labels for c in school) for label in LABELS}
    chance = random.Random(SEED)
    order = sorted(
        range(len(school)),
        key=lambda i: (min((count[label] for label in school[i].labels), default=len(school)), chance.random()),
    )
    fold_of = [0] * len(school)
    for place, index in enumerate(order):
        fold_of[index] = place % FOLDS
    return fold_of


class Trainer:
    """Holds the tokenizer and the base network; `stage_one` and `stage_two` return trained copies."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base)

    def stage_one(self, samples: Sequence[Sample]) -> Network:
        """One pass over the public sets, on the labels of which they have examples."""
        targets = torch.tensor([s.target for s in samples])
        taught = (targets == 1).any(0) & (targets == 0).any(0)
        network = Network(self._base)
        self._fit(network, [list(samples)], longest=64, rate=6e-5, taught=taught, what="stage one")
        return network

    def stage_two(self, first: Network, school: Sequence[SchoolComment], mix: Sequence[Sample]) -> Network:
        """Several passes over fresh variants of the school comments, mixed with some of the public sets."""
        chance = random.Random(SEED)
        network = deepcopy(first)
        epochs = []
        for epoch in range(EPOCHS):
            variants = [c.sample(vary(c.text, c.names, chance) if epoch % 3 else None) for c in school]
            epochs.append(variants + chance.sample(list(mix), MIX))
        taught = torch.ones(len(LABELS), dtype=torch.bool)
        weights = _weights(epochs)
        self._fit(network, epochs, longest=96, rate=8e-5, taught=taught, weights=weights, what="stage two")
        return network

    def logits(self, network: Network, texts: Sequence[str]) -> np.ndarray:
        """Logits (texts, 12) of folded texts, cut at 96 tokens."""
        network.eval()
        rows = []
        with torch.inference_mode():
            for start in range(0, len(texts), BATCH):
                rows.append(network(**self._encode(texts[start : start + BATCH], 96)).numpy())
        return np.concatenate(rows)

    def _encode(self, texts: Sequence[str], longest: int) -> dict[str, torch.Tensor]:
        batch = self._tokenizer(list(texts), truncation=True, max_length=longest, padding=True, return_tensors="pt")
        return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}

    def _fit(
        self,
        network: Network,
        epochs: Sequence[list[Sample]],
        *,
        longest: int,
        rate: float,
        taught: torch.Tensor,
        weights: torch.Tensor | None = None,
        what: str,
    ) -> None:
        batches = [batch for epoch in epochs for batch in _batches(epoch)]
        head = list(network.head.parameters())
        body = [p for p in network.encoder.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            [{"params": body, "lr": rate}, {"params": head, "lr": rate * 20}], weight_decay=0.01
        )
        warm = max(1, len(batches) // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm, (len(batches) - step) / (len(batches) - warm + 1))
        )
        loss_of = nn.BCEWithLogitsLoss(reduction="none", pos_weight=weights)
        network.train()
        started, running = time.monotonic(), 0.0
        for step, batch in enumerate(batches, start=1):
            target = torch.tensor([s.target for s in batch])
            known = (target >= 0) & taught
            loss = loss_of(network(**self._encode([s.text for s in batch], longest)), target.clamp(min=0))
            mean = (loss * known).sum() / known.sum().clamp(min=1)
            optimizer.zero_grad()
            mean.backward()
            nn.utils.clip_grad_norm_(body + head, 1.0)
            optimizer.step()
            schedule.step()
            running += (mean.item() - running) / min(step, 50)
            if step % 50 == 0 or step == len(batches):
                spent = time.monotonic() - started
                print(f"  {what}: {step}/{len(batches)} loss {running:.4f} {spent:.0f} s", flush=True)


def _weights(epochs: Sequence[list[Sample]]) -> torch.Tensor:
    """How much more a positive counts than a negative, per label: the root of how much rarer it is, up to 5."""
    targets = torch.tensor([s.target for epoch in epochs for s in epoch])
    positive, negative = (targets == 1).sum(0), (targets == 0).sum(0)
    return (negative / positive.clamp(min=1)).sqrt().clamp(1.0, 5.0)


def _batches(samples: list[Sample]) -> list[list[Sample]]:
    """Batches of texts of about one length (padding costs time), in random order."""
    chance = random.Random(SEED)
    chance.shuffle(samples)
    batches = []
    for start in range(0, len(samples), BATCH * 40):
        block = sorted(samples[start : start + BATCH * 40], key=lambda s: len(s.text))
        batches += [block[i : i + BATCH] for i in range(0, len(block), BATCH)]
    chance.shuffle(batches)
    return batches


def _kept(name: str, make: Callable[[], Network]) -> Network:
    file = CACHE / name
    network = Network(base_model())
    if file.exists():
        print(f"{name} is there already", flush=True)
        network.load_state_dict(torch.load(file, weights_only=True))
        return network
    network = make()
    torch.save(network.state_dict(), file)
    return network


if __name__ == "__main__":
    main()
