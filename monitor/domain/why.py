"""Why a text has its labels, in words: how sure the machine is, what speaks for each, and whom the text names."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.people import Person
from monitor.domain.verdict import NameHit, Reading, Span

_RANK = {"yes": 0, "possibly": 1, "no": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One label's score, 0 to 1, whether it counts ("yes", "possibly", "no"), and the words behind it."""

    label: str
    value: float
    counts: str
    behind: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A person whom the text names; `others` may be meant instead. `score` is None for who is only possible."""

    person: str
    written: str
    score: float | None
    others: Sequence[str]

    @property
    def certain(self) -> bool:
        return self.score is not None and self.score >= 0.75 and not self.others


def scores(text: str, reading: Reading) -> list[Score]:
    """Every label: first what counts, then what is possible, each by score.

    What the word list read alone is never more than possible.
    """
    found = [
        Score(
            label=label,
            value=value,
            counts=_counts(label, reading),
            behind=words_behind(text, reading.spans, label),
        )
        for label, value in reading.scores.items()
    ]
    return sorted(found, key=lambda score: (_RANK[score.counts], -score.value))


def words_behind(text: str, spans: Sequence[Span], label: str) -> list[str]:
    """The different words of `text` that speak for `label`, in order."""
    return list(dict.fromkeys(text[span.start : span.end] for span in spans if span.label == label))


def named(text: str, reading: Reading, people: Sequence[Person]) -> list[Named]:
    """Whom the text names, and then who is only possibly meant and was not said to be meant instead of somebody."""
    surest: dict[str, NameHit] = {}
    for hit in reading.names:
        if hit.person not in surest or hit.score > surest[hit.person].score:
            surest[hit.person] = hit
    found = [
        Named(
            person=who(people, hit.person),
            written=text[hit.start : hit.end],
            score=hit.score,
            others=[who(people, other) for other in hit.ambiguous_with],
        )
        for hit in surest.values()
    ]
    said = {*surest, *(other for hit in surest.values() for other in hit.ambiguous_with)}
    doubted = dict.fromkeys(person for person in reading.names_doubt if person not in said)
    return found + [Named(person=who(people, one), written="", score=None, others=()) for one in doubted]


def who(people: Sequence[Person], person_id: str) -> str:
    """ "Mrs Joan Price, headteacher"."""
    found = next((person for person in people if person.id == person_id), None)
    return introduced(found) if found else f"{person_id} (no longer on the roster)"


def introduced(person: Person) -> str:
    name = f"{person.title} {person.name}".strip()
    return f"{name}, {person.role}" if person.role else name


def _counts(label: str, reading: Reading) -> str:
    if label in reading.labels:
        return "possibly" if reading.provisional else "yes"
    return "possibly" if label in reading.doubt else "no"
