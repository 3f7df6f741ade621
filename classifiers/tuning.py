"""What a school's corrections change in the model: weights on its features, shifts and thresholds; and their file.

A tuning fits the version of the model that it was made for and no other. Its file is JSON; a hash over its content
tells a damaged or edited one from what `schoolwatch tune` wrote.
"""

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.threshold import Threshold
from monitor.domain.clock import format_instant, parse_instant
from monitor.domain.errors import ConfigError
from monitor.domain.verdict import Label

LABELS = tuple(Label)
#: Numbers that the model computes of a text before its last layer.
FEATURES = 768
#: The number of this format; a file of another is refused.
FORMAT = 1
_REMEDY = "Run `schoolwatch tune --undo`, or tune again."

Floats = NDArray[np.floating[Any]]


class TuningError(ConfigError):
    """A tuning cannot be used, made or undone."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """`weights` (12, 768) and `shift` (12,), in the order of Label, zero where nothing was learnt.

    `model` is the version that it fits, `made_at` UTC, `comments` the number of corrections it was made from.
    `figures` are those of the comments held back: name → (before, after).
    """

    model: str
    made_at: datetime
    comments: int
    weights: Floats
    shift: Floats
    thresholds: Mapping[Label, Threshold]
    figures: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        if self.weights.shape != (len(LABELS), FEATURES) or self.shift.shape != (len(LABELS),):
            raise ValueError("its weights have another shape than the model's last layer")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.shift).all()):
            raise ValueError("a weight is no number")
        if set(self.thresholds) != set(LABELS):
            raise ValueError("it has not one threshold a label")

    @cached_property
    def version(self) -> str:
        """Eight hexadecimal digits of what it does to scores and labels."""
        return _digest({key: self._document()[key] for key in ("model", "weights", "shift", "thresholds")})[:8]

    def adjust(self, logits: Floats, features: Floats) -> Floats:
        """Calibrated logits (n, 12), given the features (n, 768) that they were computed from.

        Summed row by row: a matrix product adds up one row in another order than many, and what a comment is read
        together with is to make no difference.
        """
        learnt = (features[:, None, :] * self.weights.astype(features.dtype)).sum(axis=2)
        adjusted: Floats = logits + (learnt + self.shift).astype(logits.dtype)
        return adjusted

    def write(self, file: Path) -> None:
        """Atomically: the file is there whole or not at all."""
        document = self._document()
        content = json.dumps({"sha256": _digest(document), "tuning": document}, indent=1) + "\n"
        handle, name = tempfile.mkstemp(dir=file.parent)  # 0600 from the start
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": self.model,
            "made_at": format_instant(self.made_at),
            "comments": self.comments,
            "figures": {name: list(pair) for name, pair in self.figures.items()},
            "thresholds": {
                label: [self.thresholds[label].over, self.thresholds[label].possibly] for label in LABELS
            },
            "shift": [float(each) for each in self.shift],
            "weights": base64.b64encode(self.weights.astype("<f4").tobytes()).decode(),
        }


def read_tuning(file: Path) -> Tuning:
    """Raises TuningError where the file cannot be read or is not as it was written."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        document, expected = record["tuning"], record["sha256"]
        if _digest(document) != expected:
            raise TuningError(
                f"the tuning {file.name} is damaged: its SHA-256 is not that of its content. {_REMEDY}"
            )
        if document["format"] != FORMAT:
            raise TuningError(f"the tuning {file.name} has a format that this version does not read. {_REMEDY}")
        return _tuning(document)
    except OSError as error:
        raise TuningError(f"the tuning {file.name} cannot be read ({error.strerror}). {_REMEDY}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TuningError(f"the tuning {file.name} is damaged ({error}). {_REMEDY}") from error


class Tunings:
    """A school's tunings: numbered files in one folder. The last is in use; one that was undone is kept aside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self) -> Path | None:
        """The file in use, if any."""
        return max(self._folder.glob("[0-9][0-9][0-9][0-9].json"), default=None)

    def in_use(self) -> Tuning | None:
        """None where the model is used as it was shipped. Raises TuningError."""
        file = self.last()
        return read_tuning(file) if file else None

    def keep(self, tuning: Tuning) -> Path:
        """Make `tuning` the one in use, after those that there are."""
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(file.stem) for file in self._folder.glob("[0-9][0-9][0-9][0-9].*")]
        file = self._folder / f"{max(numbers, default=0) + 1:04}.json"
        tuning.write(file)
        return file

    def undo(self) -> Path:
        """Go back to the one before, or to the model as it was shipped; the file that is put aside, under its new
        name. Raises TuningError where there is none.
        """
        file = self.last()
        if file is None:
            raise TuningError("there is no tuning to undo: the model is used as it was shipped")
        return file.rename(file.with_suffix(".undone"))


def _tuning(document: Mapping[str, Any]) -> Tuning:
    weights = np.frombuffer(base64.b64decode(document["weights"], validate=True), dtype="<f4")
    return Tuning(
        model=str(document["model"]),
        made_at=parse_instant(document["made_at"]),
        comments=int(document["comments"]),
        weights=weights.reshape(len(LABELS), FEATURES),
        shift=np.array(document["shift"], dtype=np.float64),
        thresholds={Label(label): Threshold(*pair) for label, pair in document["thresholds"].items()},
        figures={name: (float(before), float(after)) for name, (before, after) in document["figures"].items()},
    )


def _digest(document: Mapping[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
