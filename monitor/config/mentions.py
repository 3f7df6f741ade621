"""What the school is called in public, and the assessment that lets mentions of it be looked for (P3, P27)."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated
from urllib.parse import unquote_plus

from pydantic import StringConstraints, field_validator, model_validator

from monitor.config.reading import Closed, Day
from monitor.domain.people import Person

_SHORTEST = 6
#: Words that say what kind of place it is, not which: a search for them finds every school.
_ANY_SCHOOL = frozenset(
    {
        *("a", "and", "my", "of", "our", "st", "saint", "the", "your"),
        *("academy", "college", "nursery", "preschool", "school", "schools"),
        *("church", "city", "community", "county", "first", "free", "grammar", "high", "middle", "town", "village"),
        *("infant", "infants", "junior", "juniors", "primary", "secondary"),
    }
)
_NO_WORD = re.compile(r"[\W_]+")


class Dpia(Closed):
    """The data protection impact assessment of looking for mentions (UK GDPR, article 35)."""

    #: A name, or a role such as "data protection officer".
    approved_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
    approved_on: Day
    #: Where it is filed.
    reference: str = ""


class Mentions(Closed):
    """`mentions:` of school.yaml; what each is for: monitor.domain.mentions.SchoolNames."""

    names: tuple[str, ...] = ()
    misspellings: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    place_needed: bool = False
    dpia: Dpia | None = None

    @field_validator("names", "misspellings")
    @classmethod
    def _finds_this_school(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            if sum(map(str.isalpha, phrase)) < _SHORTEST:
                raise ValueError(
                    f"{phrase!r} is too short to search for: give at least {_SHORTEST} letters, such as the "
                    "school's name with “Primary” or its town"
                )
            if set(_folded(phrase).split()) <= _ANY_SCHOOL:
                raise ValueError(f"{phrase!r} could be any school: add the word that makes the name yours")
        return phrases

    @field_validator("handles", "places", "elsewhere")
    @classmethod
    def _say_something(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if not _folded(text):
                raise ValueError(f"{text!r} has neither letters nor digits: take it out, or complete it")
        return texts

    @model_validator(mode="after")
    def _tells_schools_apart(self) -> "Mentions":
        if self.place_needed and not self.places:
            raise ValueError(
                "place_needed is true, so `places` must say which: the town, the postcode's first half"
            )
        for phrase in (*self.names, *self.misspellings):
            if len(_folded(phrase).split()) == 1 and not self.place_needed:
                raise ValueError(
                    f"{phrase!r} is a single word, which others use too: add “School” or “Primary”, or set "
                    "place_needed: true and list your places"
                )
        return self

    @property
    def searched(self) -> tuple[str, ...]:
        """Whatever platforms are searched for."""
        return (*self.names, *self.misspellings, *self.handles)

    def missing_assessment(self, today: date) -> str | None:
        """Why mentions may not be looked for today, None where they may."""
        if self.dpia is None:
            return (
                "mentions are not read before a data protection impact assessment is recorded: let your data "
                "protection officer approve one, then write who approved it and when into school.yaml, mentions: "
                'dpia: {approved_by: "…", approved_on: "YYYY-MM-DD"}'
            )
        if self.dpia.approved_on > today:
            return (
                "mentions are not read before the data protection impact assessment is approved, which school.yaml "
                f"(mentions, dpia, approved_on) says is on {self.dpia.approved_on:%d %B %Y}: correct the date, or "
                "start again that day"
            )
        return None


def person_in(text: str, people: Sequence[Person]) -> Person | None:
    """The first person whose full name `text` holds, by the roster's name or an alias with the surname (P27)."""
    told = f" {_folded(unquote_plus(text))} "
    for person in people:
        surname = _folded(person.name).split()[-1:]
        names = [_folded(name) for name in (person.name, *person.aliases)]
        if any(f" {name} " in told for name in names if len(name.split()) > 1 and name.split()[-1:] == surname):
            return person
    return None


def texts_in(value: object) -> Iterator[str]:
    """Every text anywhere in an account's options."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from texts_in(part)


def _folded(text: str) -> str:
    """`text` as words between single spaces, without case, accents and signs."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(_NO_WORD.split(plain.casefold())).strip()
