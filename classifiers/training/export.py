"""Make what ships of a trained network: its graph in int8, the tokenizer beside it, and a manifest.

The manifest has the thresholds and every file's SHA-256; classifiers.local checks them at each start.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from classifiers.local import load
from classifiers.threshold import Threshold
from classifiers.training.base import base_model
from classifiers.training.graph import graph
from classifiers.training.model import Network
from classifiers.training.samples import LABELS
from classifiers.training.train import LONGEST
from monitor.domain.verdict import Label

GRAPH = "model.onnx"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def export(network: Network, folder: Path, version: str, thresholds: Mapping[Label, Threshold]) -> None:
    """Write into `folder` what classifiers.local loads; `version` is what readings will say they were made with."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(network), folder / GRAPH)
    for name in TOKENIZER:
        shutil.copyfile(base_model() / name, folder / name)
    manifest = {
        "version": version,
        "labels": list(LABELS),
        "longest": LONGEST,
        "thresholds": {label: {"over": each.over, "possibly": each.possibly} for label, each in thresholds.items()},
        "files": {name: sha256((folder / name).read_bytes()).hexdigest() for name in (GRAPH, *TOKENIZER)},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def rounding(folder: Path, texts: Sequence[str], logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much each score (texts, 12) of the exported model differs from the network's, which gave `logits`.

    For texts that are read in one window: longer ones are not read as the trainer reads them.
    """
    scores = [list(scores.values()) for scores in load(folder).score(texts)]
    difference: NDArray[np.float32] = np.abs(np.array(scores, dtype=np.float32) - 1 / (1 + np.exp(-logits)))
    return difference
