"""The ways in which people speak of somebody by the job: "the y4 teacher", "attendance lady", "head of year 9"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from classifiers.surroundings import Words, words_of
from classifiers.vocabulary import groups, rows, words

#: How surely somebody is meant by the role as the roster has it, by other words for it, by what it is about.
AS_WRITTEN, IN_OTHER_WORDS, BY_AREA = 0.8, 0.75, 0.65


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a role: `noun` says what it is and `area` what it is about; it `heads` maths as "head of maths"."""

    area: Words
    noun: Words
    heads: bool = False

    @property
    def written(self) -> str:
        parts = (*self.noun, "of", *self.area) if self.heads else (*self.area, *self.noun)
        return " ".join(parts)

    @property
    def about(self) -> bool:
        """Whether it is about something, and not just the school's: "school cook"."""
        return self.area not in ((), ("school",))

    @property
    def of_a_class(self) -> bool:
        return self.area[:1] == ("year",) or self.area == ("reception",)


def jobs_of(role: str) -> list[Job]:
    """The jobs of a role: "history and RE teacher" is two, and so is "vicar and chair of governors"."""
    parts = [_job(words_of(part)) for part in re.split(r"[,;/&]| and | in (?=year|reception)", role.lower())]
    jobs: list[Job] = []
    waiting: list[Words] = []
    for place, part in enumerate(parts):
        later = any(each.noun for each in parts[place:])
        if part.noun:
            jobs += [Job(_like(area, part.area), part.noun) for area in waiting]
            jobs.append(part)
            waiting = []
        elif jobs and (part.of_a_class or not later):
            bare = not jobs[-1].area and part.of_a_class
            jobs.append(Job(part.area, (jobs.pop() if bare else jobs[-1]).noun))
        elif part.area:
            waiting.append(part.area)
    return jobs


def _job(said: Words) -> Job:
    if said[1:2] == ("of",) and said[2:] and " ".join(said) not in words("nouns"):
        return Job(said[2:], said[:1], heads=True)
    for start in range(len(said)):
        if " ".join(said[start:]) in words("nouns"):
            return Job(_area(said[:start]), said[start:])
    return Job(_area(said), ())


def _area(said: Words) -> Words:
    said = ("year", *said) if said and said[0].isdigit() else said[said[:1] == ("the",) :]
    return said[:-1] if said[-1:] == ("class",) else said


def _like(area: Words, whole: Words) -> Words:
    """ "breakfast" beside "after school club" is the breakfast club."""
    return (*area, whole[-1]) if len(area) < len(whole) and whole[-1] == "club" else area


def wordings(job: Job, gender: str) -> Iterator[tuple[Words, float]]:
    """What the job may be called, and how surely it is meant. `gender`: see fitting()."""
    written = job.written
    yield words_of(written), AS_WRITTEN
    others = (words_of(other) for other in _in_other_words(written, job) if _says(other) in (None, gender))
    yield from ((other, IN_OTHER_WORDS) for other in others)
    for area in areas_like(job.area) if job.about else ():
        yield (*area, *(("teacher",) if job.heads else job.noun)), BY_AREA if job.heads else IN_OTHER_WORDS
        if not job.heads and area[0] not in words("peoples"):
            yield from (((*area, person), BY_AREA) for person in people_of(gender))
    if job.of_a_class:
        for noun in {" ".join(job.noun), *_same(" ".join(job.noun))}:
            yield from (((*words_of(noun), between, *job.area), IN_OTHER_WORDS) for between in ("in", "of", "for"))
    if job.noun[-1] in words("alone"):
        yield job.noun[-1:], BY_AREA


def areas_like(area: Words) -> list[Words]:
    """The area, and what else it is called."""
    said = " ".join(area)
    return [area, *(words_of(other) for row in rows("same_area") if said in row for other in row if other != said)]


@cache
def fitting(name: str, gender: str) -> frozenset[str]:
    """The words of groups(`name`) for a "woman" or a "man"; for somebody of gender "any" all of them."""
    by_gender = groups(name)
    own = by_gender.values() if gender == "any" else (by_gender[gender], by_gender["any"])
    return frozenset[str]().union(*own)


def people_of(gender: str) -> frozenset[str]:
    """ "woman", "lady"; "man", "bloke" …; for somebody of gender "any" all of them."""
    people = groups("persons")
    return people["woman"] | people["man"] if gender == "any" else people[gender]


def _in_other_words(written: str, job: Job) -> set[str]:
    """Its other names, of a class with the class: "year 4 ta"."""
    noun = " ".join(job.noun)
    others = _same(written)
    if job.of_a_class or job.area == ("school",):
        prefix = written.removesuffix(noun)
        others |= {(prefix if job.of_a_class else "") + other for other in {noun, *_same(noun)}}
    return others - {written}


def _says(job: str) -> str | None:
    """ "man" or "woman" for "lollipop man" and "headmistress"."""
    ends = ((gender, end) for gender, ends in groups("says_gender").items() for end in ends)
    return next((gender for gender, end in ends if job.endswith(end) and not job.endswith("wo" + end)), None)


def _same(job: str) -> set[str]:
    return {other for row in rows("same_job") if job in row for other in row}
