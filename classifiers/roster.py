"""The ways in which a text may name each person of a roster, made once per roster."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifiers.fold import fold
from monitor.domain.people import Person

#: A way of naming somebody, as lower-case words without accents: ("mrs", "price"), ("year", "4", "teacher").
Words = tuple[str, ...]

_WORD = re.compile(r"[a-z]+|\d+")
_YEAR = re.compile(r"\b(?:year|yr|y)\s?(\d{1,2})(?:'?s)?\b")
#: The years of a school in words.
NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}


class Kind(StrEnum):
    """How a form names somebody; each needs different care (names.py)."""

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


@cache
def vocabulary() -> dict[str, Any]:
    """names.yaml: what telling a name from a word takes."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
    loaded["ordinary"] = frozenset(word for row in loaded["ordinary"] for word in row)
    return loaded


def words_of(text: str) -> Words:
    """The words of a name or role: "Ms Ní Bhriain" -> ("ms", "ni", "bhriain"); years of school as ("year", "4")."""
    lower = _YEAR.sub(r" year \1 ", fold(text).text.lower()).replace("'s ", " ")
    return tuple(NUMBERS.get(word, word) for word in _WORD.findall(lower))


def titles_for(title: str) -> dict[str, float]:
    """The titles that may stand before the name of somebody styled `title`, and how well each fits."""
    groups = vocabulary()["titles"]
    own = title.lower().rstrip(".")
    fitting = [group for name, group in groups.items() if own in group or name == "any"]
    if own not in groups["woman"] and own not in groups["man"]:
        fitting = list(groups.values())
    return {word: 1.0 if word == own else 0.85 for group in fitting for word in group}


def seniority(person: Person) -> int:
    """0 for the most senior."""
    role = person.role.lower()
    ladder = vocabulary()["seniority"]
    return next((place for place, word in enumerate(ladder) if word in role), len(ladder))


class Roster:
    """Every form of every person: `forms[words]` are the people meant by these words, best first.

    `surnames` are the words that stand for somebody by themselves; `handles` map what an @handle may hold to whom
    it means.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = tuple(people)
        best: dict[Words, dict[str, Form]] = defaultdict(dict)
        for person in people:
            for words, kind, score in _forms(person):
                known = best[words].get(person.id)
                if words and (known is None or known.score < score):
                    best[words][person.id] = Form(person, kind, score)
        self.forms: dict[Words, list[Form]] = {
            words: sorted(by_person.values(), key=lambda form: (-form.score, seniority(form.person)))
            for words, by_person in best.items()
        }
        for words, forms in list(self.forms.items()):
            if len(forms) > 1 and all(form.kind is Kind.ROLE for form in forms):
                del self.forms[words]  # "the teacher" points to nobody
        self.longest = max(map(len, self.forms), default=0)
        self.surnames = {words[0] for words, forms in self.forms.items() if forms[0].kind is Kind.SURNAME}
        self.handles = _handles(people)


def full_name_of(person: Person) -> Words:
    """The words of the name, without a title that was written into it."""
    words = words_of(person.name)
    titles = {title for group in vocabulary()["titles"].values() for title in group}
    return words[1:] if len(words) > 1 and words[0] in titles else words


def surname_of(person: Person) -> Words:
    """The last word of the name, with the halves of a double-barrelled one and particles ("Ní Bhriain")."""
    last = person.name.split()[-1:]
    parts = person.name.split()
    if len(parts) > 2 and fold(parts[-2]).text.lower() in vocabulary()["particles"]:
        last = parts[-2:]
    return words_of(" ".join(last))


_JOBS = frozenset(job for group in vocabulary()["same_job"] for job in group)


def _forms(person: Person) -> Iterator[tuple[Words, Kind, float]]:
    name, surname = full_name_of(person), surname_of(person)
    first = name[:1] if len(name) > len(surname) else ()
    titles = titles_for(person.title)
    if surname:
        yield from _names(name, first, surname, titles)
    for alias in person.aliases:
        yield from _alias(alias, titles)
    for role in _roles(person):
        yield role, Kind.ROLE, 0.8
        if len(role[-1]) > 5:
            yield (*role[:-1], role[-1] + "s"), Kind.ROLE, 0.7  # "the headteachers house"


def _names(
    name: Words, first: Words, surname: Words, titles: dict[str, float]
) -> Iterator[tuple[Words, Kind, float]]:
    if first:
        yield name, Kind.FULL, 1.0
        yield first + surname, Kind.FULL, 1.0
        yield (*first, surname[0][0]), Kind.INITIAL, 0.8
        yield first, Kind.FIRST, 0.7
    yield surname, Kind.SURNAME, 0.75
    initials = tuple(part[0] for part in surname)
    for title, fit in titles.items():
        yield (title, *surname), Kind.TITLED, fit
        yield (title, *name), Kind.FULL, fit
        yield (title, surname[0][0]), Kind.INITIAL, fit - 0.1
        if first:
            yield (title, *first), Kind.TITLED, fit - 0.1
        if len(surname) > 1:
            yield (title, *initials), Kind.INITIAL, fit - 0.1
            yield (title, "".join(initials)), Kind.INITIAL, fit - 0.1
            for half in surname:
                yield (title, half), Kind.TITLED, fit - 0.3
    if len(surname) > 1:
        yield ("".join(surname),), Kind.SURNAME, 0.75
        for half in surname:
            if len(half) > 3:
                yield (half,), Kind.SURNAME, 0.55


def _alias(alias: str, titles: dict[str, float]) -> Iterator[tuple[Words, Kind, float]]:
    words = words_of(alias)
    if alias.lower().startswith("the ") or alias == alias.lower():
        yield words[words[0] == "the" :], Kind.ROLE, 0.85
    elif len(words) == 1:
        yield words, Kind.FIRST, 0.75
    elif len(words[-1]) <= 2 or (words[0] in titles and len(words) == 3 and len(words[1]) == 1):
        yield words, Kind.INITIAL, 0.95
    else:
        yield words, Kind.FULL, 1.0
        if words[0] not in titles:
            yield words[:1], Kind.FIRST, 0.65


def _roles(person: Person) -> Iterator[Words]:
    """The jobs in `role`, each also in the other words for it: "teaching assistant, Year 4" -> "year 4 ta"."""
    for part in re.split(r" and ", person.role.lower()):
        words = words_of(re.sub(r"^(.+), (year \d+)$", r"\2 \1", part))
        if len(words) < 2 and part not in _JOBS:
            continue
        yield words
        plain = " ".join(words)
        for group in vocabulary()["same_job"]:
            for known in group:
                if plain == known or re.fullmatch(rf"year \d+ {known}", plain):
                    yield from (words_of(plain.removesuffix(known) + other) for other in group)


def _handles(people: Sequence[Person]) -> dict[str, Person]:
    """Strings that, inside an @handle, mean somebody; the more senior of two."""
    handles: dict[str, Person] = {}
    for person in sorted(people, key=seniority):
        name, surname = full_name_of(person), "".join(surname_of(person))
        own = ["".join(words_of(alias)) for alias in person.aliases if alias[:1].isupper()]
        if name:
            own += ["".join(name), name[0] + surname, surname + name[0], name[0][0] + surname]
        if surname not in vocabulary()["ordinary"]:
            own.append(surname)
        for handle in own:
            if len(handle) >= 5:
                handles.setdefault(handle, person)
    return handles
