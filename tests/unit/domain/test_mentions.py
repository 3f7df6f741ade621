"""Whether a text that a search for the school's names found speaks of it, or of another school of that name."""

import pytest

from monitor.domain.mentions import SchoolNames

LARKFIELD = SchoolNames(
    names=("Larkfield Primary",),
    handles=("larkfieldprim", "larkfield.bsky.social"),
    places=("Ashbourne", "Milton Ash"),
    elsewhere=("Leeds", "Glasgow"),
)
ST_MARYS = SchoolNames(names=("St Mary's Primary",), places=("Ashbourne",), elsewhere=("Leeds",), place_needed=True)


@pytest.mark.parametrize(
    "text",
    [
        "Larkfield Primary is closed today",
        "Larkfield Primary in Ashbourne, not the one in Leeds",
        "LARKFIELD PRIMARY, ÁSHBOURNE",
        "@larkfieldprim what about Leeds?",
        "larkfield.bsky.social wrote from Leeds",
        "Leeds beat #MiltonAsh and #ashbourne cheered for Larkfield Primary",
        "Larkfield Primary's Leedsichthys exhibition",
        "",
    ],
)
def test_in_doubt_it_is_ours(text: str) -> None:
    assert LARKFIELD.mean_us(text)


@pytest.mark.parametrize(
    "text",
    ["Larkfield Primary in Leeds", "larkfield primary (GLASGOW)", "Larkfield Primary #Leeds", "Leeds' Larkfield"],
)
def test_a_place_that_only_another_school_is_in_means_that_school(text: str) -> None:
    assert not LARKFIELD.mean_us(text)


def test_whoever_writes_from_our_place_means_us() -> None:
    assert LARKFIELD.mean_us("Larkfield Primary played in Leeds", "Ashbourne News")


def test_a_threat_against_us_by_somebody_from_elsewhere_is_ours() -> None:
    assert LARKFIELD.mean_us("I will burn Larkfield Primary down", "Mike from Leeds", "glasgow")
    assert not LARKFIELD.mean_us("Our fair is on Friday", "Larkfield Primary Leeds", "lark_leeds")


def test_a_handle_is_known_with_and_without_its_sign() -> None:
    told = SchoolNames(names=("Larkfield",), handles=("@larkfieldprim",), elsewhere=("Leeds",))
    assert told.mean_us("x.com/larkfieldprim on Leeds")


def test_a_name_that_many_schools_bear_counts_only_beside_our_place() -> None:
    assert ST_MARYS.mean_us("St Mary's Primary, Ashbourne")
    assert not ST_MARYS.mean_us("St Mary's Primary has a new head")


def test_a_school_that_has_told_no_names_is_meant_by_everything() -> None:
    assert SchoolNames().mean_us("Anything at all")
    assert SchoolNames(elsewhere=("Leeds",), place_needed=True).mean_us("Leeds")


def test_hostile_names_and_texts_are_only_words() -> None:
    odd = SchoolNames(names=("(Lark",), places=("", "  ", "\ud83d"), elsewhere=("[Leeds",))
    assert odd.mean_us("\x00 (Lark \u202e")
    assert not odd.mean_us("Leeds (Lark")
