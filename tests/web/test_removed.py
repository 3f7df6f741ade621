"""What its author deleted and we have given up is shown as that, wherever its words stood."""

from datetime import timedelta

import pytest

from monitor.domain.verdict import Label
from monitor.pipeline import housekeeping
from tests.web.conftest import Browser
from tests.web.world import World


@pytest.mark.parametrize("page", ["/", "/items", "/cases/1"])
def test_the_pages_say_that_its_author_deleted_it(browser: Browser, world: World, page: str) -> None:
    item = world.say("Lovely fair", ago=timedelta(minutes=5))
    world.gone(item)
    later = world.now + timedelta(days=2)
    assert housekeeping.run(world.store, world.config.policy.book, later) == 1
    shown = browser.get(page).text
    assert "[removed: its author deleted it]" in shown
    assert "Lovely fair" not in shown


def test_a_case_that_keeps_what_its_author_deleted_says_on_what_basis(browser: Browser, world: World) -> None:
    world.gone(world.say("I will find him", Label.THREAT))
    housekeeping.run(world.store, world.config.policy.book, world.now + timedelta(days=2))
    shown = " ".join(browser.get("/cases/1").text.split())
    assert "I will find him" in shown
    assert "UK GDPR Art. 6(1)(e)" in shown
