"""The shipped model: MiniLM fine-tuned on school comments, int8, on ONNX Runtime, offline (model/README.md).

Every file is checked against manifest.json before it is used: a damaged model says so instead of scoring.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

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
#: What the manifest must vouch for.
FILES = frozenset({"model.onnx", "tokenizer.json", "tokenizer_config.json"})
#: What is too long to be read at once is read in windows of so many tokens, which overlap: short ones, because one
#: ugly sentence is lost in the mean of a long friendly text.
WINDOW = 48
OVERLAP = 16
#: Windows read of one text, some 4,500 words; of a longer one the beginning and the end.
WINDOWS = 192
#: All that ONNX Runtime raises (its errors have no parent of their own), and what unfitting files make of the rest.
FAILURES: tuple[type[Exception], ...] = (
    *(ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf),
    *(ort_errors.NoModel, ort_errors.NoSuchFile, ort_errors.NotImplemented, ort_errors.RuntimeException),
    *(ort_errors.EngineError, ort_errors.EPFail),
    *(OSError, ValueError, KeyError, TypeError, RuntimeError),
)
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
        options.enable_cpu_mem_arena = False  # texts differ in length: the arena would only grow
        self._session: Any = ort.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Probabilities per label; of a text in several windows the strongest decides. Raises ClassifierError.

        Window by window: int8 rounds by the largest number in a batch, so a text's scores would depend on what it
        was read together with, and a second reading might come out differently.
        """
        return [self._score(text) for text in texts]

    def _score(self, text: str) -> Scores:
        strongest = np.max([self._run(window) for window in self._windows(text)], axis=0)
        return dict(zip(self._labels, map(float, strongest), strict=True))

    def _windows(self, text: str) -> list[list[int]]:
        ids: list[int] = self._tokenizer.encode(fold(text).text, add_special_tokens=False, verbose=False)
        parts = [ids]
        if len(ids) > self._longest - 2:
            parts = [ids[start : start + WINDOW] for start in range(0, len(ids) - OVERLAP, WINDOW - OVERLAP)]
        if len(parts) > WINDOWS:
            parts = parts[: WINDOWS * 3 // 4] + parts[-WINDOWS // 4 :]
        return [[self._tokenizer.cls_token_id, *part, self._tokenizer.sep_token_id] for part in parts]

    def _run(self, window: list[int]) -> NDArray[np.float32]:
        ids = np.array([window], dtype=np.int64)
        try:
            (logits,) = self._session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        except FAILURES as error:
            raise ClassifierError(f"the model failed: {error}") from error
        probabilities: NDArray[np.float32] = 1 / (1 + np.exp(-logits[0]))
        return probabilities


def load(folder: Path = MODEL) -> LocalModel:
    """The model in `folder`. Raises ClassifierError when a file is missing, damaged or does not fit."""
    manifest = _checked(folder)
    try:
        model = LocalModel(folder, manifest)
    except FAILURES as error:
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
    if not files.keys() >= FILES:
        raise ClassifierError(f"the classifier's manifest.json does not list its files. {_REMEDY}")
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
