"""Make what ships of what was trained: `python -m classifiers.training.export VERSION`.

ONNX, weights quantised to int8, the tokenizer beside it, and a manifest with thresholds and every file's SHA-256.
"""

import argparse
import json
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from classifiers.local import MODEL
from classifiers.training.base import base_model
from classifiers.training.data import LABELS
from classifiers.training.model import Network
from classifiers.training.train import CACHE

#: Tokens that are read at once, as in training.
LONGEST = 96
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def main() -> None:
    options = argparse.ArgumentParser(description="Export the trained classifier to classifiers/model.")
    options.add_argument("version", help="what the readings will say that they were made with")
    version: str = options.parse_args().version
    network = Network(base_model())
    network.load_state_dict(torch.load(CACHE / "final.pt", weights_only=True))
    MODEL.mkdir(exist_ok=True)
    _write_onnx(network.eval(), MODEL / "model.onnx")
    for name in TOKENIZER:
        shutil.copyfile(base_model() / name, MODEL / name)
    manifest = {
        "version": version,
        "labels": list(LABELS),
        "longest": LONGEST,
        "thresholds": json.loads((CACHE / "thresholds.json").read_text()),
        "files": {name: sha256((MODEL / name).read_bytes()).hexdigest() for name in ("model.onnx", *TOKENIZER)},
    }
    (MODEL / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    size = (MODEL / "model.onnx").stat().st_size / 1e6
    print(f"exported {version}: {size:.1f} MB", flush=True)


def _write_onnx(network: Network, file: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    names = {"input_ids": {0: "batch", 1: "tokens"}, "attention_mask": {0: "batch", 1: "tokens"}}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            network,
            (ids, torch.ones_like(ids)),
            str(whole),
            input_names=list(names),
            output_names=["logits"],
            dynamic_axes={**names, "logits": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        onnx.checker.check_model(str(whole))
        quantize_dynamic(whole, file, weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main()
