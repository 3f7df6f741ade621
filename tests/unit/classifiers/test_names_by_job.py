"""Whom a text points to by the job: in the role's own words, in others, by what they see to and where they sit."""

from collections.abc import Sequence

import pytest

from classifiers.names import NAMED, Names
from monitor.domain.people import Person


def person(identity: str, title: str, name: str, role: str, *aliases: str) -> Person:
    return Person(id=identity, name=name, title=title, role=role, aliases=aliases)


SECONDARY = (
    person("head", "Mrs", "Olwen Prosser", "headteacher"),
    person("deputy", "Mr", "Dev Chandra", "deputy head and designated safeguarding lead"),
    person("year9", "Miss", "Tess Rowbottom", "English teacher and head of year 9"),
    person("maths", "Mr", "Tariq Mahmoodi", "head of maths"),
    person("past", "Mrs", "Miriam Feldman", "history and RE teacher"),
    person("french", "Mme", "Anne Duval", "French teacher"),
    person("pe", "Mr", "Kit Lomax", "PE coach"),
    person("office", "Mrs", "Janet Bramhall", "receptionist"),
    person("papers", "Ms", "Wendy Fairbrass", "attendance and exams officer"),
    person("clubs", "Mrs", "Leanne Tordoff", "breakfast and after-school club manager"),
    person("site", "Mr", "Ron Tapsell", "site manager"),
    person("kitchen", "Mrs", "Dora Pascoe", "cook"),
    person("lunch", "Mrs", "Sharon Ogden", "lunchtime supervisor"),
    person("crossing", "Mr", "Gary Entwistle", "school crossing patrol and reading volunteer"),
    person("class4", "Miss", "Priya Longden", "Year 4 teacher"),
    person("little", "Miss", "Zofia Marton", "Reception class teacher"),
    person("ta4", "Mr", "Yusuf Abdi", "teaching assistant in year 4"),
    person("ta1", "Miss", "Elif Aksoy", "teaching assistant, Year 1"),
    person("vicar", "Rev", "Hester Vane", "chair of governors"),
    person("board", "Mr", "Clive Rudgeley", "parent governor"),
    person("art", "Mx", "Robin Thackray", "art teacher"),
    person("senco", "Dr", "Aoife Ni Bhriain", "SENCo"),
    person("bus", "Mr", "Norman Askew", "minibus driver"),
)


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(SECONDARY)


def named(names: Names, text: str) -> list[str]:
    return [hit.person for hit in names.find(text) if hit.score >= NAMED]


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("your head of maths can't count", "maths"),
        ("Head of year 9 says they haven't seen anything", "year9"),
        ("head of yr 9 is useless", "year9"),
        ("the RE teacher was kind", "past"),
        ("that history woman marks hard", "past"),
        ("who is teaching history this year", "past"),
        ("the maths teacher shouted", "maths"),
        ("attendance lady lost my letter", "papers"),
        ("exams officer please ring me", "papers"),
        ("the lady who does attendance", "papers"),
        ("that breakfast club woman", "clubs"),
        ("the after school club manager", "clubs"),
        ("the y4 teacher", "class4"),
        ("year 4's teacher", "class4"),
        ("the teacher in year 4", "class4"),
        ("whoever teaches Year 4", "class4"),
        ("the TA in year 4 was asleep", "ta4"),
        ("the year 1 TA", "ta1"),
        ("the reception teacher", "little"),
        ("the deputy knew", "deputy"),
        ("the DSL never rang", "deputy"),
        ("ask the SENCO", "senco"),
        ("the school secretary hung up", "office"),
        ("some old crone on reception", "office"),
        ("the lady who sits in the office", "office"),
        ("Her on reception's lad", "office"),
        ("whoever's on the front desk", "office"),
        ("that caretakers van", "site"),
        ("whoever does the gate", "site"),
        ("the bloke who runs the boiler", "site"),
        ("fat cow in the kitchen", "kitchen"),
        ("that dinner lady", "lunch"),
        ("the lollipop man", "crossing"),
        ("he drives like the man on the minibus", "bus"),
        ("Amen Reverend", "vicar"),
        ("dancing with a vicar", "vicar"),
        ("Could the chair respond?", "vicar"),
        ("do I say Mx like mix?", "art"),
        ("cheers coach", "pe"),
        ("he broke it and coach told him to walk it off", "pe"),
        ("our head is lovely", "head"),
        ("The Ashgrove head resigned", "head"),
        ("Head's a bully", "head"),
        ("Head spends our money", "head"),
        ("that woman calls herself a head", "head"),
        ("Sleep well, chair.", "vicar"),
        ("coach swore blind", "pe"),
        ("Cook's put cheese on it", "kitchen"),
        ("the caretaker's job went to a stranger", "site"),
        ("sack that old lollipop fossil", "crossing"),
        ("on head's say so", "head"),
        ("a head who only answers to the bishop", "head"),
    ],
)
def test_a_job_points_to_who_has_it(names: Names, text: str, identity: str) -> None:
    assert named(names, text) == [identity]


@pytest.mark.parametrize(
    "text",
    [
        "ta for finding his coat",
        "Ta-ra then",
        "no teacher, no TA, nothing",
        "I was a TA for years",
        "as a governor of another school",
        "one of the governors told me",
        "parent governor elections are in May",
        "dinner lady here, from another school",
        "the Secretary of State",
        "every caretaker I know",
        "the former head",
        "the headteacher at my sister's school",
        "my gran was the cook",
        "in 1974 the caretaker had a parrot",
        "when I was there the head knew everybody",
        "the deputy manager at the baths",
        "hang your head",
        "back of the head",
        "Head's spinning",
        "Heads up all",
        "he sat on the chair",
        "chair of the PTA",
        "the coach was an hour late",
        "waiting for the coach to Kent",
        "Cook for ten minutes",
        "her form tutor",
        "is there a new fella on the gate",
        "no one at the office",
        "a new lad in the office",
        "the girl in year 4",
        "that man on reception",
        "the lollipop lady of the other school",
        "I teach history myself",
        "I'm a gay deputy head",
        "that's a job for a dinner lady elsewhere",
        "standing for parent governor",
        "Busy mum, cook, useless at glitter",
        "the cook at the chippy",
        "the caretaker back then",
        "a Lego head in the soup",
        "Put a man on the gate",
        "apologise in person at the gate",
        "the TA redundancies",
        "kids need protecting from it, not teaching it",
    ],
)
def test_words_for_a_job_may_mean_nobody_of_ours(names: Names, text: str) -> None:
    assert named(names, text) == []


def test_a_job_that_more_than_two_have_points_to_nobody() -> None:
    def assistants(count: int) -> Names:
        return Names(
            [Person(id=str(n), name=f"Ann Bo{'o' * n}th", role="teaching assistant") for n in range(count)]
        )

    assert named(assistants(3), "the TA was kind") == []
    (hit,) = assistants(2).find("the TA was kind")
    assert (hit.person, hit.ambiguous_with) == ("0", ("1",))


def test_of_two_at_one_place_the_nearer_job_comes_first() -> None:
    people = (
        person("manager", "Mrs", "Bea Outhwaite", "office manager"),
        person("desk", "Miss", "Amy Rusby", "receptionist"),
        person("gate", "Mr", "Craig Lomax", "gate and minibus"),
        person("site", "Mr", "Vin Stubbs", "caretaker"),
    )
    assert named(Names(people), "that lass on reception") == ["desk"]
    assert named(Names(people), "the fella on the gate") == ["gate"]


def test_the_words_of_the_school_itself_come_first(names: Names) -> None:
    people: Sequence[Person] = (
        *SECONDARY,
        person("second", "Mrs", "Ada Oyelaran", "lecturer", "the maths teacher"),
    )
    assert named(Names(people), "the maths teacher") == ["second"]
    assert named(names, "the maths teacher") == ["maths"]
