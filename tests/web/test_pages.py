"""What the pages show and do."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from monitor.domain.case import CaseStatus
from monitor.domain.evidence import CapturedFile
from monitor.domain.item import Author, ItemKind
from monitor.domain.verdict import Label
from monitor.web.desk import Desk
from monitor.web.views.queue import SHOWN
from tests.web.conftest import Browser
from tests.web.world import SAID_ON_X, World, reading_of

PAGES = (
    "/",
    "/items",
    "/digest",
    "/mail",
    "/lookalikes",
    "/status",
    "/unlock?leaders=true",
    "/cases/1",
    "/nothing",
)


def order(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-id="(\d+)"', page)]


def test_the_queue_shows_the_gravest_then_the_late_then_by_time(browser: Browser, world: World) -> None:
    question = world.say("What time is it?", Label.QUERY, ago=timedelta(hours=2))
    late = world.say("Still no answer", Label.COMPLAINT, ago=timedelta(hours=30))
    earlier = world.say("Which gate?", Label.QUERY, ago=timedelta(hours=9))
    threat = world.say("I will find him", Label.THREAT)
    glance = world.say("Lovely!", ago=timedelta(hours=1))
    expected = [world.case_of(item).id for item in (threat, late, earlier, question, glance)]
    assert order(browser.get("/").text) == expected


def test_an_entry_says_where_who_what_and_by_when(browser: Browser, world: World) -> None:
    author = Author(id="1", display_name="Priya K", handle="priyak")
    world.say("Which gate?", Label.QUERY, author=author, ago=timedelta(hours=23))
    page = " ".join(re.sub(r"<[^>]+>", "", browser.get("/").text).split())
    for words in (
        "Facebook, our account",
        "Priya K @priyak",
        "Tue 17 Nov, 13:00",
        "Which gate?",
        "A question",
        "1 hour left",
        "Due Wed 18 Nov, 13:00",
        "Received on a working day (Tue 17 Nov, 13:00): 24 hours",
    ):
        assert words in page


def test_a_hostile_text_is_not_on_the_page_in_the_open(browser: Browser, world: World) -> None:
    world.say("I will find you", Label.THREAT)
    world.say("You utter muppet", Label.ABUSE, account=SAID_ON_X)
    world.say("Bloody good show, muppets", Label.PROFANITY)
    page = browser.get("/").text
    veils = re.findall(r"<details class=\"veil\">.*?</details>", page, re.DOTALL)
    assert ["I will find you" in veil or "You utter muppet" in veil for veil in veils] == [True, True]
    rest = re.sub(r"<details class=\"veil\">.*?</details>", "", page, flags=re.DOTALL)
    assert "I will find you" not in rest
    assert "Bloody good show" in rest


def test_an_empty_queue_says_what_was_read_and_never_that_all_is_well(browser: Browser, world: World) -> None:
    world.say("Older than the service", ago=timedelta(days=90))
    world.proven_read("x-official")
    page = browser.get("/").text
    assert "Nothing needs anybody now. 1 comment read so far" in page
    assert f"{len(world.config.accounts) - 1} sources not read" in page
    assert "1 source read" in page


def test_more_than_a_page_of_cases_is_counted(browser: Browser, world: World) -> None:
    for number in range(SHOWN + 3):
        world.say(f"Question {number}?", Label.QUERY)
    page = browser.get("/").text
    assert len(order(page)) == SHOWN
    assert f"The {SHOWN} most urgent of {SHOWN + 3}" in page


def test_ticked_comments_are_marked_as_seen_together(browser: Browser, world: World) -> None:
    ids = [world.case_of(world.say(f"Lovely {number}")).id for number in range(3)]
    answer = browser.submit("/glance", case=[str(ids[0]), str(ids[2])], shown=[str(one) for one in ids])
    assert "2 comments marked as seen" in answer.text
    assert order(answer.text) == [ids[1]]


def test_all_that_were_shown_are_marked_by_one_button(browser: Browser, world: World) -> None:
    ids = [world.case_of(world.say(f"Lovely {number}")).id for number in range(3)]
    world.say("Arrived since the page was made")
    answer = browser.submit("/glance", shown=[str(one) for one in ids], everything="true")
    assert "3 comments marked as seen" in answer.text
    assert "Arrived since the page was made" in answer.text


def test_a_case_that_needs_more_than_a_glance_is_not_glanced_away(browser: Browser, world: World) -> None:
    threat = world.say("I will find him", Label.THREAT)
    ordinary = world.say("Lovely")
    answer = browser.submit("/glance", case=[str(world.case_of(one).id) for one in (ordinary, threat)])
    assert answer.status_code == 409
    assert "needs more than a glance" in answer.text
    assert world.case_of(ordinary).status is CaseStatus.OPEN


@pytest.mark.parametrize("case", ["0", "-1", "99999999999", "x", "1 OR 1=1"])
def test_a_glance_at_no_case_changes_nothing(browser: Browser, case: str) -> None:
    assert browser.submit("/glance", case=case).status_code == 400


def test_a_case_shows_why_it_is_there(browser: Browser, world: World) -> None:
    item = world.say(
        "Mr Field had better watch himself",
        Label.THREAT,
        words=["had better watch himself"],
        names={"Mr Field": "tom-field"},
        doubt=[Label.ABUSE],
    )
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert '<mark class="l-threat" title="Threat">had better watch himself</mark>' in page
    assert '<b class="name">Mr Field</b>' in page
    assert "Mr Tom Field, Year 6 teacher" in page
    assert "goes to the headteacher and the leadership at once" in page
    assert '<meter class="m-threat" min="0" max="1" value="0.930">' in page
    assert "possibly" in page
    assert "Staff do not answer from their own accounts" in page
    assert "999" in page


def test_doubt_about_a_name_is_shown(browser: Browser, world: World) -> None:
    item = world.say("Miss Price never answers", Label.COMPLAINT, names={"Miss Price": "rachel-price"})
    with world.store.reading() as tx:
        stored = tx.items.get(item)
    assert stored is not None
    edited = replace(stored.item, text="Mrs Price never answers me")
    reading = reading_of(edited.text, [Label.COMPLAINT], [], [], {"Mrs Price": "rachel-price"})
    unsure = replace(reading.names[0], score=0.5, ambiguous_with=("joan-price",))
    world.read(edited, SAID_ON_X, replace(reading, names=(unsure,), names_doubt=("tom-field",)))
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert "not certain: it may also be Mrs Joan Price, headteacher" in page
    assert "Mr Tom Field, Year 6 teacher" in page
    assert "only possibly meant" in page
    assert "Earlier wordings (1)" in page
    assert "Miss Price never answers" in page


def test_who_is_complained_about_does_not_deal_with_it(browser: Browser, world: World) -> None:
    item = world.say("Mr Field lost her coat", Label.COMPLAINT, names={"Mr Field": "tom-field"})
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert "This is a complaint or allegation about Mr Tom Field, Year 6 teacher" in page


def test_the_conversation_stands_around_the_case(browser: Browser, world: World) -> None:
    post = world.say("Sports day pictures", kind=ItemKind.POST, ago=timedelta(hours=3))
    with world.store.reading() as tx:
        top = tx.items.get(post)
    assert top is not None
    item = world.say("Where do we park?", Label.QUERY, parent=top.item.ref, thread=top.item.ref)
    world.answer(item, "On the field, please.")
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert "Sports day pictures" in page
    assert "On the field, please." in page
    assert "Answered" in page


def test_a_comment_that_is_gone_is_said_to_be(browser: Browser, world: World) -> None:
    item = world.say("Where do we park?", Label.QUERY)
    world.gone(item)
    assert "Gone from the platform" in browser.get(f"/cases/{world.case_of(item).id}").text


def test_a_case_shows_who_was_told_and_which_mail_was_refused(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT)
    world.postbox.refuses["joan.price@larkfield.example"] = "550 no such mailbox"
    world.tell()
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert "Mrs Joan Price, headteacher" in page
    assert "550 no such mailbox" in page
    assert "Accepted by the mail server" in page


def test_a_case_goes_through_its_life_by_buttons(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT)
    path = f"/cases/{world.case_of(item).id}"
    assert "Noted that you have seen it" in browser.submit(f"{path}/acknowledge").text
    assert world.case_of(item).status is CaseStatus.ACKNOWLEDGED
    assert "Closed." in browser.submit(f"{path}/close", decision="referred").text
    closed = browser.get(path).text
    assert "Passed on to somebody who deals with it" in closed
    assert f"{path}/close" not in closed
    assert "Open again" in browser.submit(f"{path}/reopen").text
    assert world.case_of(item).status is CaseStatus.OPEN


def test_what_somebody_else_did_first_is_said(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT)
    path = f"/cases/{world.case_of(item).id}"
    browser.submit(f"{path}/close", decision="no_action")
    answer = browser.submit(f"{path}/acknowledge")
    assert answer.status_code == 409
    assert "Somebody may have been faster" in answer.text


@pytest.mark.parametrize("decision", ["", "glanced", "acknowledged", "burn it"])
def test_a_case_is_closed_only_as_the_desk_offers(browser: Browser, world: World, decision: str) -> None:
    item = world.say("I will find him", Label.THREAT)
    assert browser.submit(f"/cases/{world.case_of(item).id}/close", decision=decision).status_code in (400, 409)
    assert world.case_of(item).status is CaseStatus.OPEN


def test_evidence_is_shown_with_its_fingerprints(browser: Browser, world: World) -> None:
    item = world.say("I will find him", Label.THREAT)
    world.keep_evidence()
    page = browser.get(f"/cases/{world.case_of(item).id}").text
    assert '<img src="/evidence/1/page.png"' in page
    assert '<img src="/evidence/1/card.png"' in page
    assert "The live page and the platform's record" in page.replace("&#39;", "'")
    assert len(set(re.findall(r"<code>([0-9a-f]{64})</code>", page))) >= 4


@pytest.mark.parametrize(
    ("name", "media_type", "body", "served", "disposition"),
    [
        ("page.png", "image/png", None, "image/png", None),
        ("record.json", "application/json", None, "text/plain; charset=utf-8", None),
        ("card.html", "text/html", b"<script>1</script>", "text/plain; charset=utf-8", None),
        ("fake.png", "image/png", b"<svg onload=alert(1)>", "application/octet-stream", "fake.png"),
        ("drawing.svg", "image/svg+xml", b"<svg/>", "application/octet-stream", "drawing.svg"),
        ('we"ird\r\nname.mhtml', "multipart/related", b"x", "application/octet-stream", "we_ird__name.mhtml"),
    ],
)
def test_a_file_of_evidence_is_never_a_page(
    browser: Browser,
    world: World,
    name: str,
    media_type: str,
    body: bytes | None,
    served: str,
    disposition: str | None,
) -> None:
    world.say("I will find him", Label.THREAT)
    world.keep_evidence(*([CapturedFile(name=name, media_type=media_type, body=body)] if body else []))
    answer = browser.get("/evidence/1/" + name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == served
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    shown = answer.headers.get("content-disposition")
    assert shown == (f'attachment; filename="{disposition}"' if disposition else None)


def test_a_file_that_was_tampered_with_is_not_shown(browser: Browser, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    world.keep_evidence()
    with world.store.reading() as tx:
        [sha256] = [file.sha256 for file in tx.evidence.get(1).files if file.name == "page.png"]
    place = next(world.vault._root.rglob(sha256))
    place.chmod(0o600)
    place.write_bytes(b"\x89PNG\r\n\x1a\nother")
    answer = browser.get("/evidence/1/page.png")
    assert answer.status_code == 500
    assert "was changed after it was kept" in answer.text


@pytest.mark.parametrize("path", ["/evidence/1/nothing.png", "/evidence/9/page.png", "/evidence/1/..%2f..%2fx"])
def test_evidence_that_is_not_there_is_not_found(browser: Browser, world: World, path: str) -> None:
    world.say("I will find him", Label.THREAT)
    world.keep_evidence()
    assert browser.get(path).status_code == 404


def test_everything_read_is_listed_with_history_and_found_by_words(browser: Browser, world: World) -> None:
    world.say("Where is the 100% café_bar?", Label.QUERY)
    world.say("The old gate", ago=timedelta(days=90), author=Author(id="1", display_name="Ann Grey"))
    assert ">history<" in browser.get("/items").text
    assert "The old gate" in browser.get("/items?q=ann grey").text
    found = browser.get("/items", params={"q": "100% café_"}).text
    assert "café_bar" in found
    assert "The old gate" not in found


def test_what_was_read_is_paged_through_without_a_gap(browser: Browser, world: World) -> None:
    for number in range(90):
        world.say(f"Comment number {number}.")
    seen: list[str] = []
    path: str | None = "/items"
    while path:
        page = browser.get(path).text
        seen += re.findall(r"Comment number (\d+)\.", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older.group(1).replace("&amp;", "&") if older else None
    assert seen == [str(number) for number in reversed(range(90))]


def test_a_mail_is_shown_as_it_was_sent(browser: Browser, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    world.tell()
    page = browser.get("/mail/1").text
    assert '<iframe class="letter" sandbox src="/mail/1/letter"' in page
    assert "Accepted" in page
    assert 'href="/cases/1"' in page
    letter = browser.get("/mail/1/letter")
    policy = letter.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("sandbox")
    assert "frame-ancestors 'self'" in policy


def test_mail_that_the_server_refused_says_why(browser: Browser, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    world.postbox.refuses["joan.price@larkfield.example"] = "550 no such mailbox"
    world.tell()
    assert "Not accepted" in browser.get("/mail").text
    with world.store.reading() as tx:
        [refused] = [one.id for one in tx.outbox.messages() if one.recipient.startswith("joan")]
    assert "550 no such mailbox" in browser.get(f"/mail/{refused}").text


def test_the_status_page_says_what_is_wrong_in_words(browser: Browser, world: World) -> None:
    world.proven_read("facebook-page")
    with world.store.transaction() as tx:
        tx.sources.failed("local-news", "The address answers with a web page", world.now, next_poll_at=world.now)
        tx.health.problem("browser", "no browser found", world.now)
        tx.health.problem("account x-official", "the secret X_BEARER_TOKEN is not set", world.now)
        tx.health.beat("notify", 1, world.now - timedelta(minutes=11))
    page = " ".join(browser.get("/status").text.split())
    for words in (
        "The address answers with a web page",
        "no browser found",
        "the secret X_BEARER_TOKEN is not set",
    ):
        assert words in page
    assert page.count("Not read</span>") == 2
    assert "Silent" in page
    assert "Sending mail" in page
    assert "Nobody with an e-mail address holds the role legal" in page


def test_an_account_that_cannot_be_used_is_on_the_status_page(
    desk: Desk, opened: Callable[[Desk], Browser]
) -> None:
    broken = replace(desk, config=replace(desk.config, problems={"insta": "there is no connector instagrm"}))
    page = opened(broken).get("/status").text
    assert "insta" in page
    assert "there is no connector instagrm" in page


def test_the_digest_shows_its_figures_and_proof_of_reading(browser: Browser, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    answered = world.say("Which gate?", Label.QUERY)
    world.answer(answered)
    world.proven_read("facebook-page")
    world.make_digest()
    page = " ".join(browser.get("/digest").text.split())
    assert "Digest of Wed 18 Nov" in page
    assert "3 comments read by machine" in page
    assert "1 matter needs somebody" in page
    assert "sources were not read as they should be" in page
    assert page.index("A threat") < page.index("What was dealt with") < page.index("Which gate?")


def test_earlier_digests_can_be_read(browser: Browser, world: World) -> None:
    world.make_digest()
    world.clock.moment += timedelta(days=1)
    world.make_digest()
    assert "Digest of Thu 19 Nov" in browser.get("/digest").text
    assert "Digest of Wed 18 Nov" in browser.get("/digest/2026-11-18").text
    assert browser.get("/digest/2020-01-01").status_code == 404


def test_the_health_of_a_turning_service_is_good(browser: Browser, world: World) -> None:
    with world.store.transaction() as tx:
        tx.health.beat("notify", 1, world.now - timedelta(minutes=9))
    answer = browser.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "stages": 1})


def test_the_health_of_a_service_that_stands_still_is_not(browser: Browser, world: World) -> None:
    with world.store.transaction() as tx:
        tx.health.beat("notify", 1, world.now - timedelta(minutes=11))
    answer = browser.get("/health", headers={"host": "anything"})
    assert answer.status_code == 503
    assert answer.json()["stages"] == ["notify"]


@pytest.mark.parametrize(
    "path", ["/cases/0", "/cases/x", "/cases/99999999999999", "/mail/-1", "/mail/7", "/cases/7"]
)
def test_what_is_not_there_is_a_page_that_says_so(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.text


def test_every_page_is_whole_and_labelled(browser: Browser, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    world.tell()
    world.make_digest()
    for path in PAGES:
        page = browser.get(path).text
        assert page.lstrip().startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert page.count("<h1") == 1
        assert 'lang="en-GB"' in page
        assert not re.search(r"\sstyle=|\son\w+=|<script(?! type=\"module\" src=\"/static/)", page)
        assert not re.search(r"(?:src|href|action)=\"(?!/|#|https://facebook\.example/)", page)


def test_a_banner_stands_on_every_page(desk: Desk, opened: Callable[[Desk], Browser]) -> None:
    shown = opened(replace(desk, notices=lambda: ["Demo: replaying <the past> week"]))
    for path in PAGES:
        assert "Demo: replaying &lt;the past&gt; week" in shown.get(path).text


def test_of_a_long_conversation_the_top_and_what_is_close_is_shown(browser: Browser, world: World) -> None:
    post = world.say("The post on top", kind=ItemKind.POST, ago=timedelta(days=1))
    with world.store.reading() as tx:
        top = tx.items.get(post)
    assert top is not None
    ref = top.item.ref
    items = [
        world.say(f"Comment number {number}.", parent=ref, thread=ref, ago=timedelta(minutes=200 - number))
        for number in range(70)
    ]
    page = browser.get(f"/cases/{world.case_of(items[40]).id}").text
    shown = [int(number) for number in re.findall(r"<bdi>Comment number (\d+)\.</bdi>", page)]
    assert sorted(shown) == list(range(15, 66))
    assert "The post on top" in page
    assert "Part of a conversation of 71." in page


def test_nothing_that_turns_or_hides_text_reaches_a_page(browser: Browser, world: World) -> None:
    hidden = "\u202e\u2066\u200f\u0007\u009b"
    author = Author(id="1", display_name=f"Mr {hidden}Grey", handle=f"grey{hidden}")
    world.say(f"Which {hidden}gate?", Label.QUERY, author=author, attachments=(f"pho{hidden}to",))
    with world.store.transaction() as tx:
        tx.health.problem(f"mail{hidden}", f"refused{hidden}", world.now)
    for path in ("/", "/items", "/items?q=" + quote(hidden), "/cases/1", "/status"):
        page = browser.get(path).text
        assert [sign for sign in hidden if sign in page] == []
    assert "Mr Grey" in browser.get("/").text
    assert "Which gate?" in browser.get("/cases/1").text
