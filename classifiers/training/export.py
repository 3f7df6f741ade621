"""Make what ships of the student: `python -m classifiers.training.export`: graph in int8, tokenizer, manifest.

The manifest has every file's SHA-256, which classifiers.local checks at each start; classifiers.training.calibrate
adds what scores and labels hang on.
"""

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from torch import Tensor, nn

from classifiers.local import MODEL
from classifiers.training.base import base_model
from classifiers.training.build import CACHE, SEED
from classifiers.training.graph import Array, graph
from classifiers.training.model import Network
from classifiers.training.samples import LABELS, Sample
from classifiers.training.train import LONGEST, Trainer
from classifiers.training.written import written

GRAPH = "model.onnx"
#: Comments by whose activations the steps of rounding are chosen.
EXAMPLES = 400
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def main() -> None:
    trainer = Trainer(base_model(), "cpu")
    network = trainer.network(CACHE / "network.pt")
    comments = [each.sample() for each in written() if not each.held_back]
    examples = random.Random(SEED).sample(comments, EXAMPLES)
    export(network, inputs_of_layers(trainer, network, examples), MODEL, f"{datetime.now(UTC):%Y-%m-%d}")
    print(f"exported: {(MODEL / GRAPH).stat().st_size / 1e6:.1f} MB")


def inputs_of_layers(trainer: Trainer, network: Network, samples: Sequence[Sample]) -> dict[str, Array]:
    """What each linear layer of the encoder reads, by its name, as (tokens, width), when `samples` are read."""
    rows: dict[str, list[Array]] = defaultdict(list)

    def listen(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _layer, inputs, _output: rows[name].append(inputs[0].flatten(0, 1).float().numpy())

    layers = [(name, each) for name, each in network.named_modules() if isinstance(each, nn.Linear)]
    listening = [each.register_forward_hook(listen(name)) for name, each in layers if name.startswith("encoder.")]
    for each in samples:  # one at a time: without padding
        trainer.logits(network, [each])
    for each in listening:
        each.remove()
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def export(network: Network, inputs: Mapping[str, Array], folder: Path, version: str) -> None:
    """Write into `folder` what classifiers.local loads, not yet calibrated; readings say `version`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(network, inputs), folder / GRAPH)
    for name in TOKENIZER:
        shutil.copyfile(base_model() / name, folder / name)
    manifest = {
        "version": version,
        "labels": list(LABELS),
        "longest": LONGEST,
        "calibration": {label: [1.0, 0.0] for label in LABELS},
        "thresholds": {label: {"over": 0.5, "possibly": 0.2} for label in LABELS},
        "files": {name: sha256((folder / name).read_bytes()).hexdigest() for name in (GRAPH, *TOKENIZER)},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
