"""The shipped model: MiniLM fine-tuned on school comments, int8, on ONNX Runtime, offline (model/README.md).

Every file is checked against manifest.json before it is used: a damaged model says so instead of scoring.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from tokenizers import Tokenizer

from classifiers.fold import fold
from classifiers.threshold import Threshold
from classifiers.tuning import Tuning, TuningError
from monitor.domain.errors import ClassifierError
from monitor.domain.verdict import Comment, Label, Scores

MODEL = Path(__file__).with_name("model")
#: What the manifest must vouch for.
FILES = frozenset({"model.onnx", "tokenizer.json", "tokenizer_config.json"})
#: What is too long to be read at once is read in windows of so many tokens, which overlap: short ones, because one
#: ugly sentence is lost in the mean of a long friendly text.
WINDOW = 32
OVERLAP = 16
#: Windows read of one text, some 3,400 words; of a longer one the beginning and the end.
WINDOWS = 288
#: Tokens that are scored in one run (more is no faster and takes memory), and how many runs at a time.
BATCH = 256
THREADS = 2
#: In one run windows are as long as one another, up to this many tokens: only attention sees the difference.
STEP = 8
#: Tokens that are read of what a comment answers.
PARENT = 32
#: The position of the first token of the second segment, in the model's one table of places.
SEGMENT = 256
#: All that ONNX Runtime raises (its errors have no parent of their own), and what unfitting files make of the rest.
FAILURES: tuple[type[Exception], ...] = (
    *(ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf),
    *(ort_errors.NoModel, ort_errors.NoSuchFile, ort_errors.NotImplemented, ort_errors.RuntimeException),
    *(ort_errors.EngineError, ort_errors.EPFail),
    *(OSError, ValueError, KeyError, TypeError, RuntimeError),
)
_REMEDY = "Install it again."
_NOTHING = np.empty(0, dtype=np.float32)

Floats = NDArray[np.float32]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """Token ids with the special ones. The first `spoken` are the text itself; others are what it answers."""

    ids: list[int]
    spoken: int


class LocalModel:
    """Implements Scorer. Thread-safe: nothing changes after loading."""

    name = "local"

    def __init__(self, folder: Path, manifest: Mapping[str, Any], tuning: Tuning | None) -> None:
        self.version: str = manifest["version"] + (f"+{tuning.version}" if tuning else "")
        self.thresholds: Mapping[Label, Threshold] = (
            tuning.thresholds
            if tuning
            else {Label(label): Threshold(**each) for label, each in manifest["thresholds"].items()}
        )
        self._tuning = tuning
        self._labels = tuple(Label(label) for label in manifest["labels"])
        self._longest: int = manifest["longest"]
        if self._labels != tuple(Label) or set(self.thresholds) != set(Label):
            raise ValueError("its labels are not the product's")
        calibration = np.array([manifest["calibration"][label] for label in self._labels], dtype=np.float32)
        self._slope, self._shift = calibration.T
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        vocabulary = self._tokenizer.get_vocab()
        self._opens, self._closes = vocabulary["[CLS]"], vocabulary["[SEP]"]
        self._session = _session(folder / "model.onnx")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="classifier")

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        """Probabilities per label; of a text in several windows the strongest decides. Raises ClassifierError.

        What a comment is scored together with makes no difference: a second reading comes out the same.
        """
        strongest = np.full((len(comments), len(self._labels)), -np.inf, dtype=np.float32)
        for at, logits, _features in self._runs(comments):
            np.maximum.at(strongest, at, logits)
        probabilities = 1 / (1 + np.exp(-strongest))
        return [dict(zip(self._labels, row, strict=True)) for row in probabilities.tolist()]

    def features(self, comments: Sequence[Comment]) -> tuple[Floats, Floats]:
        """Calibrated logits (comments, 12) and what they are a linear function of (comments, 768).

        Of a text in several windows, those of the window with the highest logit. Raises ClassifierError.
        """
        best = np.full(len(comments), -np.inf)
        chosen: list[tuple[Floats, Floats]] = [(_NOTHING, _NOTHING)] * len(comments)
        for at, logits, features in self._runs(comments):
            for comment, mine, seen in zip(at, logits, features, strict=True):
                if mine.max() > best[comment]:
                    best[comment], chosen[comment] = mine.max(), (mine, seen)
        return np.array([each for each, _ in chosen]), np.array([each for _, each in chosen])

    def _runs(self, comments: Sequence[Comment]) -> Iterator[tuple[list[int], Floats, Floats]]:
        """Batch by batch: of which comment each window is, its logits, calibrated and tuned, and its features."""
        read = [
            self._windows(text, parent)
            for text, parent in zip(
                self._tokens([each.text for each in comments]),
                self._tokens([each.parent or "" for each in comments]),
                strict=True,
            )
        ]
        of = [comment for comment, windows in enumerate(read) for _ in windows]
        windows = [window for each in read for window in each]
        batches = list(_batches(windows))
        feeds = [pack([windows[i] for i in batch]) for batch in batches]
        for batch, (logits, features) in zip(batches, self._threads.map(self._run, feeds), strict=True):
            calibrated = logits * self._slope + self._shift
            adjusted = self._tuning.adjust(calibrated, features) if self._tuning else calibrated
            yield [of[i] for i in batch], adjusted, features

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        plain = [fold(text).text if text else "" for text in texts]
        return [each.ids for each in self._tokenizer.encode_batch_fast(plain, add_special_tokens=False)]

    def _windows(self, ids: list[int], parent: list[int]) -> list[Window]:
        """The text in windows, each followed by the beginning of what it answers."""
        parts = [ids]
        if len(ids) > self._longest - 2:
            parts = [ids[start : start + WINDOW] for start in range(0, len(ids) - OVERLAP, WINDOW - OVERLAP)]
        if len(parts) > WINDOWS:
            parts = parts[: WINDOWS * 3 // 4] + parts[-WINDOWS // 4 :]
        answered = [*parent[: PARENT - 1], self._closes] if parent else []
        return [Window([self._opens, *part, self._closes, *answered], len(part) + 2) for part in parts]

    def _run(self, feeds: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
        try:
            logits, features = self._session.run(["logits", "features"], feeds)
        except FAILURES as error:
            raise ClassifierError(f"the model failed: {error}") from error
        return logits, features


def pack(windows: Sequence[Window]) -> dict[str, NDArray[Any]]:
    """What the graph reads (training/graph.py): the windows' tokens one after the other, and where they belong."""
    lengths = np.array([len(window.ids) for window in windows])
    width = _width(int(lengths.max()))
    row = np.repeat(np.arange(len(windows)), lengths)
    ends = np.cumsum(lengths)
    position = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    own = np.array([window.spoken for window in windows])
    into = np.zeros((len(windows), width), dtype=np.int64)
    into[row, position] = np.arange(ends[-1])
    return {
        "tokens": np.array([token for window in windows for token in window.ids], dtype=np.int64),
        "places": position + SEGMENT * (position >= own[row]),
        "into": into,
        "back": row * width + position,
        "there": (np.arange(width) < lengths[:, None]).astype(np.float32),
        "spoken": (np.arange(width) < own[:, None]).astype(np.float32),
    }


def _batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Indices of windows to run together: of one width each, so that a text's own length alone decides; long first,
    so that no thread is left with a long one at the end.
    """

    def width(index: int) -> int:
        return _width(len(windows[index].ids))

    for each, group in groupby(sorted(range(len(windows)), key=width, reverse=True), key=width):
        same, size = list(group), max(1, BATCH // each)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _width(length: int) -> int:
    return -(-length // STEP) * STEP


def _tokenizer(file: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # it raises nothing narrower
        raise ValueError(f"{file.name}: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _session(file: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # two runs at a time keep two cores busier than one run on both
    # The graph is written as it is to be run: further fusions are slower here (SkipLayerNormalization four times).
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_cpu_mem_arena = False  # texts differ in length: the arena would only grow
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def load(folder: Path = MODEL, tuning: Tuning | None = None) -> LocalModel:
    """The model in `folder`, tuned by what a school's corrections taught, if any.

    Raises ClassifierError when a file is missing, damaged or does not fit, and TuningError when the tuning is of
    another model.
    """
    manifest = _checked(folder)
    try:
        if tuning and tuning.model != manifest["version"]:
            raise TuningError(
                f"the tuning of {tuning.made_at:%d %B %Y} fits model {tuning.model}, and this is "
                f"{manifest['version']}. Run `schoolwatch tune` again"
            )
        model = LocalModel(folder, manifest, tuning)
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
