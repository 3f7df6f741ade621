"""What a case is, and where the cases are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifiers.reader import load_reader
from monitor.domain.people import Person
from monitor.domain.verdict import Comment, Label, Reading

HERE = Path(__file__).parent
_KEYS = {"id", "text", "parent", "must", "mustnt", "possible", "clear", "names"}
#: `mustnt: others` forbids every label that is neither in `must` nor in `possible`.
_OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A comment and what its reading must be. `id` says the capability and what is probed: "negation/not-a-liar".

    `must` are to be among the reading's labels and `mustnt` are not (they may stay in doubt); `possible` are to be
    labels or in doubt, and `clear` neither. `names` are all the people it names, None where that is not tested.
    """

    id: str
    comment: Comment
    must: frozenset[Label] = frozenset()
    mustnt: frozenset[Label] = frozenset()
    possible: frozenset[Label] = frozenset()
    clear: frozenset[Label] = frozenset()
    names: frozenset[str] | None = None

    @property
    def capability(self) -> str:
        return self.id.partition("/")[0]

    def failings(self, reading: Reading) -> list[str]:
        """What is wrong with `reading`, one phrase each; none for a case that passes."""
        labels, noticed = set(reading.labels), {*reading.labels, *reading.doubt}
        wrong = [("misses", self.must - labels), ("takes it for", self.mustnt & labels)]
        wrong += [("rules out", self.possible - noticed), ("suspects", self.clear & noticed)]
        phrases = [f"{what} {_scored(those, reading)}" for what, those in wrong if those]
        named = {hit.person for hit in reading.names}
        if self.names is not None and named != self.names:
            phrases.append(f"names {_listed(named)}, not {_listed(self.names)}")
        return phrases


def _scored(labels: Collection[Label], reading: Reading) -> str:
    return ", ".join(f"{label} ({reading.scores[label]:.2f})" for label in sorted(labels))


def _listed(people: Collection[str]) -> str:
    return ", ".join(sorted(people)) or "nobody"


@cache
def cases() -> tuple[Case, ...]:
    """The cases of all files. Raises ValueError for one that is not written as it should be."""
    found = tuple(case for file in sorted((HERE / "cases").glob("*.yaml")) for case in _file(file))
    if len({case.id for case in found}) < len(found):
        raise ValueError("two cases have one id")
    return found


def _file(file: Path) -> Iterator[Case]:
    for row in yaml.safe_load(file.read_text(encoding="utf-8")):
        try:
            yield _case(file.stem, row)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{file.name}: {row}: {error}") from error


def _case(capability: str, row: Mapping[str, Any]) -> Case:
    if unknown := row.keys() - _KEYS:
        raise ValueError(f"a case has no {', '.join(sorted(unknown))}")
    must, possible, clear = (frozenset(map(Label, row.get(key, ()))) for key in ("must", "possible", "clear"))
    mustnt = row.get("mustnt", ())
    forbidden = set(Label) - must - possible if mustnt == _OTHERS else set(map(Label, mustnt))
    if forbidden & (must | possible) or not (must or possible or forbidden or clear or "names" in row):
        raise ValueError("it asks for nothing, or for a label and its absence")
    names = frozenset(row["names"]) if "names" in row else None
    if names and not names <= {person.id for person in roster()}:
        raise ValueError("it names somebody who is not on the roster")
    return Case(
        id=f"{capability}/{row['id']}",
        comment=Comment(text=row["text"], parent=row.get("parent")),
        must=must,
        mustnt=frozenset(forbidden),
        possible=possible,
        clear=clear,
        names=names,
    )


@cache
def roster() -> tuple[Person, ...]:
    """The people of the school that the cases speak of."""
    rows = yaml.safe_load((HERE / "roster.yaml").read_text(encoding="utf-8"))
    return tuple(Person(**{**row, "aliases": tuple(row["aliases"])}) for row in rows)


def read(those: Sequence[Case]) -> dict[str, Reading]:
    """The shipped model's reading of each case, by id, in one batch. Raises RuntimeError without the model."""
    reader = load_reader("local", roster(), explains=False)
    readings = reader.read([case.comment for case in those])
    if reader.problem:
        raise RuntimeError(reader.problem)
    return {case.id: reading for case, reading in zip(those, readings, strict=True)}
