"""Who is told: whoever holds the role, around the accused, and never nobody."""

from monitor.domain.people import Person, Role, unheld_roles
from monitor.domain.policy import PolicyFile
from monitor.domain.routing import recipients

HEAD = Person(id="joan", name="Joan Price", roles=(Role.HEADTEACHER,), email="joan@school.example")
DEPUTY = Person(
    id="david", name="David Okafor", roles=(Role.DEPUTY_HEADTEACHER, Role.DSL), email="david@school.example"
)
CHAIR = Person(id="colin", name="Colin", roles=(Role.CHAIR_OF_GOVERNORS,), email="colin@school.example")
WITHOUT_MAIL = Person(id="tom", name="Tom Field", roles=(Role.DPO,))
PEOPLE = (HEAD, DEPUTY, CHAIR, WITHOUT_MAIL)
BOOK = PolicyFile(
    rules=(),
    fallback=(Role.DEPUTY_HEADTEACHER, Role.CHAIR_OF_GOVERNORS),
    outside_contact="duty@authority.example",
)


def test_everybody_who_holds_a_role_is_told_once() -> None:
    assert recipients(["headteacher", "dsl", "deputy_headteacher"], PEOPLE, BOOK).emails == (
        "joan@school.example",
        "david@school.example",
    )


def test_an_accused_headteacher_is_gone_around_to_the_deputy() -> None:
    found = recipients(["headteacher"], PEOPLE, BOOK, accused=["joan"])
    assert found.emails == ("david@school.example",)
    assert found.unreached == (Role.HEADTEACHER,)


def test_if_the_deputy_is_accused_too_the_chair_is_told() -> None:
    assert recipients(["headteacher"], PEOPLE, BOOK, accused=["joan", "david"]).emails == ("colin@school.example",)


def test_if_nobody_is_left_the_outside_contact_is_told() -> None:
    everybody = ["joan", "david", "colin"]
    assert recipients(["headteacher"], PEOPLE, BOOK, accused=everybody).emails == ("duty@authority.example",)


def test_a_role_held_only_by_somebody_without_an_address_reaches_nobody_and_is_reported() -> None:
    found = recipients(["dpo"], PEOPLE, BOOK)
    assert found.unreached == (Role.DPO,)
    assert found.emails == ("david@school.example",)


def test_no_roles_tell_nobody() -> None:
    assert recipients([], PEOPLE, BOOK).emails == ()


def test_roles_that_nobody_holds_are_known() -> None:
    assert Role.DPO in unheld_roles(PEOPLE)
    assert Role.HEADTEACHER not in unheld_roles(PEOPLE)
