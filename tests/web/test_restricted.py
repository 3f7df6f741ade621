"""What the rule book restricts is a stub on every page, but for those who entered the leaders' code."""

from datetime import timedelta

import pytest

from monitor.domain.case import CaseStatus
from monitor.domain.evidence import CapturedFile
from monitor.domain.item import Author, ItemKind
from monitor.domain.verdict import Label
from tests.web.conftest import LEADERS_CODE, Browser
from tests.web.world import World

SECRETS = ("bruise", "Zebedee", "frightened", "canary-edit", "zeb_handle", "canary-record")
STUB = "With the safeguarding lead (DSL) and the deputy safeguarding lead"


@pytest.fixture
def disclosure(world: World) -> int:
    """A child's disclosure in a thread, edited since, with evidence and mail; and the same said in history."""
    post = world.say("Sports day pictures are up", kind=ItemKind.POST, ago=timedelta(hours=9))
    with world.store.reading() as tx:
        top = tx.items.get(post)
    assert top is not None
    ref = top.item.ref
    author = Author(id="9", display_name="Zebedee Quill", handle="zeb_handle")
    about = {"parent": ref, "thread": ref, "author": author}
    item = world.say("She came home with a bruise and is frightened", Label.SAFEGUARDING, words=["bruise"], **about)
    world.say("canary-edit of it", Label.SAFEGUARDING, **about)
    world.say("What time does it finish?", Label.QUERY, parent=ref, thread=ref)
    world.say("A bruise, years ago", Label.SAFEGUARDING, ago=timedelta(days=400), author=author)
    world.keep_evidence(CapturedFile(name="thread.json", media_type="application/json", body=b"canary-record"))
    world.tell()
    world.make_digest()
    world.proven_read()
    return item


def every_page(browser: Browser, world: World) -> dict[str, str]:
    """Every page there is, by its address, as this browser gets it."""
    with world.store.reading() as tx:
        cases = [case.id for case in tx.cases.all()]
        mails = [message.id for message in tx.outbox.messages()]
        files = [
            f"/evidence/{one.id}/{file.name}"
            for case in cases
            for one in tx.evidence.of_case(case)
            for file in one.files
        ]
    paths = ["/", "/items", "/digest", "/mail", "/status", "/health", "/unlock?leaders=true"]
    paths += [f"/items?q={word}" for word in (*SECRETS, "a", "%", "What")]
    paths += [f"/items?before={number}" for number in range(1, 7)]
    paths += [f"/cases/{number}" for number in cases]
    paths += [f"/cases/{number}?done=closed" for number in cases]
    paths += [f"/mail/{number}{end}" for number in mails for end in ("", "/letter")]
    paths += files
    return {path: browser.get(path).text for path in paths}


def test_no_page_shows_anything_of_it(browser: Browser, world: World, disclosure: int) -> None:
    pages = every_page(browser, world)
    assert len(pages) > 30
    told = {path: secret for path, text in pages.items() for secret in SECRETS if secret in _without_search(text)}
    assert told == {}


def _without_search(page: str) -> str:
    """A page without the searched words that it repeats in its own search box and links."""
    return "\n".join(line for line in page.splitlines() if 'id="q"' not in line)


def test_the_stub_says_whose_it_is_and_what_to_leave_alone(browser: Browser, world: World, disclosure: int) -> None:
    number = world.case_of(disclosure).id
    for path in ("/", "/items", "/digest", f"/cases/{number}"):
        page = browser.get(path).text
        assert STUB in page
        assert "do not reply, hide or delete" in page


def test_it_is_a_stub_in_the_conversation_around_another_case(
    browser: Browser, world: World, disclosure: int
) -> None:
    with world.store.reading() as tx:
        [other] = [entry.case.id for entry in tx.queue.to_handle(world.now) if entry.case.visible_to is None]
    page = browser.get(f"/cases/{other}").text
    assert "What time does it finish?" in page
    assert page.count(STUB) == 2


def test_a_search_does_not_betray_it_by_finding_it(browser: Browser, disclosure: int) -> None:
    page = browser.get("/items?q=bruise").text
    assert "Nothing read has these words" in page
    assert STUB not in page


def test_its_mail_is_named_neither_by_subject_nor_recipient(
    browser: Browser, world: World, disclosure: int
) -> None:
    page = browser.get("/mail").text
    assert "Confidential mail" in page
    assert "david.okafor@larkfield.example" not in page.replace("to <bdi>margaret", "")


@pytest.mark.parametrize("act", ["acknowledge", "close", "reopen"])
def test_nobody_else_can_act_on_it(browser: Browser, world: World, disclosure: int, act: str) -> None:
    case = world.case_of(disclosure)
    answer = browser.submit(f"/cases/{case.id}/{act}", decision="no_action")
    assert answer.status_code == 403
    assert STUB.lower()[5:20] in answer.text.lower()
    assert world.case_of(disclosure).status is CaseStatus.OPEN


def test_its_evidence_is_refused(browser: Browser, disclosure: int) -> None:
    answer = browser.get("/evidence/1/page.png")
    assert answer.status_code == 403
    assert not answer.content.startswith(b"\x89PNG")


def test_a_picture_of_the_page_that_it_stands_on_is_kept_too(
    browser: Browser, world: World, disclosure: int
) -> None:
    """The evidence of a threat in the same conversation shows the disclosure beside it."""
    with world.store.reading() as tx:
        stored = tx.items.get(disclosure)
    assert stored is not None
    beside = world.say("I will find him", Label.THREAT, parent=stored.item.parent, thread=stored.item.thread)
    elsewhere = world.say("I will find her", Label.THREAT)
    world.keep_evidence()
    for item, shown in ((beside, False), (elsewhere, True)):
        case = world.case_of(item)
        with world.store.reading() as tx:
            [kept] = tx.evidence.of_case(case.id)
        page = browser.get(f"/cases/{case.id}").text
        assert (f"/evidence/{kept.id}/page.png" in page) is shown
        assert ("it pictures the whole conversation" in page) is not shown
        for file in kept.files:
            assert browser.get(f"/evidence/{kept.id}/{file.name}").status_code == (200 if shown else 403)


def test_the_leaders_code_opens_all_of_it(browser: Browser, world: World, disclosure: int) -> None:
    assert "Confidential matters are open" in browser.unlock(LEADERS_CODE).text
    number = world.case_of(disclosure).id
    page = browser.get(f"/cases/{number}").text
    for secret in ("bruise", "Zebedee Quill", "frightened"):
        assert secret in page
    assert "bruise" in browser.get("/").text
    assert "A bruise, years ago" in browser.get("/items?q=bruise").text
    assert browser.get("/evidence/1/page.png").content.startswith(b"\x89PNG")
    assert "david.okafor@larkfield.example" in browser.get("/mail").text
    assert STUB not in browser.get("/items").text


def test_a_leader_can_act_on_it(browser: Browser, world: World, disclosure: int) -> None:
    browser.unlock(LEADERS_CODE)
    browser.submit(f"/cases/{world.case_of(disclosure).id}/acknowledge")
    assert world.case_of(disclosure).status is CaseStatus.ACKNOWLEDGED


def test_closing_the_leaders_view_makes_it_a_stub_again(browser: Browser, world: World, disclosure: int) -> None:
    browser.unlock(LEADERS_CODE)
    browser.submit("/lock")
    page = browser.get(f"/cases/{world.case_of(disclosure).id}").text
    assert "bruise" not in page
    assert STUB in page


def test_it_is_not_glanced_away_with_others(browser: Browser, world: World, disclosure: int) -> None:
    ordinary = world.case_of(world.say("Lovely"))
    restricted = world.case_of(disclosure)
    answer = browser.submit("/glance", case=[str(ordinary.id), str(restricted.id)])
    assert answer.status_code == 403
    assert world.case_of(ordinary.item_id).status is CaseStatus.OPEN
