"""The comments written for this product (comments/README.md): one folder a school, with its roster.

The same shape as any labelled file that `schoolwatch evaluate` reads.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import yaml

from classifiers.training.samples import LABELS, Sample, sample
from monitor.domain.verdict import Label

COMMENTS = Path(__file__).with_name("comments")
#: The share of the comments, in per cent, that no model learns from: calibration and thresholds are chosen on it.
HELD_BACK = 12


@dataclass(frozen=True, slots=True)
class Written:
    """A written comment with its labels, all of them annotated, and the words of the names that stand in it."""

    id: str
    school: str
    text: str
    parent: str | None
    labels: frozenset[Label]
    names: tuple[str, ...]

    @property
    def held_back(self) -> bool:
        """Decided by the id alone, so that a comment never changes sides when others are added."""
        return int(sha256(self.id.encode()).hexdigest()[:8], 16) % 100 < HELD_BACK

    def sample(self, text: str | None = None) -> Sample:
        """The sample it makes, or that a variant `text` of it makes."""
        known = {label: label in self.labels for label in LABELS}
        return sample(self.text if text is None else text, known, self.parent)


def written(root: Path = COMMENTS) -> list[Written]:
    """All written comments, school by school."""
    return [comment for folder in sorted(root.iterdir()) if folder.is_dir() for comment in _school(folder)]


def _school(folder: Path) -> Iterator[Written]:
    roster = yaml.safe_load((folder / "roster.yaml").read_text(encoding="utf-8"))
    words = {person["id"]: tuple(person["name"].split()) for person in roster}
    for line in (folder / "comments.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Written(
            id=row["id"],
            school=folder.name,
            text=row["text"],
            parent=row.get("parent"),
            labels=frozenset(map(Label, row["labels"])),
            names=tuple(word for person in row["names"] for word in words[person]),
        )
