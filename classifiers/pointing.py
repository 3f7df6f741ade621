"""Whether words for a job point to who has it at our school: "the head", "that fool of a caretaker".

Another school's people are not ours, nor are those of long ago; and many a job's word is mostly something else.
"""

from classifiers.roster import Roster
from classifiers.surroundings import BLANK, Surroundings
from classifiers.vocabulary import groups, words

#: "the back of the head" is nobody's.
_SIDES = frozenset({"back", "side", "top"})
#: Where a clause may begin with the bare word: "and coach told him".
_BETWEEN_CLAUSES = frozenset({"", "and", "but", "when", "then", "because", "cos"})
_SCHOOLS = frozenset({"school", "schools", "primary", "academy", "college", "place", "town"})


def points_to_ours(around: Surroundings, roster: Roster) -> bool:
    """Whether the words, a role of the roster, mean who has it."""
    before, after, said = around.before.word, around.after.word, around.words
    if (
        before in words("former")
        or is_elsewhere(around)
        or is_from_outside(around, "from", "at")
        or around.long_ago
    ):
        return False
    if after in words("posts") and not (around.owns and after in words("held")):
        return False
    if _is_no_ones(around) or (after, around.after_that.word) == ("back", "then"):
        return False
    if len(said) == 1 and said[0] in words("kin"):
        return _is_calling(around)
    if after == "of" and around.after_that.word not in ("our", "this", "your", "yours"):
        return False
    if before in ("a", "an"):
        return said[0] in words("callings_alone") or _is_one_of_ours(around)
    if len(said) == 1 and said[0] in groups("bare_before"):
        return _is_bare_job(around) and not _was(around)
    others = after in groups("bare_not_after").get(said[-1], ())
    return not (others or _was(around) or _is_several(around, roster))


def is_from_outside(around: Surroundings, *links: str) -> bool:
    """ "Craig from the blazer shop", by one of `links` also "the cook at the chippy"."""
    if around.after.word not in links:
        return False
    place = around.place + around.length + 1
    return any(around.token(place + ahead).word in words("outside") for ahead in range(4))


def is_elsewhere(around: Surroundings) -> bool:
    """ "the caretaker at another school": of theirs; but "at my kids' school" is ours."""
    if around.after.word == "elsewhere":
        return True
    if around.after.word not in ("at", "of", "from", "in"):
        return False
    that = around.after_that.word
    place = around.place + around.length + 2
    near = [around.token(place + ahead).word for ahead in range(3)]
    if that == "the" and near[0] in ("new", "other", "old", "next"):
        near = near[1:]
    elif that not in words("elsewhere") or (that == "my" and near[0] in words("own_children")):
        return False
    return not _SCHOOLS.isdisjoint(near)


def _is_no_ones(around: Surroundings) -> bool:
    """Who might have the job, or the writer: "standing for parent governor", "Lesbian mum, football coach"."""
    before, that = around.before.word, around.before_that.word
    if before == "for" and that in words("standing"):
        return True
    if that in ("a", "an"):  # "I'm a gay deputy head", "a Scottish dinner lady"
        return around.before.capital or around.token(around.place - 3).word in ("im", "i", "am", "as")
    return before in words("kin") and "," in around.first.gap


def _is_calling(around: Surroundings) -> bool:
    """Whether "Father" or "Sister" is the priest or nun, and nobody's father: "Sister took the register"."""
    before, after = around.before.word, around.after.word
    if before in words("others") or before in ("our", "the", "a", "and", "or") or after in ("and", "christmas"):
        return False
    if around.name_follows or (around.owns and after == "day"):
        return False
    return (around.first.capital and not around.shouted) or (around.first.opens and around.owns)


def _was(around: Surroundings) -> bool:
    """ "my grandad was caretaker here", "my gran was the cook"."""
    before = around.before.word
    if before == "the":
        return around.before_that.word == "was" and around.token(around.place - 3).word in words("kin")
    return before in words("self") and before != "as"


def _is_several(around: Surroundings, roster: Roster) -> bool:
    """Whether it is a plural, and no possessive without its apostrophe ("that caretakers van")."""
    said = around.words
    one = (*said[:-1], said[-1].removesuffix("s"))
    if one == said or one not in roster.forms:
        return False
    return around.after.word not in words("belongings") or around.before.word not in words("this_one")


def _is_one_of_ours(around: Surroundings) -> bool:
    """Whether "a head" is ours: "that fool of a head", "a head who only answers", but not "as a head"."""
    before, job = around.before_that.word, around.last.word
    if before == "of":
        return job != "chair"
    if before in words("selves") and around.token(around.place - 3).word in words("callers"):
        return True  # "that woman calls herself a head"
    if before == "that" and around.before_that.owns:
        return around.ends  # "now that's a headteacher"
    if before in ("by", "from") and job in words("alone"):
        return True
    return before not in words("self") and around.after.word in words("relative")


def _is_bare_job(around: Surroundings) -> bool:
    """Whether "head" is the headteacher and no part of the body, "coach" no bus."""
    first, before, after = around.first, around.before, around.after.word
    job, told = first.word, first.capital and not around.shouted
    if after in groups("bare_not_after")[job] or first.gap == "-" or _is_a_thing(around):
        return False
    if before.word in groups("bare_before")[job]:
        return True
    if job == "ta":
        return told and first.written == "TA"
    if first.opens and around.owns and (job == "head" or (job == "cook" and after in words("done"))):
        return after not in words("aches")
    if job == "head" and around.owns and after in ("say", "orders", "decision", "email", "letter", "newsletter"):
        return True  # "on head's say so"
    if job == "chair" and "," in first.gap and around.ends and around.after is BLANK:
        return True  # "Sleep well, chair."
    if job == "head" and before.capital and not before.opens and not before.owns and not around.shouted:
        # "the Ashgrove head", but "a Lego head"
        return before.word not in words("openers") and around.before_that.word not in ("a", "an")
    if job in ("chair", "coach") and told and not first.opens:
        return not around.name_follows
    if job == "coach" and before.word in words("this_one"):
        return around.pronoun_follows is not None or after in groups("bare_after")[job]
    begins = before.word in _BETWEEN_CLAUSES or first.gap.strip() != ""
    return begins and after in groups("bare_after")[job]


def _is_a_thing(around: Surroundings) -> bool:
    """ "over the head", "the back of the head", "give your head a wobble"; but "over the head's objection"."""
    before, that, job = around.before.word, around.before_that.word, around.first.word
    if before in words("this_one") and that in groups("bare_not_before")[job]:
        return not around.owns or job == "coach"
    if before == "the" and that == "of" and around.token(around.place - 3).word in _SIDES:
        return True
    return before == "your" and that in groups("bare_not_before_your").get(job, ())
