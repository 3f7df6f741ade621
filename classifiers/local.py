"""The shipped model: MiniLM fine-tuned on school comments, int8, on ONNX Runtime, offline (model/README.md).

Every file is checked against manifest.json before it is used: a damaged model says so instead of scoring.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from classifiers.fold import fold
from classifiers.threshold import Threshold
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Label, Scores

# transformers looks for torch when it is imported and advises to install it; only its tokenizer is wanted here.
os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # threads of its own would not survive a fork
from transformers import AutoTokenizer

MODEL = Path(__file__).with_name("model")
#: Tokens by which the windows of a long text overlap.
OVERLAP = 24
#: Windows read of one text, some 6,000 words; of a longer one the beginning and the end.
WINDOWS = 96
#: Windows scored at once.
BATCH = 32

_REMEDY = "Install it again."

log = logging.getLogger(__name__)


class LocalModel:
    """Implements Scorer. Thread-safe: nothing changes after loading."""

    name = "local"

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.version: str = manifest["version"]
        self.thresholds = {Label(label): Threshold(**each) for label, each in manifest["thresholds"].items()}
        self._labels = tuple(Label(label) for label in manifest["labels"])
        self._longest: int = manifest["longest"]
        if set(self._labels) != set(Label) or set(self.thresholds) != set(Label):
            raise ValueError("its labels are not the product's")
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        options.enable_cpu_mem_arena = False  # batches differ in shape: the arena would only grow
        self._session: Any = ort.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Probabilities per label; of a text in several windows the strongest decides. Raises ClassifierError."""
        strongest = np.zeros((len(texts), len(self._labels)), dtype=np.float32)
        for owners, ids in self._batches(texts):
            np.maximum.at(strongest, owners, self._run(ids))
        return [dict(zip(self._labels, map(float, row), strict=True)) for row in strongest]

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], list[list[int]]]]:
        """Windows of about one length with the index of the text that each belongs to."""
        windows = [(owner, ids) for owner, text in enumerate(texts) for ids in self._windows(text)]
        windows.sort(key=lambda window: len(window[1]))
        for start in range(0, len(windows), BATCH):
            owners, ids = zip(*windows[start : start + BATCH], strict=True)
            yield list(owners), list(ids)

    def _windows(self, text: str) -> list[list[int]]:
        encoded = self._tokenizer(
            fold(text).text,
            truncation=True,
            max_length=self._longest,
            stride=OVERLAP,
            return_overflowing_tokens=True,
            return_attention_mask=False,
        )
        windows: list[list[int]] = encoded["input_ids"]
        if len(windows) <= WINDOWS:
            return windows
        return windows[: WINDOWS * 3 // 4] + windows[-WINDOWS // 4 :]

    def _run(self, windows: list[list[int]]) -> NDArray[np.float32]:
        longest = max(map(len, windows))
        ids = np.zeros((len(windows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        try:
            (logits,) = self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        except (RuntimeError, ValueError) as error:  # ONNX Runtime's own errors are RuntimeErrors
            raise ClassifierError(f"the model failed: {error}") from error
        probabilities: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return probabilities


def load(folder: Path = MODEL) -> LocalModel:
    """The model in `folder`. Raises ClassifierError when a file is missing, damaged or does not fit."""
    manifest = _checked(folder)
    try:
        model = LocalModel(folder, manifest)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ClassifierError(f"the model in {folder.name}/ cannot be loaded: {error}") from error
    log.info("classifier model %s loaded", model.version)
    return model


def _checked(folder: Path) -> Mapping[str, Any]:
    """The manifest, after every file it lists was found to be the one that was shipped."""
    try:
        manifest: Mapping[str, Any] = json.loads(_content(folder / "manifest.json"))
        files = dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise ClassifierError(f"the classifier's manifest.json is damaged ({error}). {_REMEDY}") from error
    for name, expected in files.items():
        if sha256(_content(folder / name)).hexdigest() != expected:
            raise ClassifierError(
                f"the classifier's {name} is damaged: its SHA-256 is not the manifest's. {_REMEDY}"
            )
    return manifest


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ClassifierError(
            f"the classifier's {file.name} cannot be read ({error.strerror}). {_REMEDY}"
        ) from error
