"""Fine-tune MiniLM: the trainer, its recipes, and what a batch is.

`Trainer.fit` is used for both stages: one pass over the public sets, then several over fresh variants of the
written comments mixed with some of the public sets so that nothing is forgotten.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from classifiers.training.model import Network
from classifiers.training.samples import LABELS, Sample

BATCH = 32
#: Tokens that are read at once of a text, and of the comment it answers.
LONGEST = 96
PARENT = 32

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is fitted.

    `decay`: the learning rate of a layer over that of the one above it. `hidden`: the share of tokens put behind a
    mask, other ones each time, so that no single word is learnt by heart.
    """

    rate: float
    head_rate: float = 1e-3
    decay: float = 1.0
    hidden: float = 0.0
    seed: int = 0


class Trainer:
    """Holds the tokenizer and the base model's folder; `fit` trains a network, `logits` reads with one."""

    def __init__(self, base: Path, device: str = "cuda" if torch.cuda.is_available() else "cpu") -> None:
        self._base = base
        self._device = torch.device(device)
        self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base)

    def network(self, weights: Path | None = None, *, outputs: int = len(LABELS)) -> Network:
        """The base network, or that of which `weights` keeps the state."""
        network = Network(self._base, outputs)
        if weights:
            network.load_state_dict(torch.load(weights, weights_only=True))
        return network.to(self._device)

    def fit(self, network: Network, epochs: Sequence[Sequence[Sample]], recipe: Recipe, what: str) -> Network:
        """Train `network` in place on each of `epochs` in turn, on the labels of which there are examples."""
        chance = random.Random(recipe.seed)
        torch.manual_seed(recipe.seed)
        batches = [batch for epoch in epochs for batch in self._batches(epoch, chance)]
        taught = _taught([s for e in epochs for s in _targets(e, network.head.out_features)]).to(self._device)
        loss_of = nn.BCEWithLogitsLoss(reduction="none")
        optimizer = torch.optim.AdamW(_groups(network, recipe), weight_decay=0.01, fused=True)
        warm = max(1, len(batches) // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm, (len(batches) - step) / (len(batches) - warm + 1))
        )
        network.train()
        running = 0.0
        progress = tqdm(batches, desc=what, mininterval=10, unit="batch")
        for step, batch in enumerate(progress, start=1):
            target = torch.tensor(_targets(batch, network.head.out_features), device=self._device)
            known = (target >= 0) & taught
            with torch.autocast(self._device.type, torch.bfloat16):
                logits = network(**self._hide(self._encode(batch), recipe.hidden))
            loss = loss_of(logits.float(), target.clamp(min=0))
            mean = (loss * known).sum() / known.sum().clamp(min=1)
            optimizer.zero_grad()
            mean.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            running += (mean.item() - running) / min(step, 100)
            progress.set_postfix(loss=f"{running:.4f}", refresh=False)
        return network

    def logits(self, network: Network, samples: Sequence[Sample]) -> Logits:
        """Logits (samples, 12), each text cut at LONGEST tokens."""
        network.eval()
        order = sorted(range(len(samples)), key=lambda i: len(samples[i].text) + len(samples[i].parent))
        result = np.zeros((len(samples), len(LABELS)), dtype=np.float32)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16):
            for start in range(0, len(order), 2 * BATCH):
                at = order[start : start + 2 * BATCH]
                result[at] = network(**self._encode([samples[i] for i in at])).float().cpu().numpy()
        return result

    def _encode(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        """[CLS] text [SEP], and parent [SEP] of type 1 where there is one, padded to the longest."""
        rows = [self._ids(each) for each in samples]
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.int64)
        mask, kinds = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, (each, spoken) in enumerate(rows):
            ids[row, : len(each)] = torch.tensor(each)
            mask[row, : len(each)] = 1
            kinds[row, spoken : len(each)] = 1
        batch = {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
        return {name: each.to(self._device) for name, each in batch.items()}

    def _hide(self, batch: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
        """The batch with `share` of its words, none of the special tokens, masked."""
        if not share:
            return batch
        ids = batch["input_ids"]
        special = torch.tensor(self._tokenizer.all_special_ids, device=ids.device)
        hidden = (torch.rand(ids.shape, device=ids.device) < share) & ~torch.isin(ids, special)
        return {**batch, "input_ids": ids.masked_fill(hidden, self._tokenizer.mask_token_id)}

    def _ids(self, each: Sample) -> tuple[list[int], int]:
        """The token ids of a sample and how many of them are the text's own."""
        first, last = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        text = self._tokenizer.encode(each.text, add_special_tokens=False, truncation=True, max_length=LONGEST - 2)
        own = [first, *text, last]
        if not each.parent:
            return own, len(own)
        parent = self._tokenizer.encode(
            each.parent, add_special_tokens=False, truncation=True, max_length=PARENT - 1
        )
        return [*own, *parent, last], len(own)

    def _batches(self, samples: Sequence[Sample], chance: random.Random) -> list[list[Sample]]:
        """Batches of texts of about one length (padding costs time), in random order."""
        shuffled = list(samples)
        chance.shuffle(shuffled)
        batches = []
        for start in range(0, len(shuffled), BATCH * 40):
            block = sorted(shuffled[start : start + BATCH * 40], key=lambda s: len(s.text) + len(s.parent))
            batches += [block[i : i + BATCH] for i in range(0, len(block), BATCH)]
        chance.shuffle(batches)
        return batches


def _targets(samples: Sequence[Sample], outputs: int) -> list[tuple[float, ...]]:
    return [(s.target + s.emotions)[:outputs] for s in samples]


def _taught(rows: Sequence[tuple[float, ...]]) -> torch.Tensor:
    """Which outputs have both positives and negatives: the others are not learnt."""
    targets = torch.tensor(rows)
    return (targets > 0.5).any(0) & ((targets >= 0) & (targets <= 0.5)).any(0)


def _groups(network: Network, recipe: Recipe) -> list[dict[str, object]]:
    """Parameters with their rates, lower layers slower; the embeddings stay as they are."""
    network.encoder.embeddings.requires_grad_(False)
    layers = list(network.encoder.encoder.layer)
    groups: list[dict[str, object]] = [{"params": list(network.head.parameters()), "lr": recipe.head_rate}]
    for above, layer in enumerate(reversed(layers)):
        groups.append({"params": list(layer.parameters()), "lr": recipe.rate * recipe.decay**above})
    return groups
