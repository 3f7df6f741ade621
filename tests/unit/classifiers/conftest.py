"""A school's roster full of traps: surnames that are words, two of one surname, accents, halves and initials."""

import pytest

from monitor.domain.people import Person


def person(identity: str, title: str, name: str, role: str, *aliases: str) -> Person:
    return Person(id=identity, name=name, title=title, role=role, aliases=aliases)


ROSTER = (
    person("head", "Mrs", "Susan Young", "headteacher", "the head", "Mrs Y"),
    person("deputy", "Mr", "Rob Bell", "deputy headteacher and designated safeguarding lead", "the deputy"),
    person("year3", "Miss", "Emily Young", "Year 3 teacher"),
    person("year5", "Mr", "Mohammed Al-Rashid", "Year 5 teacher", "Mr A"),
    person("senco", "Miss", "Aoife O'Connor", "SENCo", "Miss O'C"),
    person("site", "Mr", "Łukasz Żółkiewski", "site manager", "Luke", "the caretaker"),
    person("reception", "Ms", "May Thompson", "Reception teacher"),
    person("chair", "Dr", "Dr Peter Grant", "chair of governors"),
    person("cook", "Mrs", "Rose Price", "school cook", "the cook"),
    person("office", "Mrs", "Parveen Patel", "school secretary", "the secretary"),
    person("ta1", "Miss", "Gemma Hill", "teaching assistant, Year 1"),
    person("ta2", "Mrs", "Nia Rhys-Field", "teaching assistant, Year 2"),
)


@pytest.fixture(scope="session")
def roster() -> tuple[Person, ...]:
    return ROSTER
