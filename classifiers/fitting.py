"""Whether words that may name somebody do so where they stand: what is around them decides."""

from collections.abc import Sequence

from classifiers.forms import Form, Kind
from classifiers.jobs import fitting
from classifiers.language import is_english
from classifiers.misspelt import is_near
from classifiers.pointing import is_elsewhere, is_from_outside, points_to_ours
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
        if around.length > 1 and around.first.owns:
            forms = [
                form for form in forms if form.kind is Kind.ROLE
            ]  # "my auntie's white skirt", "year 4's teacher"
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
            if around.before.word in words("others") or _is_bus(around):
                return False  # "our neighbour Mrs Crabb"
            return not is_verb(around) and not (around.name_follows and around.length == 2)
        somewhere = around.first.capital and around.before.word in words("where")
        return not somewhere and not self._others_name(form, around) and not is_elsewhere(around)

    def _first_name(self, form: Form, around: Surroundings) -> bool:
        if around.name_follows or _is_childs(form, around) or self._others_name(form, around):
            return False
        if is_from_outside(around, "from"):
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
        if (
            self._others_name(form, around)
            or is_elsewhere(around)
            or is_from_outside(around, "from")
            or _is_familys(around)
        ):
            return False
        if around.last.word not in words("ordinary"):
            return not around.name_follows
        return self._is_person(form, around)

    def _is_person(self, form: Form, around: Surroundings) -> bool:
        """Whether the words around an ordinary word speak of a person and not of a thing."""
        if around.first.word in words("peoples_names") or around.first.word in words("colours"):
            at_work = (
                around.first.capital and around.first.word in words("colours") and self._is_at_work(form, around)
            )
            return at_work or _is_one_person(around)
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
        if _is_insulted(around):
            return True
        if first.word in words("slippery"):
            own = told and not first.opens and before not in words("thing_prepositions") and not around.before.owns
            return own and (first.word not in words("dates") or _is_spoken_of(around) or _is_called(around, told))
        if told and not first.opens:
            return True
        if not told and before in words("thing_prepositions"):
            return False
        return _is_spoken_of(around) or _is_called(around, told) or (told and _is_addressed(around))

    def _is_at_work(self, form: Form, around: Surroundings) -> bool:
        """ "Dawn on reception", "Robin in the library"."""
        if around.after.word not in words("where") or around.before.word in words("things"):
            return False
        start = around.place + around.length + 1
        return self._roster.areas.near(form.person, [token.word for token in around.tokens[start : start + 3]])

    def _others_name(self, form: Form, around: Surroundings) -> bool:
        """Whether a title or a first name stands before that is not the person's: "Ted Bell"."""
        before = around.before
        if not before.word or around.first.gap.strip() or before.owns or before.gap.endswith("#"):
            return False  # "#TeamBell" is two words here
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


def _is_bus(around: Surroundings) -> bool:
    """ "the coach back from the coast" is no Coach Black."""
    return (
        around.first.word in words("not_before_initials")
        and not around.last.capital
        and is_english(around.last.word)
    )


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


def _is_one_person(around: Surroundings) -> bool:
    """ "Black is a miserable goat", "sack English", but not "Black skin", "a word of English", "gay choir"."""
    first, before, after = around.first, around.before.word, around.after.word
    told = first.capital and not around.shouted
    is_that = before == "that" and told and after in ("is", "was", "needs", "has")
    if is_that or (told and around.owns and after in ("back", "off", "leaving", "retiring", "gone")):
        return True
    if around.name_follows or before in words("things"):
        return False
    if after in words("person_only") or (around.owns and after in words("belongings")) or _is_insulted(around):
        return True
    if not told or first.gap.strip() or before in words("self") or not (around.ends or after in words("no_thing")):
        return False
    return before in words("told") or (first.word in words("colours") and not first.opens)


def _is_insulted(around: Surroundings) -> bool:
    """ "Steel's a drunk-looking old git", "bell is a snake"."""
    ahead = around.place + around.length
    if not around.owns:
        if around.after.word not in ("is", "was"):
            return False
        ahead += 1
    said = around.tokens[ahead : ahead + 6]
    if not said or said[0].word not in ("a", "an"):
        return False
    end = next((place for place, token in enumerate(said) if token.opens), len(said))
    return any(token.word in fitting("insults", "any") for token in said[1:end])


def _is_addressed(around: Surroundings) -> bool:
    """ "Stone, if I ever catch you"; but not "Friday, if you can"."""
    comma = "," in around.token(around.place + around.length).gap
    if not (around.first.opens and comma) or around.first.word in words("openers"):
        return False
    ahead = around.place + around.length
    said = {token.word for token in around.tokens[ahead : ahead + 8]}
    return not said.isdisjoint(("you", "your", "youre", "ur", "u"))


def _is_spoken_of(around: Surroundings) -> bool:
    """ "bell is useless", "Frost's face", "cook told him", "Marsh out"."""
    first, after, that = around.first, around.after.word, around.after_that.word
    if after in ("you", "u", "youre", "ur") and not around.ends and first.word in words("wishes"):
        return False
    if after in ("goes", "went") and not first.capital and (that in ("at", "off") or that.isdigit()):
        return False  # "that bell goes at 8.40"
    if around.owns and (after in ("a", "an", "been", "got", "not") or after.endswith("ing")):
        return first.capital
    if after in words("person_after"):
        return not (after in ("is", "was") and (that in words("of_things") or that.isdigit()))
    did = len(after) > 4 and after.endswith("ed")
    if did and (first.capital or (first.opens and that in ("me", "my", "us", "our", "him", "her"))):
        return True
    if around.owns and first.capital and that in words("belongings"):
        return True  # "Peacock's ugly sister"
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
    """ "my Emily", "a girl called Emily", "Emily in Year 2", whose teacher she is not; "our Emily is in Year 2"."""
    before = around.before.word
    if before == "our":
        ahead = around.place + around.length
        said = {token.word for token in around.tokens[ahead : ahead + 6]}
        if not said.isdisjoint(words("familys")) or (around.owns and around.after.word in words("families")):
            return True
    called = before in ("called", "named") and around.before_that.word in words("children")
    if called or before in words("others"):
        return True
    aside = around.token(around.place + around.length)
    if "(" in aside.gap and aside.word == "my":
        return True  # "Craig (my brother, not yours)"
    if before in words("utter") and around.before_that.word == "a" and not around.first.capital:
        return True  # "felt a proper wally"
    if around.after.word not in ("in", "from") or around.after_that.word != "year":
        return False
    year = around.token(around.place + around.length + 2).word
    return year not in words_of(form.person.role)


def _is_familys(around: Surroundings) -> bool:
    """ "the Robson lad"."""
    return around.before.word == "the" and around.after.word in words("families")
