"""The ways in which a text may name each person of a roster, made once per roster."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from classifiers.areas import Areas
from classifiers.forms import Form, Kind, seniority
from classifiers.jobs import BY_AREA, Job, jobs_of, wordings
from classifiers.surroundings import Words, words_of
from classifiers.vocabulary import groups, titles, words
from monitor.domain.people import Person

#: Of more people than this with one job, naming the job points to nobody.
SHARED = 2


class Roster:
    """Every form of every person: `forms[words]` are the people meant by these words, best first.

    `lengths[word]` are the numbers of words of the forms that begin with `word`, longest first; `surnames` and
    `firsts` are the words that stand for somebody by themselves; `handles` map what an @handle may hold to whom it
    means; `areas` are what people see to.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        best: dict[Words, dict[str, Form]] = defaultdict(dict)
        holders = Counter(noun for person in people for noun in {job.noun for job in jobs_of(person.role)})
        self.areas = Areas()
        for person in people:
            self.areas.add(person, jobs_of(person.role), gender_of(person))
            jobs = [job for job in jobs_of(person.role) if job.about or holders[job.noun] <= SHARED]
            for said, kind, score in _forms(person, jobs):
                if said and not (kind is Kind.ROLE and _is_vague(said)):
                    known = best[said].setdefault(person.id, Form(person, kind, score))
                    if known.score < score:
                        best[said][person.id] = Form(person, kind, score)
        self.forms: dict[Words, Sequence[Form]] = {}
        for said, by_person in best.items():
            forms = sorted(by_person.values(), key=lambda form: (-form.score, seniority(form.person)))
            if len(_best(forms)) <= SHARED or any(form.kind is not Kind.ROLE for form in forms):
                self.forms[said] = forms
        self.lengths = _lengths(self.forms)
        self.surnames = _single(self.forms, Kind.SURNAME)
        self.firsts = _single(self.forms, Kind.FIRST)
        self.handles = _handles(people)


def _is_vague(said: Words) -> bool:
    """Whether every school has several whom the one word calls so: "governor"."""
    return len(said) == 1 and said[0].removesuffix("s") in words("several")


def _best(forms: Sequence[Form]) -> list[Form]:
    return [form for form in forms if form.score == forms[0].score]


def _lengths(forms: dict[Words, Sequence[Form]]) -> dict[str, tuple[int, ...]]:
    lengths: dict[str, set[int]] = defaultdict(set)
    for said in forms:
        lengths[said[0]].add(len(said))
    return {word: tuple(sorted(of, reverse=True)) for word, of in lengths.items()}


def _single(forms: dict[Words, Sequence[Form]], kind: Kind) -> frozenset[str]:
    return frozenset(said[0] for said, of in forms.items() if len(said) == 1 and of[0].kind is kind)


def gender_of(person: Person) -> str:
    """ "woman" or "man" where the title says so, else "any"."""
    title = person.title.lower().rstrip(".")
    return next((name for name, group in groups("titles").items() if title in group), "any")


def titles_for(person: Person) -> dict[str, float]:
    """The titles that may stand before the person's name, and how well each fits."""
    own, gender = person.title.lower().rstrip("."), gender_of(person)
    fits = groups("titles")["any"] | groups("titles")[gender] if gender != "any" else titles()
    called = groups("callings").get(own, frozenset()) | frozenset({own} - {""})  # "Sister Nwosu" is Sr Nwosu
    return {word: 1.0 if word == own or word in called else 0.85 for word in fits | called}


def full_name_of(person: Person) -> Words:
    """The words of the name, without a title that was written into it."""
    said = words_of(person.name)
    return said[1:] if len(said) > 1 and said[0] in titles() else said


def surname_of(person: Person) -> Words:
    """The last word of the name, with the halves of a double-barrelled one and particles ("Ní Bhriain")."""
    parts = [said for part in person.name.split() if (said := words_of(part))]
    with_particle = len(parts) > 2 and parts[-2][0] in words("particles")
    return tuple(word for part in parts[-2 if with_particle else -1 :] for word in part)


def first_names_of(person: Person) -> frozenset[str]:
    """The first name and its short forms."""
    first = full_name_of(person)[:1]
    return frozenset(first) | groups("short_forms").get("".join(first), frozenset())


def _forms(person: Person, jobs: Sequence[Job]) -> Iterator[tuple[Words, Kind, float]]:
    name, surname = full_name_of(person), surname_of(person)
    first = name[:1] if len(name) > len(surname) else ()
    fitting = titles_for(person)
    if surname:
        yield from _surnames(surname)
        yield from _titled(name, first_names_of(person) if first else (), surname, fitting)
    if first:
        yield from _first_names(person, name, surname)
    for alias in person.aliases:
        yield from _alias(alias, name, surname, person)
    for job in jobs:
        for said, score in wordings(job, gender_of(person)):
            yield said, Kind.ROLE, score
            if score > BY_AREA:
                yield (*said[:-1], said[-1] + "s"), Kind.ROLE, score - 0.1  # "the music teachers voice"
    for word in groups("callings").get(person.title.lower().rstrip("."), ()):
        yield (word,), Kind.ROLE, 0.65


def _first_names(person: Person, name: Words, surname: Words) -> Iterator[tuple[Words, Kind, float]]:
    yield name, Kind.FULL, 1.0
    for first in first_names_of(person):
        own = first == name[0]
        yield (first, *surname), Kind.FULL, 1.0 if own else 0.95
        yield (first, surname[0][0]), Kind.INITIAL, 0.8 if own else 0.7
        yield (first,), Kind.FIRST, 0.7 if own else 0.55
        if len(surname) > 1:
            yield from (((first, half), Kind.FULL, 0.9) for half in surname)
            yield (first, "".join(part[0] for part in surname)), Kind.INITIAL, 0.8


def _surnames(surname: Words) -> Iterator[tuple[Words, Kind, float]]:
    yield surname, Kind.SURNAME, 0.75
    if len(surname) > 1:
        yield ("".join(surname),), Kind.SURNAME, 0.75
        yield from (((half,), Kind.SURNAME, 0.55) for half in surname if len(half) > 3)


def _titled(
    name: Words, firsts: Iterable[str], surname: Words, fitting: dict[str, float]
) -> Iterator[tuple[Words, Kind, float]]:
    initials = tuple(part[0] for part in surname)
    for title, fit in fitting.items():
        yield (title, *surname), Kind.TITLED, fit
        yield (title, *name), Kind.FULL, fit
        for name_or_short in firsts:
            yield (title, name_or_short), Kind.TITLED, fit - 0.1
        if len(surname) > 1:
            yield from (((title, half), Kind.TITLED, fit - 0.3) for half in surname)
        if title not in words("not_before_initials"):
            yield from (((title, *said), Kind.INITIAL, fit - 0.1) for said in (initials, ("".join(initials),)))
            yield (title, initials[0]), Kind.INITIAL, fit - 0.1


def _alias(alias: str, name: Words, surname: Words, person: Person) -> Iterator[tuple[Words, Kind, float]]:
    said, gender = words_of(alias), gender_of(person)
    if not said:
        return
    if alias.lower().startswith("the ") or (alias == alias.lower() and _is_job(said)):
        said = said[said[:1] == ("the",) :]
        yield said, Kind.ROLE, 0.85
        for job in jobs_of(" ".join(said)):
            yield from ((other, Kind.ROLE, score - 0.05) for other, score in wordings(job, gender))
    elif len(said) == 1:
        yield said, Kind.FIRST, 0.75
        if surname:
            yield said + surname, Kind.FULL, 0.95
    elif len(said[-1]) <= 2 or (said[0] in titles() and len(said) == 3 and len(said[1]) == 1):
        yield said, Kind.INITIAL, 0.95
    else:
        firsts = first_names_of(person)
        yield said, Kind.FULL, 1.0
        if said[-1:] == surname[-1:] and said[0] not in titles():
            yield said[:1], Kind.FIRST, 0.65
        if len(said) == 2 and said[0] in titles() and (said[1][:2] == "".join(name[:1])[:2] or said[1] in firsts):
            yield said[1:], Kind.FIRST, 0.6
        elif len(said) == 2 and said[0] in titles() and len(said[1]) > 3 and "".join(surname).startswith(said[1]):
            yield said[1:], Kind.SURNAME, 0.6  # "Mr Fitz" of Mr Fitzgibbon


def _is_job(said: Words) -> bool:
    """Whether an alias in lower case is a job, not a nickname: "senco", "whoever is on reception"."""
    return len(said) > 1 or said[0] in words("nouns")


def _handles(people: Sequence[Person]) -> dict[str, Person]:
    """Strings that, inside an @handle, mean somebody; the more senior of two."""
    handles: dict[str, Person] = {}
    for person in sorted(people, key=seniority):
        surname = "".join(surname_of(person))
        own = ["".join(words_of(alias)) for alias in person.aliases if alias[:1].isupper()]
        own += [title + surname for title in titles_for(person)]
        for name in first_names_of(person):
            own += [name + surname, surname + name, name[:1] + surname]
        own.append("".join(full_name_of(person)))
        if surname not in words("ordinary"):
            own.append(surname)
        for handle in own:
            if len(handle) >= 5:
                handles.setdefault(handle, person)
    return handles
