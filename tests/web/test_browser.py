"""The desk in a real browser, over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from monitor.domain.account import Profile
from monitor.domain.case import CaseStatus
from monitor.domain.item import Author, ItemKind
from monitor.domain.ports import Letter
from monitor.domain.verdict import Label
from monitor.web.app import create_app
from monitor.web.desk import Desk
from monitor.web.server import DeskServer
from tests.web.world import SAID_ON_X, World

pytestmark = pytest.mark.browser


@pytest.fixture(params=["sqlite"])
def store(store: object) -> object:
    """One database is enough for what a browser does."""
    return store


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    server = DeskServer(create_app(desk), "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


@dataclass
class Seen:
    """What a browser asked for, here and elsewhere, and every dialog, error and warning."""

    requests: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


@contextmanager
def watched(chromium: Chromium, url: str, **options: object) -> Iterator[tuple[Page, Seen]]:
    context: BrowserContext = chromium.new_context(base_url=url, **options)  # type: ignore[arg-type]
    seen = Seen()
    page = context.new_page()

    def request(asked: Request) -> None:
        if asked.url.startswith(f"{url}/"):
            seen.requests.append(asked.url)
        elif not asked.frame.url.endswith("/letter"):
            # What a letter's HTML asks for is refused by its own policy; the canary hears whether it was.
            seen.elsewhere.append(asked.url)

    def console(said: ConsoleMessage) -> None:
        letters = said.location["url"].endswith("/letter") or "'default-src' is used as a fallback" in said.text
        if said.type in ("error", "warning") and not letters and "status of 404" not in said.text:
            seen.alarms.append(said.text)

    context.on("request", request)
    context.on("dialog", lambda one: (seen.alarms.append(f"dialog {one.message}"), one.dismiss()))
    context.on("console", console)
    context.on("weberror", lambda one: seen.alarms.append(str(one.error)))
    yield page, seen
    context.close()


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that nothing may ever call."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    server.server_close()


def paths_of(world: World) -> list[str]:
    with world.store.reading() as tx:
        cases = [f"/cases/{case.id}" for case in tx.cases.all()]
        mails = [f"/mail/{message.id}" for message in tx.outbox.messages()]
    return ["/", "/items", "/digest", "/status", "/mail", "/lookalikes", *cases, *mails]


def hostile(address: str) -> list[str]:
    return [
        f"<script>fetch('{address}/script')</script>",
        f"<img src=x onerror=\"fetch('{address}/onerror')\">",
        f"<img src={address}/img>",
        f"<svg/onload=fetch('{address}/svg')><use href={address}/use#x>",
        f"\"'><iframe src={address}/frame srcdoc='<script>parent.fetched=1</script>'>",
        f"</title></textarea></style><link rel=stylesheet href={address}/css>",
        f"<meta http-equiv=refresh content='0;url={address}/refresh'>",
        f"<base href={address}/><a href=x autofocus onfocus=alert(1)>x</a>",
        f"<details open ontoggle=alert(1)><video poster={address}/poster><source onerror=alert(2)></video>",
        f"![x]({address}/markdown) [click](javascript:alert(1)) {{{{ 7*7 }}}} {{% raw %}} ${{alert(1)}}",
        f"@import '{address}/import'; </style><style>*{{background:url({address}/url)}}",
        "\u202ereversed \u2066isolated \u0000\u0007\u001b[2Jcontrol \ud83d\ufffe",
        "Z" + "\u0334\u0335\u0336" * 400 + "algo",
        "x" * 100_000,
        "ﷺ" * 2000,
        "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62;",
        "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    ]


def test_hostile_comments_fire_nothing_on_any_page(
    chromium: Chromium, url: str, world: World, canary: tuple[str, list[str]]
) -> None:
    address, calls = canary
    kinds = ((Label.THREAT,), (Label.COMPLAINT,), ())
    for number, text in enumerate(hostile(address)):
        author = Author(id=text[:300], handle=text[:300], display_name=text[:300])
        links = (f"javascript:fetch('{address}')", 'https://x.example/"onmouseover="alert(1)', text[:200])
        world.say(text, *kinds[number % 3], author=author, url=links[number % 3], attachments=(text[:60],))
    world.keep_evidence()
    with world.store.transaction() as tx:
        letter = "".join(hostile(address)[:11])
        mail = Letter(subject=letter[:300], text=letter, html=letter)
        tx.outbox.add(mail, message_id="<x>", recipient=letter[:200], now=world.now)
        tx.sources.register(world.config.accounts)
        tx.sources.failed("local-news", letter, world.now, next_poll_at=world.now)
        tx.health.problem(letter[:200], letter, world.now)
        tx.health.problem("format local-news", letter, world.now, headline=letter[:200], grade="red")
        fake = Profile(
            platform="x",
            id="1",
            handle=letter[:300],
            name=letter[:300],
            about=letter,
            url=hostile(address)[-1],
            raw={"about": letter},
        )
        tx.lookalikes.save("x-mentions", fake, letter[:300], world.now)
        tx.health.beat(letter[:50], 0, world.now)
    with watched(chromium, url) as (page, seen):
        for path in [*paths_of(world), "/items?q=%3Cscript%3Ealert(1)%3C/script%3E", "/nothing%3Cscript%3E"]:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            page.mouse.move(300, 300)
            width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert (path, width) == (path, 0)
            assert (
                page.locator("main script, main iframe:not(.letter), main link, main base, main svg").count() == 0
            )
            assert page.evaluate("getComputedStyle(document.body).backgroundImage") == "none"
        page.wait_for_timeout(300)
    assert calls == []
    assert seen.elsewhere == []
    assert seen.alarms == []


def test_no_page_asks_anybody_else_for_anything(chromium: Chromium, url: str, world: World) -> None:
    world.say("I will find him", Label.THREAT, words=["find him"])
    world.say("She has a bruise", Label.SAFEGUARDING)
    world.say("Lovely")
    world.keep_evidence()
    world.tell()
    world.make_digest()
    world.proven_read()
    with watched(chromium, url) as (page, seen):
        for path in paths_of(world):
            page.goto(path)
    assert len(seen.requests) > 20
    assert (seen.elsewhere, seen.alarms) == ([], [])


@pytest.mark.parametrize("javascript", [True, False])
def test_the_days_work_is_done_with_and_without_scripts(
    chromium: Chromium, url: str, world: World, javascript: bool
) -> None:
    threat = world.say("I will find him", Label.THREAT)
    for number in range(3):
        world.say(f"Lovely {number}")
    world.keep_evidence()
    with watched(chromium, url, java_script_enabled=javascript) as (page, seen):
        page.goto("/")
        text = page.get_by_text("I will find him")
        assert not text.is_visible()
        page.get_by_text("Threatening words").click()
        assert text.is_visible()
        page.get_by_role("link", name="Case 1").click()
        picture = page.locator(".shots img").first
        picture.scroll_into_view_if_needed()
        picture.wait_for(state="visible")
        page.get_by_role("button", name="I have seen this").click()
        assert page.get_by_role("status").first.inner_text().startswith("Noted that you have seen it")
        assert world.case_of(threat).status is CaseStatus.ACKNOWLEDGED
        page.get_by_label("Close it, because").select_option("Passed on to somebody who deals with it")
        page.get_by_role("button", name="Close", exact=True).click()
        assert world.case_of(threat).status is CaseStatus.CLOSED
        page.get_by_role("link", name="Queue").first.click()
        page.get_by_label("Lovely 1").check()
        page.get_by_role("button", name="Seen: those ticked").click()
        assert "1 comment marked as seen" in page.inner_text("main")
        page.get_by_role("button", name="Seen: all 2 shown").click()
        assert "2 comments marked as seen" in page.inner_text("main")
        assert "None waits." in page.inner_text("main")
    assert (seen.elsewhere, seen.alarms) == ([], [])


def test_evidence_is_seen_as_a_picture(chromium: Chromium, url: str, world: World) -> None:
    world.say("I will find him", Label.THREAT)
    world.keep_evidence()
    with watched(chromium, url) as (page, _):
        page.goto("/cases/1")
        picture = page.locator(".shots img").first
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 640


def test_a_letter_is_seen_but_runs_nothing(
    chromium: Chromium, url: str, world: World, canary: tuple[str, list[str]]
) -> None:
    address, calls = canary
    html = (
        '<p style="color: rgb(1, 2, 3)">Read me</p>'
        f"<script>document.body.textContent = 'ran'; fetch('{address}')</script><img src='{address}/img'>"
        f"<form action='{address}'><button>Send</button></form>"
    )
    with world.store.transaction() as tx:
        mail = Letter(subject="s", text="t", html=html)
        tx.outbox.add(mail, message_id="<1>", recipient="a@x", now=world.now)
    with watched(chromium, url) as (page, seen):
        page.goto("/mail/1")
        letter = page.frame_locator("iframe.letter")
        assert letter.locator("p").inner_text() == "Read me"
        assert letter.locator("p").evaluate("(one) => getComputedStyle(one).color") == "rgb(1, 2, 3)"
        letter.get_by_role("button", name="Send").click()
        page.wait_for_timeout(300)
    assert calls == []
    assert seen.elsewhere == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_its_screen(chromium: Chromium, url: str, world: World, width: int) -> None:
    post = world.say("Sports day", kind=ItemKind.POST, ago=timedelta(hours=9))
    with world.store.reading() as tx:
        top = tx.items.get(post)
    assert top is not None
    long = "Donaudampfschifffahrtsgesellschaft" * 8
    about = {"parent": top.item.ref, "thread": top.item.ref}
    world.say(long, Label.THREAT, words=[long], author=Author(display_name=long, handle=long), **about)
    world.say("Which gate?", Label.QUERY, account=SAID_ON_X)
    world.say("She has a bruise", Label.SAFEGUARDING, **about)
    world.keep_evidence()
    world.tell()
    world.make_digest()
    world.proven_read()
    with watched(chromium, url, viewport={"width": width, "height": 700}) as (page, _):
        for path in [*paths_of(world), "/unlock?leaders=true", "/nothing"]:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, width)


def test_the_queue_renews_itself_when_nobody_uses_it(chromium: Chromium, url: str, world: World) -> None:
    world.say("The first question?", Label.QUERY)
    with watched(chromium, url) as (page, seen):
        page.clock.install()
        page.goto("/")
        world.say("A new threat", Label.THREAT)
        with page.expect_response(lambda one: one.request.headers.get("x-refresh") == "1"):
            page.clock.fast_forward(16_000)
        page.get_by_role("link", name="Case 2").wait_for()
        assert page.locator("[data-id]").evaluate_all("(all) => all.map((one) => one.dataset.id)") == ["2", "1"]
        assert page.locator(".figures").inner_text().startswith("0 late")
    assert seen.alarms == []


def test_the_queue_never_moves_under_somebody_who_uses_it(chromium: Chromium, url: str, world: World) -> None:
    world.say("Lovely")
    with watched(chromium, url) as (page, _):
        page.clock.install()
        page.goto("/")
        page.get_by_label("Lovely").check()
        world.say("A new threat", Label.THREAT)
        with page.expect_response(lambda one: one.request.headers.get("x-refresh") == "1"):
            page.clock.fast_forward(16_000)
        page.get_by_role("button", name="1 new. Show it").wait_for()
        assert page.get_by_label("Lovely").is_checked()
        assert page.get_by_role("link", name="Case 2").count() == 0
        page.get_by_role("button", name="1 new. Show it").click()
        page.get_by_role("link", name="Case 2").wait_for()


def test_keys_go_through_the_queue(chromium: Chromium, url: str, world: World) -> None:
    for number in range(3):
        world.say(f"Question {number}?", Label.QUERY)
    with watched(chromium, url) as (page, _):
        page.goto("/")
        for _ in range(2):
            page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases/2")


def test_an_old_queue_says_so_when_the_desk_no_longer_answers(chromium: Chromium, url: str, world: World) -> None:
    with watched(chromium, url) as (page, _):
        page.clock.install()
        page.goto("/")
        page.route("**/*", lambda route: route.abort())
        page.clock.fast_forward(16_000)
        page.get_by_text("The desk does not answer. What stands here is as it was on Wed 18 Nov, 12:00.").wait_for()
        page.unroute("**/*")
        page.clock.fast_forward(16_000)
        page.get_by_text("The desk does not answer").wait_for(state="detached")
