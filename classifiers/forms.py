"""A way of naming somebody, and how it stands among the other ways."""

from dataclasses import dataclass
from enum import StrEnum

from classifiers.vocabulary import rows
from monitor.domain.people import Person


class Kind(StrEnum):
    """How a form names somebody; each needs different care (fitting.py)."""

    FULL = "full name"
    TITLED = "title and name"
    INITIAL = "title or first name and initial"
    ROLE = "role"
    FIRST = "first name"
    SURNAME = "surname"


@dataclass(frozen=True, slots=True)
class Form:
    """`person` may be meant by a certain sequence of words, this surely (0–1)."""

    person: Person
    kind: Kind
    score: float


def seniority(person: Person) -> int:
    """0 for the most senior."""
    role = person.role.lower()
    ladder = rows("seniority")
    return next((place for place, word in enumerate(ladder) if word in role), len(ladder))
