"""People by what they see to and where they are to be found: "that hag on reception", "who teaches year 5"."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifiers.forms import seniority
from classifiers.jobs import Job, areas_like, fitting
from classifiers.surroundings import Token, Words, words_of
from classifiers.vocabulary import rows, words
from monitor.domain.people import Person

_DETERMINERS = frozenset({"the", "our", "your", "that", "school"})
#: Before "fella on the gate" or "one at the office": nobody of the roster; "in person at the gate".
_NOBODY_YET_KNOWN = frozenset({"new", "no", "any", "another", "in"})
#: "Put a man on the gate": whoever it is to be.
_WANTED = frozenset({"put", "get", "need", "needs", "want", "hire", "send", "find", "employ"})
#: Before "lollipop fossil" and "office cow".
_POINTERS = frozenset({"that", "this", "our", "your", "yon"})
#: In words: how far an area may be from "on", "runs" or "teaches".
_REACH = 6
_PARTS = re.compile(r"[,;/&]| and ")
_WHO = frozenset({"who", "that", "whoever"})


@dataclass(frozen=True, slots=True)
class _Area:
    """What a person sees to. `found` says that people are found there (at a desk, not in a class).

    Of several the one of the lowest `rank` is meant: the receptionist before the office manager.
    """

    words: Words
    person: Person
    gender: str
    found: bool
    taught: bool
    rank: int


class Areas:
    """What each person of a roster sees to."""

    def __init__(self) -> None:
        self._by_last: dict[str, list[_Area]] = defaultdict(list)
        self._links = words("where") | words("runs") | words("teaches")

    def add(self, person: Person, jobs: Sequence[Job], gender: str) -> None:
        """`gender`: see fitting()."""
        if not jobs:  # "gate and minibus"
            known = {words_of(place) for row in rows("areas") for place in row["places"]}
            own = [said for part in _PARTS.split(person.role.lower()) if (said := words_of(part)) in known]
            self._add(own, person, gender, found=True, taught=False, rank=-1)
        for job in jobs:
            for row in rows("areas"):
                ranks = [
                    row["jobs"].index(said) for said in (job.written, " ".join(job.noun)) if said in row["jobs"]
                ]
                if ranks:
                    places = [words_of(place) for place in row["places"]]
                    self._add(places, person, gender, found=True, taught=False, rank=min(ranks))
            if job.about and not job.heads and job.noun[-1] != "governor":
                taught = job.noun == ("teacher",)
                areas = [area for area in areas_like(job.area) if area != ("it",)]
                self._add(areas, person, gender, found=not job.of_a_class, taught=taught)

    def _add(
        self, areas: Sequence[Words], person: Person, gender: str, *, found: bool, taught: bool, rank: int = 0
    ) -> None:
        for area in areas:
            self._by_last[area[-1]].append(_Area(area, person, gender, found, taught, rank))

    def near(self, person: Person, said: Sequence[str]) -> bool:
        """Whether one of the words is what the person sees to: "Dawn on reception"."""
        return any(area.person is person for word in said for area in self._by_last.get(word, ()))

    @property
    def last_words(self) -> frozenset[str]:
        return frozenset(self._by_last)

    def ending_at(self, tokens: Sequence[Token], place: int) -> tuple[list[Person], int]:
        """Who is meant by words that end at `place`, likeliest first, and where they begin; nobody, and `place`."""
        if not any(token.word in self._links for token in tokens[max(0, place - _REACH) : place]):
            return [], place
        starts = [(area, _start(area, tokens, place)) for area in self._by_last.get(tokens[place].word, ())]
        first = min((start for _, start in starts if start is not None), default=place)
        return _people(area for area, start in starts if start == first), first

    def insulted_at(self, tokens: Sequence[Token], place: int) -> list[Person]:
        """Who is meant by what they see to, which ends at `place`, and an insult: "that old lollipop fossil"."""
        if place + 1 >= len(tokens) or tokens[place + 1].gap != " ":
            return []
        insult = tokens[place + 1].word
        if (
            insult not in fitting("insults", "any")
            or insult in words("nouns")
            or _POINTERS.isdisjoint(token.word for token in tokens[max(0, place - 3) : place])
        ):
            return []
        areas = self._by_last.get(tokens[place].word, ())
        return _people(area for area in areas if area.found and insult in fitting("insults", area.gender))


def _people(areas: Iterable[_Area]) -> list[Person]:
    by_rank = sorted(areas, key=lambda area: (area.rank, seniority(area.person)))
    return list({area.person.id: area.person for area in by_rank}.values())


def _start(area: _Area, tokens: Sequence[Token], place: int) -> int | None:
    """Where the words begin that point to the person of `area`, if it is the area that ends at `place`."""
    first = place - len(area.words) + 1
    if first < 1 or tuple(token.word for token in tokens[first : place + 1]) != area.words:
        return None
    link = first - 1
    while link > 0 and (tokens[link].word in _DETERMINERS or tokens[link].capital):  # "from Ashgrove reception"
        link -= 1
    said, subject = tokens[link].word, link - 1
    if said in words("teaches"):
        return link if area.taught and _teaches(tokens, subject, area.gender) else None
    if said in words("runs"):
        return subject if subject >= 0 and _does(tokens[subject], area.gender) else None
    if said in words("where") and area.found:
        return _found(tokens, subject, said, area.gender)
    return None


def _teaches(tokens: Sequence[Token], subject: int, gender: str) -> bool:
    """Whether it is not the writer who teaches, nor somebody of the other gender."""
    said = tokens[subject].word if subject >= 0 else ""
    if said in words("self") or said == "not":
        return False
    return said in fitting("persons", gender) or said not in fitting("persons", "any")


def _does(subject: Token, gender: str) -> bool:
    return (subject.word in _WHO and not subject.owns) or any(
        subject.word in fitting(name, gender) for name in ("persons", "insults", "young", "pronouns")
    )


def _found(tokens: Sequence[Token], subject: int, where: str, gender: str) -> int | None:
    """Where somebody of that gender stands before "on reception"; past "who sits"; no child is in the office."""
    while subject > 0 and tokens[subject].word in words("linking"):
        subject -= 1
    if subject < 0:
        return None
    token = tokens[subject]
    if subject > 0 and tokens[subject - 1].word in _NOBODY_YET_KNOWN:
        return None
    if subject > 1 and tokens[subject - 1].word == "a" and tokens[subject - 2].word in _WANTED:
        return None
    told = token.opens and token.word in fitting(
        "pronouns", gender
    )  # "her on reception", not "saw her in the office"
    young = where in ("on", "off", "at") and token.word in fitting("young", gender)
    named = token.word in fitting("persons", gender) or token.word in fitting("insults", gender)
    return subject if told or young or named else None
