"""Whom of the roster a text names: by full name, title, initial, role, first name, surname, handle, or nearly so.

The longest form at a place wins; what may be a name and may be a word needs something around it that says so.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from classifiers.fold import Folded, fold
from classifiers.misspelt import Misspelt
from classifiers.roster import Form, Kind, Roster, vocabulary, words_of
from classifiers.surroundings import Surroundings, Token, tokens
from monitor.domain.people import Person
from monitor.domain.verdict import NameHit

#: From here a hit counts as naming the person; below it, it is possible only.
NAMED = 0.5

_SOMEBODY_ELSE = re.compile(
    r"\b(?i:different) (?!School|Class|Year|Teacher)[A-Z]\w+|\bno relation\b|\bnot the same "
    r"(?:one|person|fella|man|woman|lady|bloke|guy|teacher|family)"
)


class Names:
    """Implements ports.NameFinder over a roster."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._roster = Roster(people)
        self._misspelt = Misspelt(self._roster)
        self._spoken = vocabulary()
        self._titles = frozenset(title for group in self._spoken["titles"].values() for title in group)

    def find(self, text: str) -> list[NameHit]:
        """The people whom `text` names, in order of appearance; a score under NAMED is a mere possibility."""
        folded = fold(text)
        words = tokens(folded, text)
        hits = self._hits(words, folded)
        if _SOMEBODY_ELSE.search(folded.text):
            hits = [replace(hit, score=round(hit.score * 0.6, 2)) if hit.score < 1 else hit for hit in hits]
        return hits

    def _hits(self, words: list[Token], folded: Folded) -> list[NameHit]:
        hits: list[NameHit] = []
        place = 0
        while place < len(words):
            forms, length = self._at(words, place)
            if forms:
                start, end = folded.original(words[place].start, words[place + length - 1].end)
                hits.append(_hit(self._meant(forms, words), start, end))
            place += max(1, length)
        return hits

    def _at(self, words: list[Token], place: int) -> tuple[Sequence[Form], int]:
        """Who is named by the words from `place` on, the likeliest first, and by how many words."""
        token = words[place]
        if token.word.startswith("@"):
            return self._handle(token.word), 1
        if self._shares_a_name(words, place):
            return self._roster.forms.get((token.word, words[place + 2].word), []), 1
        for length in range(min(self._roster.longest, len(words) - place), 0, -1):
            said = words[place : place + length]
            forms = self._roster.forms.get(tuple(t.word for t in said), [])
            if forms and not any(t.loose for t in said[1:]):
                around = Surroundings(words, place, length)
                fitting = [form for form in forms if self._fits(form.kind, around)]
                if fitting:
                    return fitting, length
        return self._nearly(words, place)

    def _nearly(self, words: list[Token], place: int) -> tuple[Sequence[Form], int]:
        """Somebody whose name is misspelt: after a title freely, alone only in long words."""
        token = words[place]
        if (token.word,) in self._roster.forms:
            return (), 0
        if token.word not in self._titles:
            around = Surroundings(words, place, 1)
            forms = self._misspelt.alone(token.word)
            return (forms, 1) if forms and not self._others_name(around) else ((), 0)
        for length in (2, 1):
            rest = words[place + 1 : place + 1 + length]
            said = tuple(t.word for t in rest)
            if len(rest) < length or any(t.loose for t in rest) or (token.word, *said) in self._roster.forms:
                continue
            around = Surroundings(words, place, 1 + length)
            forms = self._misspelt.after_title(token.word, said)
            if forms and not self._is_verb(around) and not (around.name_follows and length == 1):
                return forms, 1 + length
        return (), 0

    def _fits(self, kind: Kind, around: Surroundings) -> bool:
        match kind:
            case Kind.FULL:
                return True
            case Kind.TITLED:
                goes_on = around.last.word in self._spoken["also_first"] and around.name_follows
                return not goes_on and not self._is_verb(around)
            case Kind.INITIAL:
                return self._fits_initial(around)
            case Kind.ROLE:
                return self._fits_role(around)
            case Kind.FIRST:
                return self._fits_first_name(around)
            case Kind.SURNAME:
                return self._fits_surname(around)

    def _is_verb(self, around: Surroundings) -> bool:
        """Whether it begins with the verb in "we'll miss hill walking"."""
        first = around.first
        return first.written == "miss" and around.before.word in self._spoken["before_a_verb"]

    def _fits_initial(self, around: Surroundings) -> bool:
        titled = around.first.word in self._titles
        if around.last.capital:
            return titled or around.first.capital
        return titled and around.last.word not in "aiusx" and not self._is_verb(around)

    def _fits_role(self, around: Surroundings) -> bool:
        before, spoken = around.before.word, self._spoken
        if before in spoken["former"] or around.followed_by("of", "the", "day"):
            return False
        if before in ("a", "an"):
            return around.before_that.word == "of"  # some caretaker, not ours; but "that fool of a caretaker"
        words = tuple(t.word for t in around.tokens[around.place : around.place + around.length])
        plural = words[-1].endswith("s") and (*words[:-1], words[-1][:-1]) in self._roster.forms
        if plural or (around.length == 1 and words[0] in spoken["ordinary"]):
            return before in (*spoken["head"]["before"], "that")
        return words != ("head",) or self._is_headteacher(around)

    def _is_headteacher(self, around: Surroundings) -> bool:
        head = self._spoken["head"]
        if around.after.word in head["not_after"] or around.first.gap == "-":
            return False
        before = around.before.word
        return before in head["before"] and not (
            before == "the" and around.before_that.word in head["not_before_the"]
        )

    def _fits_first_name(self, around: Surroundings) -> bool:
        word, spoken = around.first.word, self._spoken
        if around.shortened or around.name_follows or self._others_name(around):
            return False
        if around.before.word in spoken["others"] or around.followed_by("in", "year"):
            return False
        if word not in spoken["ordinary"] and len(word) > 3:
            return True
        if around.before.word in spoken["things"] or around.after.word in spoken["places"]:
            return False
        if around.first.capital and not around.first.opens:
            return not around.shouted
        return self._is_person(around) and (around.first.capital or around.all_lower)

    def _fits_surname(self, around: Surroundings) -> bool:
        spoken = self._spoken
        if around.after.word in spoken["places"] or self._others_name(around):
            return False
        if around.last.word not in spoken["ordinary"]:
            return not around.name_follows
        if around.tied_to(self._roster.surnames):
            return True
        if around.before.word in spoken["things"] or around.before.word in spoken["others"]:
            return False
        if around.first.capital or around.first.opens:
            return self._is_person(around)
        called = around.followed_by("or", "whatever")
        return called or (around.before.word in spoken["person_before"] and self._is_person(around))

    def _is_person(self, around: Surroundings) -> bool:
        """Whether the words around speak of a person and not of a thing."""
        after, spoken = around.after.word, self._spoken
        if after in spoken["person_after"] and not around.possessive:
            judged = Surroundings(around.tokens, around.place, around.length + 1).after.word
            return not (after in ("is", "was") and judged in spoken["of_things"])
        possessor = around.followed_by("and", "her") or around.followed_by("and", "his")
        return possessor or around.before.word in spoken["person_before"]

    def _others_name(self, around: Surroundings) -> bool:
        """Whether a first name that is nobody's on the roster, or a title, stands before: "Ted Bell"."""
        before = around.before
        if not before.capital or around.shouted or around.first.gap.strip():
            return False
        if before.word in self._titles:
            return True
        return before.word not in self._spoken["openers"] and (before.word,) not in self._roster.forms

    def _shares_a_name(self, words: list[Token], place: int) -> bool:
        """Whether a second title stands between this one and its name: "Mrs/Miss Price"."""
        if place + 2 >= len(words) or words[place].word not in self._titles:
            return False
        second = words[place + 1]
        return second.word in self._titles and second.gap.strip() in ("/", "&")

    def _handle(self, handle: str) -> list[Form]:
        joined = re.sub(r"[^a-z]", "", handle)
        inside = [known for known in self._roster.handles if known in joined]
        if not inside:
            return []
        return [Form(self._roster.handles[max(inside, key=len)], Kind.FULL, 0.85)]

    def _meant(self, forms: Sequence[Form], words: Sequence[Token]) -> Sequence[Form]:
        """The best of `forms`; of people of one initial all, first the one to whose job the text points."""
        if forms[0].kind is not Kind.INITIAL:
            return [form for form in forms if form.score == forms[0].score]
        said = {token.word for token in words}
        jobs = {job for job, cues in self._spoken["points_to"].items() if said & set(cues)}
        return sorted(forms, key=lambda form: not jobs & set(words_of(form.person.role)))


def _hit(forms: Sequence[Form], start: int, end: int) -> NameHit:
    meant, *others = (form.person.id for form in forms)
    return NameHit(
        person=meant,
        start=start,
        end=end,
        score=round(forms[0].score, 2),
        ambiguous_with=tuple(dict.fromkeys(others)),
    )
