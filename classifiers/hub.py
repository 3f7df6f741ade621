"""Any sequence classification model of transformers, by folder or name, for a school that wants a larger one.

It needs PyTorch (extra `torch`) and, in the configuration, what each of the model's labels means here. Nothing is
downloaded unless the configuration says so, no code of a model's own is run, weights are read as safetensors only.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers import lexicon
from classifiers.fold import fold
from classifiers.threshold import Threshold
from monitor.domain.errors import ClassifierError, ConfigError
from monitor.domain.verdict import Comment, Label, Scores

#: A long text is read in windows of so many tokens (fewer if the model takes fewer), which overlap.
WINDOW, OVERLAP = 128, 32
#: Windows read of one text, some 5,000 words; of a longer one the beginning and the end.
WINDOWS = 64
#: Windows that are scored in one run.
BATCH = 16
THREADS = 2
#: For labels of which the configuration gives no threshold.
USUAL = Threshold(over=0.5, possibly=0.3)

log = logging.getLogger(__name__)


class Options(BaseModel):
    """What the configuration says of the model: `classifier_options` in school.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: str | Path
    #: The model's label -> ours, or None for one that means nothing here. Every label of the model is to be named.
    labels: dict[str, Label | None] = Field(min_length=1)
    #: Branch, tag or commit of a model that is given by name.
    revision: str | None = None
    thresholds: dict[Label, Threshold] = {}
    device: str = "cpu"
    download: bool = False

    @property
    def name(self) -> str:
        return Path(self.model).name if Path(self.model).is_dir() else str(self.model)


class HubModel:
    """Implements Scorer. Thread-safe: only the tokenizer is not, and one thread at a time uses it."""

    name = "hub"

    def __init__(self, torch: Any, tokenizer: Any, network: Any, options: Options) -> None:
        self._torch, self._tokenizer, self._network, self._called = torch, tokenizer, network, options.name
        self._tokenizing = Lock()
        self._columns = columns(network.config, options)
        self._softmax = exclusive(network.config)
        self._window = min(WINDOW, tokenizer.model_max_length, _longest(network.config))
        self._words = lexicon.load()
        #: The labels that the model does not know.
        self.unknown = tuple(label for label in Label if label not in self._columns)
        self.thresholds: Mapping[Label, Threshold] = {
            label: options.thresholds.get(label, USUAL if label in self._columns else self._words.thresholds[label])
            for label in Label
        }
        self.version = self._version(options)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a school should know of it, a sentence each."""
        if not self.unknown:
            return ()
        missing = ", ".join(self.unknown)
        return (f"the classifier {self._called} does not know {missing}: the word list alone scores these",)

    def score(self, comments: Sequence[Comment]) -> list[Scores]:
        """Probabilities per label; of a text in several windows the strongest decides. Raises ClassifierError.

        The parent comment is not read: other people's models know nothing of it.
        """
        strongest = np.zeros((len(comments), len(self._columns)))
        try:
            for at, probabilities in self._runs([fold(comment.text).text for comment in comments]):
                np.maximum.at(strongest, at, probabilities)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise ClassifierError(f"the model {self._called} failed: {_line(error)}") from error
        if not np.isfinite(strongest).all():
            raise ClassifierError(f"the model {self._called} failed: it gave scores that are no numbers")
        rows = strongest.round(4).tolist()  # in other company the last digits would differ
        return [
            {**words, **dict(zip(self._columns, row, strict=True))}
            for words, row in zip(self._words.score(comments), rows, strict=True)
        ]

    def _runs(self, texts: Sequence[str]) -> Iterator[tuple[list[int], NDArray[np.floating[Any]]]]:
        """Batch by batch: of which text each window is, and its probabilities for the labels that are known."""
        windows = sorted(self._windows(texts), key=lambda each: len(each[1]["input_ids"]))
        for start in range(0, len(windows), BATCH):
            batch = windows[start : start + BATCH]
            yield [index for index, _ in batch], self._run([window for _, window in batch])

    def _windows(self, texts: Sequence[str]) -> Iterator[tuple[int, dict[str, list[int]]]]:
        """What the network reads of each text, in order, with the text's index."""
        if not texts:
            return
        with self._tokenizing:
            read = self._tokenizer(
                list(texts),
                truncation=True,
                max_length=self._window,
                stride=min(OVERLAP, self._window // 4),
                return_overflowing_tokens=True,
            )
        names = [name for name in self._tokenizer.model_input_names if name in read]
        rows = enumerate(read["overflow_to_sample_mapping"])
        for text, group in groupby(rows, key=lambda each: each[1]):
            places = [row for row, _ in group]
            if len(places) > WINDOWS:
                places = places[: WINDOWS * 3 // 4] + places[-WINDOWS // 4 :]
            yield from ((text, {name: read[name][row] for name in names}) for row in places)

    def _run(self, windows: Sequence[dict[str, list[int]]]) -> NDArray[np.floating[Any]]:
        with self._tokenizing:
            padded = self._tokenizer.pad(list(windows), return_tensors="pt")
        with self._torch.inference_mode():
            logits = self._network(**padded.to(self._network.device)).logits.float()
            each = logits.softmax(1) if self._softmax else logits.sigmoid()
        # Of labels that exclude one another the sum is the probability of any; of others the likeliest speaks.
        merge = np.sum if self._softmax else np.max
        found = each.cpu().numpy()
        return np.stack([merge(found[:, places], axis=1) for places in self._columns.values()], axis=1)

    def _version(self, options: Options) -> str:
        """The model's name, a hash of all that a score depends on, and the labels that the word list scores."""
        digest = sha256(options.model_dump_json(include={"labels", "thresholds"}).encode())
        digest.update(self._tokenizer.backend_tokenizer.to_str().encode())
        for name, tensor in sorted(self._network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().reshape(-1).view(self._torch.uint8).numpy())
        return "/".join(
            [f"{self._called}@{digest.hexdigest()[:12]}", *(f"words:{label}" for label in self.unknown)]
        )


def load(
    *,
    model: str | Path,
    labels: Mapping[str, str | None],
    revision: str | None = None,
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
    device: str = "cpu",
    download: bool = False,
) -> HubModel:
    """The model in the folder `model`, or of that name in the local cache of the Hugging Face Hub.

    Raises ConfigError where `labels` or another option does not fit, ClassifierError where PyTorch or the model is
    missing, damaged, without a trained head or only to be had by running its own code.
    """
    given = {"model": model, "labels": labels, "revision": revision, "device": device, "download": download}
    try:
        options = Options.model_validate({**given, "thresholds": thresholds or {}})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"classifier_options: {place}: {first['msg']}") from error
    try:
        import torch
    except ImportError as error:
        raise ClassifierError(
            "PyTorch is not installed: pip install 'schoolwatch[torch]' (docs/classifiers.md)"
        ) from error
    torch.set_num_threads(THREADS)
    hub = HubModel(torch, *_loaded(torch, options), options)
    log.info("classifier model %s loaded", hub.version)
    return hub


def _loaded(torch: Any, options: Options) -> tuple[Any, Any]:
    """Tokenizer and network. Raises ClassifierError."""
    from huggingface_hub import constants
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging as chatter

    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    constants.HF_HUB_OFFLINE = not options.download  # local_files_only alone still asks the hub this and that
    where = {
        "pretrained_model_name_or_path": options.model,
        "revision": options.revision or "main",
        "local_files_only": not options.download,
        "trust_remote_code": False,
    }
    try:
        tokenizer = AutoTokenizer.from_pretrained(**where)
        network, found = AutoModelForSequenceClassification.from_pretrained(
            **where, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        network.eval().to(options.device)
    except Exception as error:  # transformers, tokenizers, safetensors and torch raise nothing narrower in common
        raise ClassifierError(_why_not(options, error)) from error
    if found["missing_keys"] or found["mismatched_keys"]:
        raise ClassifierError(
            f"the model {options.name} is no trained classifier: "
            f"its weights lack {', '.join(sorted(map(str, found['missing_keys'] or found['mismatched_keys'])))}"
        )
    if not tokenizer.is_fast or tokenizer.pad_token is None:
        raise ClassifierError(f"the model {options.name} has no fast tokenizer with a padding token")
    return tokenizer, network


def _why_not(options: Options, error: Exception) -> str:
    if isinstance(error, OSError) and not Path(options.model).is_dir() and not options.download:
        return (
            f"the model {options.name} is not on this computer: give the path of its folder, "
            "or allow it to be fetched with download: true"
        )
    return f"the model {options.name} cannot be loaded: {_line(error)}"


def columns(config: Any, options: Options) -> dict[Label, list[int]]:
    """Our labels that the model knows, in our order, and its outputs for each."""
    theirs = {str(name): index for index, name in config.id2label.items()}
    if unmapped := sorted(theirs.keys() - options.labels.keys()):
        raise ConfigError(
            f"classifier_options: labels: say what {', '.join(unmapped)} of {options.name} means here, or null"
        )
    if strange := sorted(options.labels.keys() - theirs.keys()):
        raise ConfigError(
            f"classifier_options: labels: {options.name} has no {', '.join(strange)}, only {', '.join(theirs)}"
        )
    columns = {label: [theirs[name] for name, ours in options.labels.items() if ours is label] for label in Label}
    if not any(columns.values()):
        raise ConfigError(f"classifier_options: labels: nothing that {options.name} finds would count")
    return {label: places for label, places in columns.items() if places}


def _longest(config: Any) -> int:
    """Tokens that the network takes; some count two positions that are never used."""
    return int(getattr(config, "max_position_embeddings", 512)) - 2


def exclusive(config: Any) -> bool:
    """Whether the model's labels exclude one another. Raises ClassifierError for a model of numbers."""
    if config.problem_type == "regression":
        raise ClassifierError("a regression model gives no probabilities of labels")
    return config.problem_type != "multi_label_classification" and len(config.id2label) > 1


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
