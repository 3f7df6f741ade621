"""Whether words that may name somebody do so where they stand: what is around them decides."""

from collections.abc import Sequence

from classifiers.forms import Form, Kind
from classifiers.misspelt import is_near
from classifiers.pointing import is_elsewhere, points_to_ours
from classifiers.roster import Roster, first_names_of
from classifiers.surroundings import Surroundings, Token, words_of
from classifiers.vocabulary import groups, titles, words


class Fitting:
    """Judges the forms of a roster."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._bearers = roster.surnames | roster.firsts

    def of(self, forms: Sequence[Form], around: Surroundings) -> list[Form]:
        """Those of `forms` that the words `around` stands around do mean."""
        return [form for form in forms if self._fits(form, around)]

    def misspelt(self, forms: Sequence[Form], around: Surroundings) -> list[Form]:
        """Those of `forms` that the words, which are only nearly their names, may be meant for."""
        return [form for form in forms if self._may_be_misspelt(form, around)]

    def _fits(self, form: Form, around: Surroundings) -> bool:
        match form.kind:
            case Kind.FULL:
                return True
            case Kind.TITLED:
                return _titled(around)
            case Kind.INITIAL:
                return _initial(around)
            case Kind.ROLE:
                return points_to_ours(around, self._roster)
            case Kind.FIRST:
                return self._first_name(form, around)
            case Kind.SURNAME:
                return self._surname(form, around)

    def _may_be_misspelt(self, form: Form, around: Surroundings) -> bool:
        if around.first.word in titles():
            return not is_verb(around) and not (around.name_follows and around.length == 2)
        somewhere = around.first.capital and around.before.word in words("where")
        return not somewhere and not self._others_name(form, around) and not is_elsewhere(around)

    def _first_name(self, form: Form, around: Surroundings) -> bool:
        if around.name_follows or _is_childs(form, around) or self._others_name(form, around):
            return False
        if around.after.word == "house" and not around.owns:
            return False  # "the wendy house"
        word, told = around.first.word, around.first.capital and not around.shouted
        if word in words("adjectives"):
            return not _is_adjective(around)
        if word not in words("ordinary") and (len(word) > 2 or told):
            return True
        if told and word in words("hardly_words") and around.before.word not in words("things"):
            return around.owns or around.ends or around.after.word in ("i", "from") or self._is_person(form, around)
        return self._is_person(form, around)

    def _surname(self, form: Form, around: Surroundings) -> bool:
        if around.after.word in words("places") and not around.owns:
            return False
        if self._others_name(form, around) or is_elsewhere(around) or _is_familys(around):
            return False
        if around.last.word not in words("ordinary"):
            return not around.name_follows
        return self._is_person(form, around)

    def _is_person(self, form: Form, around: Surroundings) -> bool:
        """Whether the words around an ordinary word speak of a person and not of a thing."""
        if around.tied_to(self._bearers) or self._is_at_work(form, around):
            return True
        before, first = around.before.word, around.first
        told = first.capital and not around.shouted
        if around.after.word in groups("persons")["man"] | groups("persons")["woman"]:
            return True  # "that Love fella"
        if around.after.word == "by" and around.after_that.word == "name":
            return True
        if around.name_follows or before in words("others"):
            return False
        if before in words("things") and not (before == "that" and told):
            return False
        if first.word in words("slippery"):
            own = told and not first.opens and before not in words("thing_prepositions") and not around.before.owns
            return own and (first.word not in words("dates") or _is_spoken_of(around) or _is_called(around, told))
        if told and not first.opens:
            return True
        if not told and before in words("thing_prepositions"):
            return False
        return _is_spoken_of(around) or _is_called(around, told)

    def _is_at_work(self, form: Form, around: Surroundings) -> bool:
        """ "Dawn on reception", "Robin in the library"."""
        if around.after.word not in words("where") or around.before.word in words("things"):
            return False
        start = around.place + around.length + 1
        return self._roster.areas.near(form.person, [token.word for token in around.tokens[start : start + 3]])

    def _others_name(self, form: Form, around: Surroundings) -> bool:
        """Whether a title or a first name stands before that is not the person's: "Ted Bell"."""
        before = around.before
        if not before.word or around.first.gap.strip() or before.owns:
            return False
        if before.word in titles():
            return before.word not in groups("callings") or before.capital
        if _is_given(before, around):
            return not any(is_near(before.word, name) for name in first_names_of(form.person))
        unknown = before.capital and not before.opens and not around.shouted and len(before.word) > 1
        return unknown and before.word not in words("openers") and (before.word,) not in self._roster.forms


def is_verb(around: Surroundings) -> bool:
    """Whether it begins with the verb in "we'll miss hill walking"."""
    first = around.first
    return first.written == "miss" and around.before.word in words("before_a_verb")


def _titled(around: Surroundings) -> bool:
    goes_on = around.last.word in words("also_first") and around.name_follows
    trade = around.after.word == "the" and around.after_that.word in words("trades")
    return not (goes_on or trade or is_verb(around) or is_elsewhere(around))


def _initial(around: Surroundings) -> bool:
    titled = around.first.word in titles()
    if around.name_follows:
        return False  # "Mr A Rutter"
    if around.last.capital or len(around.last.word) > 1:
        return titled or around.first.capital
    verb = around.after.word in words("person_after") or around.after.word in words("where")
    a_word = around.last.word in "aiusx" and not (around.ends or verb)
    return titled and not a_word and not is_verb(around)


def _is_given(token: Token, around: Surroundings) -> bool:
    if token.word not in words("given") or token.word in words("openers"):
        return False
    return token.capital or around.all_lower


def _is_adjective(around: Surroundings) -> bool:
    """ "frosty reception", "feeling very moody": not the person who is called so."""
    before = around.before.word
    return before in words("things") or before in words("degrees") or around.after.word in words("adjective_after")


def _is_spoken_of(around: Surroundings) -> bool:
    """ "bell is useless", "Frost's face", "cook told him", "Marsh out"."""
    first, after, that = around.first, around.after.word, around.after_that.word
    if around.owns and (after in ("a", "an", "been", "got", "not") or after.endswith("ing")):
        return first.capital
    if after in words("person_after"):
        return not (after in ("is", "was") and (that in words("of_things") or that.isdigit()))
    did = len(after) > 4 and after.endswith("ed")
    if did and (first.capital or (first.opens and that in ("me", "my", "us", "our", "him", "her"))):
        return True
    if after in words("belongings") or (after == "and" and that in ("her", "his")):
        return True
    aside = first.capital and "(" in around.token(around.place + around.length).gap
    return aside or (after in words("dismissals") and that == "")


def _is_called(around: Surroundings, told: bool) -> bool:
    """ "cheers Ron", "sack Frost", "Young, you liar"."""
    if told and around.before.word in words("person_before"):
        return True
    if around.before.word in words("told"):
        return around.first.word not in words("slippery")
    return around.before.word in words("calls") and around.ends


def _is_childs(form: Form, around: Surroundings) -> bool:
    """ "my Emily", "a girl called Emily", "Emily in Year 2", whose teacher she is not."""
    before = around.before.word
    called = before in ("called", "named") and around.before_that.word in words("children")
    if called or before in words("others"):
        return True
    if around.after.word not in ("in", "from") or around.after_that.word != "year":
        return False
    year = around.token(around.place + around.length + 2).word
    return year not in words_of(form.person.role)


def _is_familys(around: Surroundings) -> bool:
    """ "the Robson lad"."""
    return around.before.word == "the" and around.after.word in words("families")
