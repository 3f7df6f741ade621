"""Private data that has a shape: contact details, a pupil's full name, health and family matters beside a name."""

from collections.abc import Sequence

import pytest

from classifiers.names import Names
from classifiers.personal_data import find
from monitor.domain.people import Person


def private(text: str, people: Sequence[Person] = ()) -> list[str]:
    return [text[span.start : span.end] for span in find(text, Names(people).find(text) if people else [])]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("ring me on 07700 900123 please", "07700 900123"),
        ("ring +44 7700 900123", "+44 7700 900123"),
        ("0 7 7 0 0 9 0 0 1 2 3 any time", "0 7 7 0 0 9 0 0 1 2 3"),
        ("07700\u200b900123", "07700\u200b900123"),
        ("babcia has +48 601 234 567", "+48 601 234 567"),
        ("01632-960-001", "01632-960-001"),
        ("(01632) 960001", "(01632) 960001"),
        ("her home number is 01632 960001", "01632 960001"),
        ("we live in SW1A 2AA now", "SW1A 2AA"),
        ("mail jo.bloggs+x@example.org", "jo.bloggs+x@example.org"),
        ("she lives at 14 Tanner's Row", "14 Tanner's Row"),
        ("Flat 2, 61 Quarry Rise", "Flat 2, 61 Quarry Rise"),
        ("he's at Flat 4, The Old Ropeworks", "Flat 4, The Old Ropeworks"),
        ("her nan is at 12 canal street", "12 canal street"),
        ("Coldharbour Cottages, the end one, number 6", "Coldharbour Cottages, the end one, number 6"),
        ("she lives on Sorrel Drive, the one with the gnomes", "Sorrel Drive"),
        ("I drive past your flat on Gannow Street", "Gannow Street"),
        ("our street is Alder Bank, I'm at 41, knock", "Alder Bank, I'm at 41"),
        ("they should go round to number 9 Tenter Row", "9 Tenter Row"),
        ("her address is 3 glassworks court", "3 glassworks court"),
        ("My house is the pink one by the school, 2 Ballast Road", "2 Ballast Road"),
    ],
)
def test_contact_details_are_found(text: str, detail: str) -> None:
    assert private(text) == [detail]


@pytest.mark.parametrize(
    "text",
    [
        "won 6-0 in 2024",
        "£1,000,000 raised",
        "100 Years of Hill Park School",
        "class of 1974-1980",
        "3.15 at gate 2",
        "@jbloggs",
        "Year 6 Road Safety",
        "0 out of 10",
        "Y5 2nd place",
        "account 55779911, sort code 20-00-00",
        "order 123456789012",
    ],
)
def test_ordinary_numbers_are_not(text: str) -> None:
    assert private(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "School office is 01632 960500 if anybody needs it",
        "Childline is 0800 1111, the council 0300 123 4567",
        "office@school.example.org is the address for absence",
        "The kebab shop at 44 Dock Street gave us free wraps",
        "Ms de Sousa can help in confidence on 01632 960118",
        "he was seen at six at a house on our street",
        "As a resident of Hawthorn Close I object",
        "We lived on Bell Lane, number 9 as was",
    ],
)
def test_an_organisations_address_is_no_secret_nor_is_one_of_old(text: str) -> None:
    assert private(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Well done Oliver Whitcombe in Year 4!", "Oliver Whitcombe"),
        ("It's Amelia Thornbury's mum here", "Amelia Thornbury"),
        ("my granddaughter Isla-Rae Cuthbertson won", "Isla-Rae Cuthbertson"),
        ("Ozioma Achterberg, 8D, with a poem", "Ozioma Achterberg"),
        ("So proud of our Zbyszek Ó Braonáin", "Zbyszek Ó Braonáin"),
        ("Elif Yılmaz your mum is over the moon", "Elif Yılmaz"),
        ("Camel front: Wrenna Stobbart. Camel back: Tolly Pringle", "Wrenna Stobbart"),
        ("elsie may drummond, Elsie May Drummond, aged 6", "Elsie May Drummond"),
        ("oscar plimsoll yr 9 has nits", "oscar plimsoll"),
        ("Amelia Okonjo 👏👏", "Amelia Okonjo"),
    ],
)
def test_a_pupils_full_name_is_found(text: str, name: str) -> None:
    assert name in private(text.replace("Camel front", "Cast list! Camel front"))


def test_every_name_of_a_list_is_found() -> None:
    text = "Under 9s: Harvey Telfer, Mohammed Iqbal, Wasim Dhobi (gk), subs Rory Heslop and Bazza O'Toole"
    assert private(text) == ["Harvey Telfer", "Mohammed Iqbal", "Wasim Dhobi", "Rory Heslop", "Bazza O'Toole"]


@pytest.mark.parametrize(
    "text",
    [
        "Mrs Price in Year 4",
        "Well Done Year 4",
        "Oliver in Year 4",
        "Thank You Year 6",
        "Congratulations to old girl Winnie Popplestone, class of 68, on her MBE",
        "Councillor Ruby Akhtar said she would look at the parking",
        "I'm Jamie Forrest from the Evening Herald",
        "Kind regards, Thomas Whitfield",
        "RIP Stanley Owen, caretaker here for thirty years",
        "Huge thanks to Dave Hargreaves for fixing the goals",
        "@Emma Wilson look at this",
        "Shelby Marchetti @ShelbyM is this your year's photo?",
        "Not our Jack Smith, a different one",
        "Emma Wilson look at this",
        "Zofia Zielińska zobacz jakie super",
        "Harry Potter day, Michael Rosen's poem and a tale of Beatrix Potter",
        "Holly Lane is flooded, Florence Road too, meet at Oak Park Juniors",
        "Willow Class with Daisy Chain Nursery at St John Ambulance",
        "Robinson Crusoe tickets £3",
        "#WellDone Oliver",
    ],
)
def test_whoever_is_grown_up_or_famous_or_a_place_is_no_pupil(text: str) -> None:
    assert private(text) == []


def test_a_staff_members_name_is_none_of_a_pupils(roster: Sequence[Person]) -> None:
    assert private("Well done Emily Young in Year 3 and Emily Sowden in Year 3", roster) == ["Emily Sowden"]


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("Mrs Young is having chemo so leave her alone", "chemo"),
        ("Rob Bell's wife left him, that's why he's a grump", "wife left"),
        ("She had a miscarriage, Miss Young, so leave off", "miscarriage"),
        ("Poor Mr Bell. Third operation I heard. Be gentle", "operation"),
        ("Miss O'Connor we were so sorry to hear about the miscarriage", "miscarriage"),
        ("Rob Bell's lad's been diagnosed with Crohn's", "diagnosed with"),
        ("Talulah Brandreth is diabetic, stop giving her sweets", "diabetic"),
    ],
)
def test_a_private_matter_beside_a_name_is_found(text: str, matter: str, roster: Sequence[Person]) -> None:
    assert matter in private(text, roster)


@pytest.mark.parametrize(
    "text",
    [
        "My son has epilepsy and Mrs Young was wonderful",
        "When I was in hospital Mr Bell rang every day",
        "Mr Bell ran for cancer research",
        "Anyone asked the deputy about an autism assessment?",
        "mr bell if ur reading this im 27 and divorced",
        "Sponsor Miss Young, breast cancer awareness month!",
        "Sleeping lions was a stroke of genius Mr Bell",
        "Who signed off the plinth, Mrs Young?",
        "a stent and chemo",
        "Mr Bell's ADHD reading pens came and he's asleep with his",
        "The deputy let the autistic group run twice",
        "Miss Young is dressing as Florence Nightingale",
    ],
)
def test_what_concerns_somebody_else_or_nobody_is_not(text: str, roster: Sequence[Person]) -> None:
    assert private(text, roster) == []


@pytest.mark.parametrize(
    "text",
    ["0" * 50_000, "a@" * 20_000, "1 A " * 10_000, "Aa " * 30_000, "Jack Jones, " * 8_000, "flat 1 " * 10_000],
)
def test_a_long_text_is_searched_at_once(text: str) -> None:
    assert find(text, []) is not None
