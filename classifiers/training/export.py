"""Make what ships of the student: `python -m classifiers.training.export`: graph in int8, tokenizer, manifest.

The manifest has every file's SHA-256, which classifiers.local checks at each start; classifiers.training.calibrate
adds what scores and labels hang on.
"""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from classifiers.local import MODEL, load
from classifiers.training.base import base_model
from classifiers.training.build import CACHE
from classifiers.training.graph import graph
from classifiers.training.model import Network
from classifiers.training.samples import LABELS
from classifiers.training.train import LONGEST, Trainer
from monitor.domain.verdict import Comment

GRAPH = "model.onnx"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def main() -> None:
    export(Trainer(base_model(), "cpu").network(CACHE / "student.pt"), MODEL, f"{datetime.now(UTC):%Y-%m-%d}")
    print(f"exported: {(MODEL / GRAPH).stat().st_size / 1e6:.1f} MB")


def export(network: Network, folder: Path, version: str) -> None:
    """Write into `folder` what classifiers.local loads, not yet calibrated; readings say `version`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(network), folder / GRAPH)
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


def rounding(folder: Path, texts: Sequence[str], logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much each score (texts, 12) of the exported model differs from the network's, which gave `logits`.

    For texts that are read in one window: longer ones are not read as the trainer reads them.
    """
    scores = [list(scores.values()) for scores in load(folder).score([Comment(text=text) for text in texts])]
    difference: NDArray[np.float32] = np.abs(np.array(scores, dtype=np.float32) - 1 / (1 + np.exp(-logits)))
    return difference


if __name__ == "__main__":
    main()
