"""Which accounts may be taken for the school's, and why."""

from dataclasses import replace

import pytest

from monitor.domain.account import Profile
from monitor.domain.lookalike import resembles
from monitor.domain.mentions import SchoolNames

NAMES = SchoolNames(
    names=("Larkfield Primary",),
    misspellings=("Larkfeild Primary",),
    handles=("larkfieldprim",),
    places=("Northvale",),
    elsewhere=("Leyland",),
)
OURS = ("larkfieldprim", "100200300")


def profile(handle: str = "somebody", name: str = "", about: str = "", id: str = "9") -> Profile:
    return Profile(platform="x", id=id, handle=handle, name=name, about=about, url="")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (profile("1arkfieldprim"), "its handle looks like ours, @larkfieldprim, but is written with other signs"),
        (
            profile("l\u0430rkfieldprim"),
            "its handle looks like ours, @larkfieldprim, but is written with other signs",
        ),
        (profile("larkfie1d_prim"), "its handle looks like ours, @larkfieldprim, but is written with other signs"),
        (
            profile("larkfieldprim_official"),
            "its handle is ours, @larkfieldprim, with something added or left out",
        ),
        (profile("RealLarkfieldPrim2026"), "its handle is ours, @larkfieldprim, with something added or left out"),
        (profile("larkfeildprim"), "its handle differs from ours, @larkfieldprim, by a letter or two"),
        (profile("larkfieldprimary.memes"), "its handle holds the school's name, “Larkfield Primary”"),
        (profile(name="L\u0430rkfield  PRIMARY School"), "it is called by the school's name, “Larkfield Primary”"),
        (
            profile(name="Larkfeild Primary confessions"),
            "it is called by the school's name as it is often misspelt, “Larkfeild Primary”",
        ),
        (
            profile(about="The official page of Larkfield Primary"),
            "it says that it is official, and holds the school's name, “Larkfield Primary”",
        ),
    ],
)
def test_an_account_that_may_be_taken_for_ours_is_listed_with_the_reason(found: Profile, why: str) -> None:
    assert resembles(found, NAMES, OURS) == why


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(profile("@LarkfieldPrim", "Larkfield Primary"), id="ours by its handle"),
        pytest.param(profile("", "Larkfield Primary", id="100200300"), id="ours by its id"),
        pytest.param(profile("larkfieldpri1", "Larkfield Primary", "Leyland, Lancashire"), id="another school's"),
        pytest.param(
            profile("jo_mum", "Jo", "Mum of two at Larkfield Primary"), id="a parent who names the school"
        ),
        pytest.param(profile("larkfieldgarage", "Larkfield Garage"), id="the village's garage"),
        pytest.param(profile("", ""), id="nothing is known of it"),
        pytest.param(profile("x" * 100_000, "\ud83d\u0000" * 1000), id="rubbish"),
    ],
)
def test_others_are_not_listed(found: Profile) -> None:
    assert resembles(found, NAMES, OURS) is None


def test_our_handle_on_a_platform_where_we_have_no_such_account_is_listed() -> None:
    squatter = profile("larkfieldprim@mastodon.example")
    assert resembles(squatter, NAMES, ()) == (
        "its handle is ours, @larkfieldprim, but the account is not in the register"
    )


def test_a_name_that_many_schools_bear_needs_our_place_but_our_handle_does_not() -> None:
    many = replace(NAMES, place_needed=True)
    assert resembles(profile(name="Larkfield Primary"), many, OURS) is None
    assert resembles(profile(name="Larkfield Primary", about="Northvale"), many, OURS)
    assert resembles(profile("larkfieldprim_"), many, OURS)


def test_a_short_handle_is_not_seen_in_others() -> None:
    short = SchoolNames(handles=("oaks",))
    assert resembles(profile("oak"), short, ()) is None
    assert resembles(profile("oaks2"), short, ()) is None
