"""How far a second, blind reading agrees with the first: `python -m classifiers.training.agreement`.

second-reading.jsonl holds what the second annotator said of a tenth of the comments, having seen text, parent and
roster only; it is kept as it was said, also where the first reading was corrected by it afterwards (`first`).
Agreement is Cohen's kappa per label (Cohen 1960): 1 is perfect, 0 is chance.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.training.samples import LABELS
from classifiers.training.written import COMMENTS

SECOND = COMMENTS / "second-reading.jsonl"


@dataclass(frozen=True, slots=True)
class Twice:
    """A comment's labels and names as the first and the second annotator gave them."""

    id: str
    first: frozenset[str]
    second: frozenset[str]
    first_names: frozenset[str]
    second_names: frozenset[str]


def twice_read() -> list[Twice]:
    """Every comment that was read twice."""
    rows = map(json.loads, SECOND.read_text(encoding="utf-8").splitlines())
    return [
        Twice(
            row["id"],
            frozenset(row["first"]),
            frozenset(row["labels"]),
            frozenset(row["first_names"]),
            frozenset(row["names"]),
        )
        for row in rows
    ]


def kappa(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Cohen's kappa of two annotators' yes and no; 1 where both always say the same."""
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    yes = sum(first) / count * sum(second) / count
    chance = yes + (1 - sum(first) / count) * (1 - sum(second) / count)
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def main() -> None:
    comments = twice_read()
    print("| label | first | second | both | kappa |\n|---|---|---|---|---|")
    for label in LABELS:
        first, second = [label in each.first for each in comments], [label in each.second for each in comments]
        both = sum(a and b for a, b in zip(first, second, strict=True))
        print(f"| {label} | {sum(first)} | {sum(second)} | {both} | {kappa(first, second):.2f} |")
    same = sum(each.first == each.second for each in comments)
    names = sum(each.first_names == each.second_names for each in comments)
    print(f"\n{len(comments)} comments read twice: the same labels {same / len(comments):.0%}, ", end="")
    print(f"the same names {names / len(comments):.0%}")


if __name__ == "__main__":
    main()
