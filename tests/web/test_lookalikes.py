"""Accounts in our name: listed with the evidence, decided by a person, nothing opened or asked by itself."""

import pytest

from monitor.domain.account import Profile
from monitor.domain.lookalike import LookalikeDecision
from monitor.store.lookalikes import Lookalike
from tests.web.conftest import Browser
from tests.web.world import World

WHY = "its handle is ours, @larkfieldprim, with something added or left out"


def find(world: World, **changes: str) -> int:
    facts = {
        "platform": "x",
        "id": "66",
        "handle": "larkfieldprim_official",
        "name": "Larkfield Primary",
        "about": "The real one",
        "url": "https://x.example/66",
    }
    profile = Profile(**{**facts, **changes}, raw={"created": "2026-11-01 & <b>"})
    with world.store.transaction() as tx:
        tx.lookalikes.save("x-mentions", profile, WHY, world.now)
        return max(one.id for one in tx.lookalikes.all())


def found(world: World) -> list[Lookalike]:
    with world.store.reading() as tx:
        return tx.lookalikes.all()


def test_the_page_shows_the_evidence_and_links_without_opening(browser: Browser, world: World) -> None:
    find(world)
    page = " ".join(browser.get("/lookalikes").text.split())
    for words in (
        "Unofficial or impersonating",
        "Larkfield Primary",
        "@larkfieldprim_official",
        "The real one",
        "It is listed because its handle is ours, @larkfieldprim, with something added or left out.",
        "by Larkfield Primary, said on X",
        '<a href="https://x.example/66" rel="noopener noreferrer nofollow" target="_blank">',
        "2026-11-01 &amp; &lt;b&gt;",
    ):
        assert words in page


def test_a_person_records_a_decision_with_a_note(browser: Browser, world: World) -> None:
    one = find(world)
    answer = browser.submit(f"/lookalikes/{one}", decision="impersonating", note="  told the head\u202e ")
    assert "Recorded." in answer.text
    assert 'To be decided</h2>\n<p class="empty">None.</p>' in answer.text
    [decided] = found(world)
    assert (decided.decision, decided.decided_by, decided.note) == (
        LookalikeDecision.IMPERSONATING,
        "desk",
        "told the head",
    )
    browser.submit(f"/lookalikes/{one}", decision="reported", note="reference 12")
    assert [again.decision for again in found(world)] == [LookalikeDecision.REPORTED]
    assert "Reported to the platform" in browser.get("/lookalikes").text


@pytest.mark.parametrize("decision", ["", "burn it", "OURS"])
def test_only_what_the_page_offers_is_a_decision(browser: Browser, world: World, decision: str) -> None:
    assert browser.submit(f"/lookalikes/{find(world)}", decision=decision).status_code == 400
    assert [one.decision for one in found(world)] == [None]


def test_a_decision_comes_from_our_own_form(browser: Browser, world: World) -> None:
    one = find(world)
    assert browser.post(f"/lookalikes/{one}", data={"decision": "ours"}).status_code == 403
    assert browser.submit(f"/lookalikes/{one}", decision="ours", csrf="0" * 64).status_code == 403
    assert browser.get(f"/lookalikes/{one}").status_code in (404, 405)
    assert [one.decision for one in found(world)] == [None]


def test_a_decision_about_none_is_not_found(browser: Browser) -> None:
    assert browser.submit("/lookalikes/7", decision="ours").status_code == 404


def test_many_are_shown_page_by_page_what_is_left_to_do_first(browser: Browser, world: World) -> None:
    found = [find(world, id=str(number), handle=f"larkfieldprim{number}") for number in range(90)]
    browser.submit(f"/lookalikes/{found[0]}", decision="unrelated")
    browser.submit(f"/lookalikes/{found[1]}", decision="impersonating")
    first = browser.get("/lookalikes").text
    assert (first.count("<form method"), "The next of 50 more" in first) == (40, True)
    last = browser.get("/lookalikes?page=3").text
    assert last.index('id="lookalike-2"') < last.index('id="lookalike-1"'), "it is yet to be reported"
    assert browser.get("/lookalikes?page=0").status_code == 404


def test_hostile_texts_stay_in_their_place(browser: Browser, world: World) -> None:
    hostile = "<script>x</script>\u202e\ud83d\x00" + "a" * 9000
    find(world, name=hostile, handle=hostile, about=hostile, id=hostile)
    page = browser.get("/lookalikes").text
    assert "<script>x" not in page
    assert "\u202e" not in page
    assert "a" * 401 not in page


def test_those_that_wait_are_counted_on_the_status_page_and_in_the_digest(browser: Browser, world: World) -> None:
    find(world)
    decided = find(world, id="67")
    browser.submit(f"/lookalikes/{decided}", decision="unrelated")
    assert "1 account in our name waits for a decision" in browser.get("/status").text
    world.make_digest()
    assert '<a href="/lookalikes">1 account in our name</a> waits for a decision' in browser.get("/digest").text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://user:pass@x.example/", "not an address", ""])
def test_only_a_plain_web_address_is_linked(browser: Browser, world: World, url: str) -> None:
    find(world, url=url)
    assert 'target="_blank"' not in browser.get("/lookalikes").text
