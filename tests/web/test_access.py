"""Who gets in: codes, hosts, forms."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from monitor.domain.case import CaseStatus
from monitor.domain.verdict import Label
from monitor.web import access as access_module
from monitor.web.access import Access, TooManyTries, is_loopback, new_code
from monitor.web.app import create_app
from monitor.web.desk import Desk
from tests.web.conftest import HERE, LEADERS_CODE, Browser
from tests.web.world import World

DESK_CODE = "desk-code-2345"
LAN = "http://desk.school.example"


@pytest.fixture
def locked(desk: Desk) -> Desk:
    return replace(desk, access=Access(desk_code=DESK_CODE, leaders_code=LEADERS_CODE))


@pytest.fixture
def outside(locked: Desk) -> Iterator[Browser]:
    """A browser somewhere in the school, in front of a locked desk."""
    with Browser(create_app(locked), base_url=LAN) as browser:
        yield browser


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9", "LOCALHOST"])
def test_on_this_machine_alone_the_desk_is_open(host: str) -> None:
    assert Access.at(host, "http://127.0.0.1:8080").open


@pytest.mark.parametrize(
    ("host", "public_url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("192.168.1.4", "http://127.0.0.1:8080"),
        ("127.0.0.1", "https://desk.school.example"),
        ("::", "http://localhost"),
    ],
)
def test_anywhere_else_it_takes_a_code(host: str, public_url: str) -> None:
    access = Access.at(host, public_url)
    assert not access.open
    assert access.desk_code != access.leaders_code


def test_codes_are_long_and_never_the_same() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code.replace("-", "")) == 12 for code in codes)


@pytest.mark.parametrize(
    "name", ["127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", "", "evil.example"]
)
def test_a_name_that_only_looks_like_this_machine_is_not(name: str) -> None:
    assert not is_loopback(name)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "", "[", "desk.school.example"])
def test_an_open_desk_answers_to_no_other_name(desk: Desk, world: World, host: str) -> None:
    world.say("What time is the fair?", Label.QUERY)
    client = TestClient(create_app(desk), base_url=HERE)
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 403
    assert "fair" not in answer.text


def test_an_open_desk_refuses_to_stand_behind_a_proxy(desk: Desk) -> None:
    client = TestClient(create_app(desk), base_url=HERE)
    assert client.get("/", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/items", "/cases/1", "/evidence/1/page.png", "/mail", "/mail/1/letter", "/digest", "/status", "/no"],
)
def test_a_locked_desk_shows_nothing_but_its_lock(outside: Browser, world: World, path: str) -> None:
    world.say("You had better watch out", Label.THREAT)
    world.keep_evidence()
    world.tell()
    answer = outside.get(path, follow_redirects=False)
    assert answer.status_code == 403
    assert "This desk is locked" in answer.text
    assert "watch out" not in answer.text
    assert "/cases/" not in answer.text.replace("to=/cases/1", "").replace('value="/cases/1"', "")


def test_the_desks_code_opens_the_desk_and_leads_to_the_page_wanted(outside: Browser, world: World) -> None:
    world.say("When is the fair?", Label.QUERY)
    answer = outside.submit("/unlock", code=f" {DESK_CODE.upper()} ", to="/cases/1")
    assert answer.url.path == "/cases/1"
    assert "When is the fair?" in answer.text


def test_a_wrong_code_opens_nothing(outside: Browser) -> None:
    assert "That is not the code" in outside.unlock("no").text
    assert outside.get("/").status_code == 403


def test_the_session_is_a_strict_cookie_that_no_script_reads(locked: Desk) -> None:
    browser = Browser(create_app(locked), base_url=LAN, follow_redirects=False)
    cookies = browser.unlock(DESK_CODE).headers.get_list("set-cookie")
    [session] = [cookie for cookie in cookies if "session" in cookie]
    assert "HttpOnly" in session
    assert "SameSite=strict" in session


def test_under_tls_the_cookies_are_bound_to_it(locked: Desk) -> None:
    school = locked.config.school.model_copy(update={"public_url": "https://desk.school.example"})
    app = create_app(replace(locked, config=replace(locked.config, school=school)))
    browser = Browser(app, base_url="https://desk.school.example", follow_redirects=False)
    first = browser.get("/unlock").headers.get_list("set-cookie")
    session = browser.unlock(DESK_CODE).headers.get_list("set-cookie")
    assert (len(first), len(session)) == (1, 1)
    for cookie in (*first, *session):
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


def test_a_person_who_comes_by_a_link_in_a_mail_is_taken_on(outside: Browser) -> None:
    """The browser sends no session with the first request, but does with the one that our own page asks for."""
    outside.unlock(DESK_CODE)
    session = dict(outside.cookies)
    outside.cookies.clear()
    first = outside.get("/cases/7?x=1")
    assert first.status_code == 403
    assert 'http-equiv="refresh" content="0; url=/unlock?to=/cases/7%3Fx%3D1"' in first.text
    outside.cookies.update(session)
    assert outside.get("/unlock?to=/cases/7", follow_redirects=False).headers["location"] == "/cases/7"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", ""]
)
def test_a_code_never_leads_away_from_the_desk(outside: Browser, target: str) -> None:
    outside.follow_redirects = False
    assert outside.submit("/unlock", code=DESK_CODE, to=target).headers["location"] == "/"


def test_locking_ends_the_session_itself(outside: Browser) -> None:
    outside.unlock(DESK_CODE)
    kept = dict(outside.cookies)
    outside.submit("/lock")
    outside.cookies.update(kept)
    assert outside.get("/").status_code == 403


def test_after_many_wrong_codes_the_right_one_must_wait() -> None:
    seconds = [0.0]
    access = Access(desk_code=DESK_CODE, leaders_code=LEADERS_CODE, tick=lambda: seconds[0])
    for _ in range(access_module.TRIES_EACH):
        assert access.unlock("wrong", "10.0.0.1") is None
    with pytest.raises(TooManyTries) as refused:
        access.unlock(DESK_CODE, "10.0.0.1")
    assert refused.value.seconds == access_module.WINDOW + 1
    assert access.unlock(DESK_CODE, "10.0.0.2")
    seconds[0] += access_module.WINDOW
    assert access.unlock(DESK_CODE, "10.0.0.1")


def test_many_addresses_together_must_wait_too() -> None:
    access = Access(desk_code=DESK_CODE, leaders_code=LEADERS_CODE, tick=lambda: 0.0)
    for number in range(access_module.TRIES_ALL):
        access.unlock("wrong", f"10.0.{number // 250}.{number % 250}")
    with pytest.raises(TooManyTries):
        access.unlock(DESK_CODE, "10.9.9.9")


def test_the_page_says_how_long_to_wait(outside: Browser) -> None:
    for _ in range(access_module.TRIES_EACH):
        outside.unlock("wrong")
    answer = outside.unlock(DESK_CODE)
    assert answer.status_code == 429
    assert "Try again in 11 minutes" in answer.text
    assert int(answer.headers["retry-after"]) > 500


def test_a_leaders_view_closes_when_nobody_uses_it_though_the_page_refreshes_itself() -> None:
    seconds = [0.0]
    access = Access(desk_code=DESK_CODE, leaders_code=LEADERS_CODE, tick=lambda: seconds[0])
    session = access.unlock(LEADERS_CODE, "")
    seconds[0] = access_module.LEADERS_IDLE - 1
    assert access.visitor("v", session, by_hand=False).leaders
    seconds[0] += 2
    visitor = access.visitor("v", session)
    assert (visitor.leaders, visitor.desk) == (False, True)
    assert not access.visitor("v", session).leaders


def test_a_desk_left_alone_for_half_a_day_is_locked() -> None:
    seconds = [0.0]
    access = Access(desk_code=DESK_CODE, leaders_code=LEADERS_CODE, tick=lambda: seconds[0])
    session = access.unlock(DESK_CODE, "")
    seconds[0] = access_module.DESK_IDLE + 1
    assert not access.visitor("v", session).desk


def test_every_route_that_changes_something_refuses_a_form_that_is_not_ours(desk: Desk, world: World) -> None:
    world.say("What time is the fair?", Label.QUERY)
    app = create_app(desk)
    browser = Browser(app, base_url=HERE)
    token = browser.token()
    ours = {"origin": HERE}
    attempts = [
        ({}, ours),  # no token
        ({"csrf": "0" * 64}, ours),  # somebody else's token
        ({"csrf": token}, {}),  # from no browser
        ({"csrf": token}, {"origin": "https://evil.example"}),
        ({"csrf": token}, {"origin": "null"}),
        ({"csrf": token}, {"origin": "http://127.0.0.1:9999"}),
        ({"csrf": token}, {**ours, "sec-fetch-site": "cross-site"}),
        ({"csrf": token}, {**ours, "sec-fetch-site": "same-site"}),
        ({"csrf": token}, {"sec-fetch-site": "none"}),
    ]
    paths = [path for path, methods in app.openapi()["paths"].items() if methods.keys() - {"get", "head"}]
    assert len(paths) == 7
    for path in (path.replace("{case_id}", "1") for path in paths):
        for form, headers in attempts:
            fields = {"code": LEADERS_CODE, "decision": "no_action", "case": "1", **form}
            answer = browser.post(path, data=fields, headers=headers)
            assert (path, answer.status_code) == (path, 403)
    assert world.case_of(1).status is CaseStatus.OPEN


def test_a_form_of_our_own_is_taken_with_either_word_of_the_browser(browser: Browser, world: World) -> None:
    world.say("What time is the fair?", Label.QUERY)
    answer = browser.post(
        "/cases/1/acknowledge", data={"csrf": browser.token()}, headers={"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 200
    assert world.case_of(1).status is CaseStatus.ACKNOWLEDGED


def test_another_browsers_token_is_not_taken(desk: Desk, opened: Callable[[Desk], Browser], world: World) -> None:
    world.say("What time is the fair?", Label.QUERY)
    app = create_app(desk)
    mine, theirs = Browser(app, base_url=HERE), Browser(app, base_url=HERE)
    answer = mine.post("/cases/1/acknowledge", data={"csrf": theirs.token()}, headers={"origin": HERE})
    assert answer.status_code == 403


@pytest.mark.parametrize("length", ["999999999", "x"])
def test_a_form_larger_than_any_of_ours_is_refused_unread(browser: Browser, length: str) -> None:
    assert browser.post("/glance", content=b"csrf=1", headers={"content-length": length}).status_code == 413


def test_every_answer_is_sealed(browser: Browser, world: World) -> None:
    world.say("When is the fair?", Label.QUERY)
    for path in ("/", "/cases/1", "/nothing", "/static/desk.css", "/health"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_nothing_is_documented_to_strangers(browser: Browser) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert browser.get(path).status_code == 404
