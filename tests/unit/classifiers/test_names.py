"""Whom a text names, and whom it does not."""

from collections.abc import Sequence

import pytest

from classifiers.names import NAMED, Names
from monitor.domain.people import Person


@pytest.fixture(scope="module")
def names(roster: Sequence[Person]) -> Names:
    return Names(roster)


def named(names: Names, text: str) -> list[str]:
    return [hit.person for hit in names.find(text) if hit.score >= NAMED]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Mrs Young never answers", "head"),
        ("MRS YOUNG NEVER ANSWERS", "head"),
        ("mrs. young's letter", "head"),
        ("Susan Young is a star", "head"),
        ("Thank you Susan, lovely day", "head"),
        ("the head was rude", "head"),
        ("our headteacher was rude", "head"),
        ("round that headteachers house", "head"),
        ("I spoke to the headmistress", "head"),
        ("Deputy head told me to wait", "deputy"),
        ("please ask the DSL to ring", "deputy"),
        ("Mr Bell rang", "deputy"),
        ("Mr Al-Rashid", "year5"),
        ("mr al rashid", "year5"),
        ("Rashid's class won", "year5"),
        ("Mr A is the best", "year5"),
        ("the y5 teacher", "year5"),
        ("year five teacher was kind", "year5"),
        ("Ms O'Connor", "senco"),
        ("Miss O’C has our form", "senco"),
        ("the SENCO ignores us", "senco"),
        ("Mr Zolkiewski's van", "site"),
        ("Mr Żółkiewski", "site"),
        ("that fool of a caretaker", "site"),
        ("Ms Thompson", "reception"),
        ("may thompson is lovely", "reception"),
        ("Peter Grant lied", "chair"),
        ("Chair of governors is useless", "chair"),
        ("Mrs Price's gravy", "cook"),
        ("rose price cant cook", "cook"),
        ("the year 1 TA was kind", "ta1"),
        ("Mrs Rhys", "ta2"),
        ("@rob_bell99 shame on you", "deputy"),
        ("@MissEYoung thank you", "year3"),
        ("@mr_bell_1 shame on you", "deputy"),
        ("Robbie Bell is a star", "deputy"),
        ("Mr Rob was kind", "deputy"),
        ("Young (Miss) is off today", "year3"),
        ("Cheers Rose!", "cook"),
        ("sack Price", "cook"),
        ("Price out", "cook"),
        ("Price's face when the gravy ran out", "cook"),
        ("Price lied to us", "cook"),
        ("that fella Grant", "chair"),
        ("Rose in the kitchen is an angel", "cook"),
        ("Zolkiewski mended it", "site"),
    ],
)
def test_a_person_is_found_however_named(names: Names, text: str, person: str) -> None:
    assert named(names, text) == [person]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Miss Oconnor", "senco"),
        ("Mrs Pattel never rings", "office"),
        ("Mr Zolkievsky fixed it", "site"),
        ("Mr Rasheed was great", "year5"),
        ("Thompsen was late again", "reception"),
        ("Mr Jolkievski's van", "site"),
        ("Parveen Pattel never rings", "office"),
        ("mrs pattels phone manner", "office"),
    ],
)
def test_a_misspelt_name_is_found(names: Names, text: str, person: str) -> None:
    assert [hit.person for hit in names.find(text)] == [person]


@pytest.mark.parametrize(
    "text",
    [
        "The price of shoes these days",
        "Young people today",
        "the young ones loved it",
        "Half term in May went fast",
        "May we come in?",
        "The bell rang late",
        "a grant for the field",
        "rolled down the hill",
        "Well done all the May queens",
        "a rose 🌹 for everyone 🔔",
        "Hill Street is closed",
        "price is too high",
        "Price is 3.20 from Monday",
        "Hill walking on Saturday",
        "He rose to it",
        "Love the bells",
    ],
)
def test_a_word_is_not_a_name(names: Names, text: str) -> None:
    assert named(names, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "RIP Ted Bell, he got us all across safe",
        "Mr Young shouted at us in 1974",
        "Emily in Year 2 fell over",
        "my Emily loves it here",
        "Emily Jones was a star",
        "Miss Rose Hillier taught me",
        "The Patel family sends love",
        "the head of the dragon fell off",
        "bumped his nose on the head",
        "it went over my head",
        "the former headteacher",
        "the caretaker of the day, Mr Jessop",
        "shouted at a cook in another town",
        "we'll miss young Tommy",
        "no TA in class again",
        "Ted and Mr Grant the butcher gave the prizes",
        "Mr Bell at my sister's school is a saint",
        "the Patel boys won",
        "my mate Rob said so",
        "a girl called Emily",
        "Mrs Bellamy sent a card",
    ],
)
def test_somebody_else_is_not_our_person(names: Names, text: str) -> None:
    assert named(names, text) == []


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("young is a disgrace and everybody knows it", "head"),
        ("Young, you liar", "head"),
        ("that Price can't cook", "cook"),
        ("hill and bell should be sacked", "ta1"),
    ],
)
def test_a_surname_that_is_a_word_counts_where_the_text_speaks_of_a_person(
    names: Names, text: str, person: str
) -> None:
    assert named(names, text)[0] == person


TRAPS = (
    Person(id="english", name="Duncan English", title="Mr", role="Year 5 teacher"),
    Person(id="black", name="Sylvester Black", title="Mr", role="caretaker"),
    Person(id="cook", name="Noreen Fell", title="Mrs", role="school cook"),
    Person(id="stone", name="Ada Stone", title="Mrs", role="Year 2 teacher"),
    Person(id="crossing", name="Cyril Hope", title="Mr", role="lollipop man"),
    Person(id="priest", name="Anselm Tully", title="Fr", role="chaplain"),
    Person(id="choir", name="Perpetua Nwosu", title="Sr", role="choir leader"),
    Person(id="ta", name="Lesley Crabbe", title="Mrs", role="teaching assistant"),
    Person(id="deputy", name="Anselm Fitzgibbon-Rao", title="Mr", role="deputy head", aliases=("Mr Fitz",)),
    Person(id="office", name="Brenda Outhwaite", title="Mrs", role="office manager"),
)


@pytest.fixture(scope="module")
def traps() -> Names:
    return Names(TRAPS)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Black is a miserable goat", "black"),
        ("English told him to sit down", "english"),
        ("That English is a liar", "english"),
        ("Stone, if I ever catch you", "stone"),
        ("Stone's a drunk-looking old git", "stone"),
        ("Stone's ugly sister", "stone"),
        ("Stone puts my lad in isolation", "stone"),
        ("our Cyril is lovely", "crossing"),
        ("Sister took the register", "choir"),
        ("Sister Nwosu sang", "choir"),
        ("Father, your fly", "priest"),
        ("Lesly Crab is a star", "ta"),
        ("brender hung up on me", "office"),
        ("#TeamNwosu", "choir"),
        ("Fitz never rang", "deputy"),
        ("crabbes getting worse", "ta"),
    ],
)
def test_a_trap_may_be_a_person(traps: Names, text: str, person: str) -> None:
    assert named(traps, text) == [person]


@pytest.mark.parametrize(
    "text",
    [
        "a word of English at the bus stop",
        "speak english you animals",
        "We're English, we like our day",
        "a doll with Black skin",
        "She is ten, Black, and bright",
        "my auntie's black skirt",
        "gold in the fell race",
        "hope you choke",
        "that stone goes at 8.40",
        "our Cyril is in Year 2",
        "Cyril from the blazer shop",
        "Cyril (my brother, not yours)",
        "felt a proper cyril",
        "happy Father's Day",
        "my sister sang",
        "Different Cyril Hope! I'm Cyril Hope the plumber",
        "my uncle Cyril Hope keeps bees, different Cyril Hope",
        "Cyril (NOT the lollipop man)",
        "our neighbour Mrs Crabb",
    ],
)
def test_a_trap_may_be_a_word_or_somebody_else(traps: Names, text: str) -> None:
    assert named(traps, text) == []


def test_a_title_decides_between_two_of_one_surname(names: Names) -> None:
    assert named(names, "Mrs Young and Miss Young") == ["head", "year3"]
    assert not any(hit.ambiguous_with for hit in names.find("Miss Young"))


def test_a_first_name_decides_between_two_of_one_surname(names: Names) -> None:
    assert named(names, "Emily Young") == ["year3"]


def test_a_bare_surname_means_the_more_senior_and_says_who_else(names: Names) -> None:
    (hit,) = names.find("that Young is a liar")
    assert (hit.person, hit.ambiguous_with) == ("head", ("year3",))


@pytest.mark.parametrize("text", ["is it Mrs/Miss Young who takes choir?", "Mrs and Miss Young sang"])
def test_two_titles_before_one_name_name_both(names: Names, text: str) -> None:
    assert set(named(names, text)) == {"head", "year3"}


def test_of_two_with_one_initial_the_job_in_the_text_decides(names: Names) -> None:
    assert named(names, "Mrs P in the kitchen") == ["cook"]
    assert named(names, "Mrs P at reception") == ["office"]


def test_a_disclaimed_namesake_is_only_possible(names: Names) -> None:
    (hit,) = names.find("Parveen passed away (different Parveen, before anyone panics)")[:1]
    assert hit.person == "office"
    assert hit.score < NAMED


def test_a_namesake_of_one_does_not_make_another_somebody_else(names: Names) -> None:
    assert named(names, "That's a different Parveen. Susan would know.") == ["head"]


def test_he_or_she_decides_between_a_job_and_a_surname() -> None:
    people = [
        Person(id="kitchen", name="Dora Banks", title="Mrs", role="cook"),
        Person(id="gate", name="Kelvin Cook", title="Mr", role="caretaker"),
    ]
    (his,) = Names(people).find("Cook had his hand in the float")
    (hers,) = Names(people).find("Cook had her hand in the float")
    assert (his.person, his.ambiguous_with) == ("gate", ("kitchen",))
    assert (hers.person, hers.ambiguous_with) == ("kitchen", ("gate",))


def test_the_place_is_that_of_the_original_text(names: Names) -> None:
    text = "😀 ask Mr Żółkiewski, please"
    (hit,) = names.find(text)
    assert text[hit.start : hit.end] == "Mr Żółkiewski"


def test_the_possessive_is_no_part_of_the_place(names: Names) -> None:
    text = "Mrs Patel’s phone"
    (hit,) = names.find(text)
    assert text[hit.start : hit.end] == "Mrs Patel"


def test_odd_rosters_and_texts_do_no_harm() -> None:
    odd = Names([Person(id="a", name="王伟"), Person(id="b", name=""), Person(id="c", name="Cher")])
    assert odd.find("") == []
    assert [hit.person for hit in odd.find("I met Cher \ud800 @ @@ 王伟")] == ["c"]
    assert Names([]).find("Mrs Young") == []
    roles = [Person(id=role, name="Ann", role=role) for role in ("", "of", "head of", ", and", "the", "year", "4")]
    assert Names(roles).find("the head of year 4") == []
