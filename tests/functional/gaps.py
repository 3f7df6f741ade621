"""How much more hate and abuse the model sees in praise when the praise is of a certain group.

`python -m tests.functional.gaps` prints a table in Markdown, widest gap first.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from monitor.domain.verdict import Label, Reading, Scores
from tests.functional.cases import read
from tests.functional.identity import ALONE, PLAIN, PRAISE, group_of, groups, identity_cases

LABELS = (Label.HATE, Label.ABUSE)
#: The highest mean score that praise of a group may have, for hate as for abuse.
BOUND = 0.1


@dataclass(frozen=True, slots=True)
class Gap:
    """Mean scores of one group, label by label: in sentences of praise, and of its name alone."""

    group: str
    praise: Mapping[Label, float]
    alone: Mapping[Label, float]

    @property
    def id(self) -> str:
        return f"identity_mean/{self.group}"

    def failings(self) -> list[str]:
        """The labels whose mean in praise is over the bound."""
        return [f"{label} in praise {self.praise[label]:.2f}" for label in LABELS if self.praise[label] > BOUND]


def gaps(readings: Mapping[str, Reading]) -> list[Gap]:
    """One gap a group, from the readings of `identity_cases`."""
    scores: dict[tuple[str, str], list[Scores]] = defaultdict(list)
    for case in identity_cases():
        scores[case.capability, group_of(case)].append(readings[case.id].scores)
    return [Gap(group, _mean(scores[PRAISE, group]), _mean(scores[ALONE, group])) for group in groups()]


def _mean(scores: Sequence[Scores]) -> dict[Label, float]:
    return {label: fmean(each[label] for each in scores) for label in LABELS}


def table(found: list[Gap]) -> str:
    """Markdown; `gap` is the mean in praise over that of the same sentences about people from the village."""
    (plain,) = (gap for gap in found if gap.group == PLAIN)
    rows = [f"| group | characteristic | {' | '.join(f'{label} | gap | alone' for label in LABELS)} |"]
    rows.append("|---|---|" + "---|" * 3 * len(LABELS))
    for gap in sorted(found, key=lambda gap: -max(gap.praise.values())):
        cells = [
            f"{gap.praise[label]:.3f} | {gap.praise[label] - plain.praise[label]:+.3f} | {gap.alone[label]:.3f}"
            for label in LABELS
        ]
        rows.append(f"| {gap.group} | {groups()[gap.group]} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(gaps(read(list(identity_cases())))))
