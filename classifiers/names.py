"""Whom of the roster a text names: by full name, title, initial, role, first name, surname, handle, or nearly so.

The longest form at a place wins; what may be a name and may be a word needs something around it that says so
(fitting.py). Most texts name nobody, and are told from the others by their words alone.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from classifiers.fitting import Fitting
from classifiers.fold import Folded, fold
from classifiers.forms import Form, Kind
from classifiers.jobs import BY_AREA
from classifiers.misspelt import LONG, Misspelt
from classifiers.roster import SHARED, Roster, gender_of
from classifiers.surroundings import Surroundings, Token, tokens, words_of
from classifiers.vocabulary import groups, titles, words
from monitor.domain.people import Person
from monitor.domain.verdict import NameHit

#: From here a hit counts as naming the person; below it, it is possible only.
NAMED = 0.5

_WORD = re.compile(r"[a-z]+")
#: "different Parveen, before anyone panics", "(no relation)"; the name that is meant, where there is one.
_SOMEBODY_ELSE = re.compile(
    r"\b(?i:different) (?!School|Class|Year|Teacher)(?:M\w+\.? )?([A-Z]\w+(?: [A-Z]\w+)?)|\bno relation\b|"
    r"\((?i:not) the [a-z ]+\)|\bnot the same "
    r"(?:one|person|fella|man|woman|lady|bloke|guy|teacher|family)"
)
#: What is left of the score of a name that is said to be somebody else's.
ELSE = 0.45
#: Forms whose scores are closer than this may be meant as well.
CLOSE = 0.15


class _Named(NamedTuple):
    """Who is named by the words `tokens[begin:end]`, the likeliest first."""

    forms: Sequence[Form]
    begin: int
    end: int


class Names:
    """Implements ports.NameFinder over a roster."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._roster = Roster(people)
        self._misspelt = Misspelt(self._roster)
        self._fitting = Fitting(self._roster)
        first_words = frozenset(self._roster.lengths)
        owners = {word + "s" for word in first_words}
        self._telling = first_words | owners | self._roster.areas.last_words | titles() | {"y", "yr"}

    def find(self, text: str) -> list[NameHit]:
        """The people whom `text` names, in order of appearance; a score under NAMED is a mere possibility."""
        folded = fold(text)
        if not self._may_name(folded.text):
            return []
        hits = self._hits(tokens(folded, text), folded)
        denied = _SOMEBODY_ELSE.search(folded.text) if hits else None
        return [_denied(hit, denied[1], text) for hit in hits] if denied else hits

    def _may_name(self, plain: str) -> bool:
        """Whether any word of it could be part of a name: what is soon known of most texts."""
        said = set(_WORD.findall(plain.lower()))
        return "@" in plain or not self._telling.isdisjoint(said) or any(map(self._tells, said))

    def _tells(self, word: str) -> bool:
        """Whether a name may begin with the word, or an area end with it."""
        if word in self._telling or word[0] == "@" or word in self._misspelt:
            return True
        return len(word) >= LONG and bool(self._misspelt.alone(word))

    def _hits(self, said: list[Token], folded: Folded) -> list[NameHit]:
        hits: list[NameHit] = []
        taken = 0
        for place, token in enumerate(said):
            named = self._at(said, place) if place >= taken and self._tells(token.word) else None
            if named and named.begin >= taken:
                start, end = folded.original(said[named.begin].start, said[named.end - 1].end)
                around = Surroundings(said, named.begin, named.end - named.begin)
                hits.append(_hit(_meant(named.forms, around), start, end))
                taken = named.end
        return hits

    def _at(self, said: list[Token], place: int) -> _Named | None:
        """Who is named by words that begin at `place`, or by an area that ends there."""
        token = said[place]
        if token.word[0] == "@":
            return _named(self._handle(token.word), place, 1)
        if shared := self._shared_name(said, place):
            return _named(self._roster.forms.get((token.word, shared), ()), place, 1)
        if inverted := self._inverted(said, place):
            return _named(self._roster.forms.get((inverted, token.word), ()), place, 2)
        for length in self._roster.lengths.get(token.word, ()):
            if place + length > len(said):
                continue
            forms = self._roster.forms.get(tuple(t.word for t in said[place : place + length]), ())
            if forms and not any(t.loose for t in said[place + 1 : place + length]):
                fitting = self._fitting.of(forms, Surroundings(said, place, length))
                if fitting:
                    return _named(fitting, place, length)
        return self._by_area(said, place) or self._nearly(said, place)

    def _by_area(self, said: list[Token], place: int) -> _Named | None:
        """Somebody by what they see to: "that hag on reception", "that reception hag"."""
        people, begin = self._roster.areas.ending_at(said, place)
        end = place + 1
        if not people:
            people, end = self._roster.areas.insulted_at(said, place), place + 2
        if not 0 < len(people) <= SHARED:
            return None
        return _Named([Form(person, Kind.ROLE, BY_AREA) for person in people], begin, end)

    def _nearly(self, said: list[Token], place: int) -> _Named | None:
        """Somebody whose name is misspelt: after a title freely, alone only in long words."""
        token = said[place]
        if token.word in titles():
            return self._nearly_titled(said, place)
        if (token.word,) in self._roster.forms:
            return self._nearly_full(said, place)
        around = Surroundings(said, place, 1)
        following = said[place + 1 : place + 2]
        if following and not following[0].loose and token.word in self._misspelt:
            both = self._misspelt.full(token.word, following[0].word)
            if both:
                return _named(both, place, 2)
        forms = self._owner(around) or self._misspelt.alone(token.word)
        return _named(self._fitting.misspelt(forms, around), place, 1)

    def _nearly_titled(self, said: list[Token], place: int) -> _Named | None:
        rightly = self._roster.forms.get(tuple(t.word for t in said[place : place + 2]))
        if rightly and rightly[0].kind is not Kind.INITIAL:
            return None  # "Mr Grant the butcher"
        for length in (2, 1):
            rest = said[place + 1 : place + 1 + length]
            name = tuple(t.word for t in rest)
            if len(rest) < length or any(t.loose for t in rest):
                continue
            around = Surroundings(said, place, 1 + length)
            forms = self._fitting.misspelt(self._misspelt.after_title(said[place].word, name), around)
            if forms:
                return _named(forms, place, 1 + length)
        return None

    def _nearly_full(self, said: list[Token], place: int) -> _Named | None:
        """ "Carol Whitle": a first name of the roster, and nearly its surname."""
        following = said[place + 1 : place + 2]
        if not following or following[0].loose:
            return None
        forms = [form for form in self._roster.forms[(said[place].word,)] if form.kind is Kind.FIRST]
        return _named(self._misspelt.before_surname(forms, following[0].word), place, 2)

    def _owner(self, around: Surroundings) -> Sequence[Form]:
        """Whose something is, or who is, where the apostrophe is missing: "frosts wages", "frosts lying"."""
        stem, after = around.first.word[:-1], around.after.word
        does = after.endswith("ing") and around.before.word != "the" and stem not in words("ordinary")
        if len(stem) < 4 or around.first.word[-1] != "s" or not (does or after in words("belongings")):
            return ()
        job = around.before.word in words("this_one")
        kinds = (Kind.ROLE,) if job else (Kind.FIRST, Kind.SURNAME)
        return [form for form in self._roster.forms.get((stem,), ()) if form.kind in kinds]

    def _shared_name(self, said: list[Token], place: int) -> str | None:
        """The name that a second title parts from this one: "Mrs/Miss Price", "Mr and Mrs Swan"."""
        if said[place].word not in titles():
            return None
        second, name = said[place + 1 : place + 2], said[place + 2 : place + 3]
        if second and second[0].word == "and":
            second, name = name, said[place + 3 : place + 4]
        elif not (second and second[0].gap.strip() in ("/", "&")):
            return None
        return name[0].word if name and second[0].word in titles() else None

    def _inverted(self, said: list[Token], place: int) -> str | None:
        """The title that follows a surname in brackets: "Tucker (Mr)"."""
        if said[place].word not in self._roster.surnames or place + 1 == len(said):
            return None
        following = said[place + 1]
        return following.word if "(" in following.gap and following.word in titles() else None

    def _handle(self, handle: str) -> list[Form]:
        joined = re.sub(r"[^a-z]", "", handle)
        inside = [known for known in self._roster.handles if known in joined]
        return [Form(self._roster.handles[max(inside, key=len)], Kind.FULL, 0.85)] if inside else []


def _named(forms: Sequence[Form], place: int, length: int) -> _Named | None:
    return _Named(forms, place, place + length) if forms else None


def _meant(forms: Sequence[Form], around: Surroundings) -> Sequence[Form]:
    """The best of `forms`, first the one whom "he" or "she" may mean.

    Of people of one initial all, first the one to whose job the text points.
    """
    if forms[0].kind is Kind.INITIAL:
        spoken = {token.word for token in around.near}
        jobs = {job for job, cues in groups("points_to").items() if spoken & cues}
        return sorted(forms, key=lambda form: not jobs & set(words_of(form.person.role)))
    close = CLOSE if around.length == 1 else 0
    best = [form for form in forms if form.score >= forms[0].score - close]
    pronoun = around.pronoun_follows if len(best) > 1 else None
    return sorted(best, key=lambda form: pronoun is not None and gender_of(form.person) not in (pronoun, "any"))


def _denied(hit: NameHit, name: str | None, text: str) -> NameHit:
    """The hit, a mere possibility if the text says of `name` (of any name, if None) that it is somebody else's."""
    said = fold(text[hit.start : hit.end]).text.lower()
    meant = hit.score < 1 if name is None else said.endswith(name.lower()) and (hit.score < 1 or " " in name)
    return replace(hit, score=round(hit.score * ELSE, 2)) if meant else hit


def _hit(forms: Sequence[Form], start: int, end: int) -> NameHit:
    meant, *others = (form.person.id for form in forms)
    return NameHit(
        person=meant,
        start=start,
        end=end,
        score=round(forms[0].score, 2),
        ambiguous_with=tuple(dict.fromkeys(others)),
    )
