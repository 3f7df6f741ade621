"""People by what they see to and where they are to be found: "that hag on reception", "who teaches year 5"."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.jobs import Job, areas_like, fitting
from classifiers.surroundings import Token, Words, words_of
from classifiers.vocabulary import rows, words
from monitor.domain.people import Person

_DETERMINERS = frozenset({"the", "our", "your", "that", "school"})
#: Before "fella on the gate" or "one at the office": nobody of the roster.
_NOBODY_YET_KNOWN = frozenset({"new", "no", "any", "another"})
#: In words: how far an area may be from "on", "runs" or "teaches".
_REACH = 6
_WHO = frozenset({"who", "that", "whoever"})


@dataclass(frozen=True, slots=True)
class _Area:
    """What a person sees to. `found` says that people are found there (at a desk, not in a class)."""

    words: Words
    person: Person
    gender: str
    found: bool
    taught: bool


class Areas:
    """What each person of a roster sees to."""

    def __init__(self) -> None:
        self._by_last: dict[str, list[_Area]] = defaultdict(list)
        self._links = words("where") | words("runs") | words("teaches")

    def add(self, person: Person, jobs: Sequence[Job], gender: str) -> None:
        """`gender`: see fitting()."""
        for job in jobs:
            for row in rows("areas"):
                if job.written in row["jobs"] or " ".join(job.noun) in row["jobs"]:
                    self._add(
                        [words_of(place) for place in row["places"]], person, gender, found=True, taught=False
                    )
            if job.about and not job.heads and job.noun[-1] != "governor":
                taught = job.noun == ("teacher",)
                areas = [area for area in areas_like(job.area) if area != ("it",)]
                self._add(areas, person, gender, found=not job.of_a_class, taught=taught)

    def _add(self, areas: Sequence[Words], person: Person, gender: str, *, found: bool, taught: bool) -> None:
        for area in areas:
            self._by_last[area[-1]].append(_Area(area, person, gender, found, taught))

    def near(self, person: Person, said: Sequence[str]) -> bool:
        """Whether one of the words is what the person sees to: "Dawn on reception"."""
        return any(area.person is person for word in said for area in self._by_last.get(word, ()))

    @property
    def last_words(self) -> frozenset[str]:
        return frozenset(self._by_last)

    def ending_at(self, tokens: Sequence[Token], place: int) -> tuple[list[Person], int]:
        """Who is meant by words that end at `place`, and where these begin; nobody, and `place`."""
        if not any(token.word in self._links for token in tokens[max(0, place - _REACH) : place]):
            return [], place
        starts = [(area, _start(area, tokens, place)) for area in self._by_last.get(tokens[place].word, ())]
        first = min((start for _, start in starts if start is not None), default=place)
        return list({area.person.id: area.person for area, start in starts if start == first}.values()), first


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
    if tokens[subject - 1].word in _NOBODY_YET_KNOWN:
        return None
    told = token.opens and token.word in fitting(
        "pronouns", gender
    )  # "her on reception", not "saw her in the office"
    young = where in ("on", "off", "at") and token.word in fitting("young", gender)
    named = token.word in fitting("persons", gender) or token.word in fitting("insults", gender)
    return subject if told or young or named else None
