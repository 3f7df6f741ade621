"""A real Chromium before hostile pages: nothing gets out but to the site itself, and nothing outlives its page."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Grade, Subject
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef
from monitor.evidence import browser as browser_module
from monitor.evidence.browser import Browser
from monitor.evidence.capturer import PageCapturer
from monitor.evidence.find_browser import find_browser
from monitor.evidence.page import TALLEST, VIEWPORT, PageShot

pytestmark = pytest.mark.browser

TEXT = "He had better watch his back on Friday"
NOW = datetime(2026, 7, 14, 20, 46, tzinfo=UTC)
HTML = "text/html; charset=utf-8"


@dataclass
class Reply:
    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


class Site:
    """A web server on loopback: `pages` by path, and every path it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Reply] = {}
        self.hits: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.hits.append(self.path)
                if self.path == "/endless":
                    self.endless()
                    return
                reply = site.pages.get(self.path, Reply("nothing here", status=404))
                time.sleep(reply.wait)
                body = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response(reply.status)
                for name, value in ({"Content-Type": HTML} | reply.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def endless(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", HTML)
                self.end_headers()
                while not site.stopping.is_set():
                    self.wfile.write(b"<p>" + b"more and more " * 5000)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A browser that leaves in the middle of a page is expected here."""

        self.stopping = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def show(self, path: str, body: str, **reply: object) -> str:
        """Serve `body` at `path` and return its address."""
        self.pages[path] = Reply(f"<!doctype html><title>A page</title>{body}", **reply)  # type: ignore[arg-type]
        return f"http://{self.address}{path}"

    def stop(self) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class Canary:
    """Something inside the school's network: whoever connects to it, or sends it a datagram, is counted."""

    def __init__(self) -> None:
        self.hits = 0
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for listen in (self._listen_tcp, self._listen_udp):
            threading.Thread(target=listen, daemon=True).start()

    def _listen_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def _listen_udp(self) -> None:
        while True:
            try:
                data, _ = self._udp.recvfrom(2048)
            except OSError:
                return
            self.hits += bool(data)

    def stop(self) -> None:
        for sock in (self._tcp, self._udp):
            # A blocked call does not notice close() alone.
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


@pytest.fixture(scope="module")
def executable() -> Path:
    found = find_browser()
    if found is None:
        pytest.skip(
            "NO BROWSER: install Chromium, or name one in SCHOOLWATCH_BROWSER; nothing is photographed here"
        )
    return found


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.stop()


@pytest.fixture(scope="module")
def browser(executable: Path, site: Site) -> Iterator[Browser]:
    with Browser(executable, allow=frozenset({site.address}), page_seconds=10.0) as browser:
        yield browser


@pytest.fixture
def make_browser(executable: Path, site: Site) -> Iterator[Callable[..., Browser]]:
    """Browsers of a test's own, for tests that break them."""
    made: list[Browser] = []

    def make(**options: float) -> Browser:
        made.append(Browser(executable, allow=frozenset({site.address}), **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def size(png: bytes | None) -> tuple[int, int]:
    assert png is not None
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def pid_of(browser: Browser) -> int:
    assert browser._session is not None
    assert browser._session._pid is not None
    return browser._session._pid


def running(pid: int) -> bool:
    """Whether the process lives (a zombie does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# What a page shows


def test_a_plain_page_is_photographed_whole(browser: Browser, site: Site) -> None:
    url = site.show("/plain", f"<p>{TEXT}</p><div style='height:2000px'></div>")
    shot = browser.photograph_page(url, TEXT)
    assert (shot.status, shot.text_found, shot.problem, shot.final_url) == (200, True, "", url)
    assert size(shot.png)[0] == VIEWPORT[0]
    assert 2000 < size(shot.png)[1] < 2200
    assert not shot.cut
    assert shot.blocked.total == 0


@pytest.mark.parametrize(
    "text",
    [
        "هذا تعليق من ولي أمر",
        "שלום לכולם",
        "🔪 you 👨\u200d👩\u200d👧 ❤\ufe0f",
        "two\n\n  lines",
        "<b>not bold</b> & co",
    ],
)
def test_text_of_every_script_is_found(browser: Browser, site: Site, text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    shot = browser.photograph_page(site.show("/script", f"<div dir=auto>{escaped}</div>"), text)
    assert shot.text_found
    assert shot.png is not None


@pytest.mark.parametrize(
    "body",
    [
        "<p>Log in to see this</p>",
        f"<p style='display:none'>{TEXT}</p>",
        f"<meta name=description content='{TEXT}'>",
        f"<script>var text = '{TEXT}'</script>",
        f"<p>{TEXT}ish</p>",
    ],
)
def test_text_that_no_reader_sees_is_not_found(browser: Browser, site: Site, body: str) -> None:
    shot = browser.photograph_page(site.show("/wall", body), TEXT)
    assert not shot.text_found
    assert shot.png is not None


def test_text_that_a_script_adds_a_little_later_is_found(browser: Browser, site: Site) -> None:
    late = f"<p id=p></p><script>setTimeout(() => p.textContent = '{TEXT}', 700)</script>"
    assert browser.photograph_page(site.show("/late", late), TEXT).text_found


def test_text_inside_a_frame_is_found(browser: Browser, site: Site) -> None:
    inner = site.show("/inner", TEXT)
    assert browser.photograph_page(site.show("/outer", f"<iframe src='{inner}'></iframe>"), TEXT).text_found


def test_a_redirect_within_the_site_is_followed_and_told(browser: Browser, site: Site) -> None:
    goal = site.show("/goal", TEXT)
    url = site.show("/moved", "", status=302, headers={"Location": goal})
    shot = browser.photograph_page(url, TEXT)
    assert (shot.final_url, shot.status, shot.text_found) == (goal, 200, True)


@pytest.mark.parametrize("status", [404, 410, 403, 500])
def test_an_error_page_is_photographed_with_its_status(browser: Browser, site: Site, status: int) -> None:
    shot = browser.photograph_page(site.show("/error", "<h1>Sorry</h1>", status=status), TEXT)
    assert shot.status == status
    assert shot.png is not None


def test_a_page_of_40000_pixels_is_cut_at_its_limit(browser: Browser, site: Site) -> None:
    def picture(marker_at: int) -> PageShot:
        marker = f"<div style='position:absolute;top:{marker_at}px;height:100px;width:100px;background:red'></div>"
        return browser.photograph_page(
            site.show("/tall", f"{TEXT}<div style='height:40000px'></div>{marker}"), TEXT
        )

    plain, inside, below = picture(30_000), picture(TALLEST - 200), picture(TALLEST + 200)
    assert size(plain.png) == (VIEWPORT[0], TALLEST)
    assert plain.cut
    assert inside.png != plain.png, "the last pixels before the limit are the page's own"
    assert below.png == plain.png


def test_a_page_is_opened_as_a_stranger_each_time(browser: Browser, site: Site) -> None:
    url = site.show(
        "/cookie",
        "<p id=p></p><script>p.textContent = 'seen ' + (document.cookie || localStorage.x || 'nothing');"
        "localStorage.x = 'storage'</script>",
        headers={"Set-Cookie": "mark=cookie"},
    )
    # The cookie of this very answer is there; that of the last visit's script is not.
    assert browser.photograph_page(url, "seen mark=cookie").text_found
    site.show(
        "/cookie",
        "<p id=p></p><script>p.textContent = 'seen ' + (document.cookie || localStorage.x || 'nothing')</script>",
    )
    assert browser.photograph_page(url, "seen nothing").text_found


# What a page may not reach

TO_THE_CANARY = {
    "meta refresh": "<meta http-equiv=refresh content='0;url=http://CANARY/'>",
    "script": "<script>location = 'http://CANARY/'</script>",
    "frame": "<iframe src='http://CANARY/'></iframe>",
    "frame by another name": "<iframe src='http://localhost:PORT/'></iframe>",
    "frame by number": "<iframe src='http://2130706433:PORT/'></iframe>",
    "frame by IPv6": "<iframe src='http://[::ffff:127.0.0.1]:PORT/'></iframe>",
    "secure frame": "<iframe src='https://CANARY/'></iframe>",
    "fetch": "<script>fetch('http://CANARY/', {mode: 'no-cors'})</script>",
    "post": "<form method=post action='http://CANARY/'></form><script>document.forms[0].submit()</script>",
    "style": "<link rel=stylesheet href='http://CANARY/x.css'>",
    "script source": "<script src='http://CANARY/x.js'></script>",
    "worker": "<script>new Worker('data:text/javascript,fetch(`http://CANARY/`, {mode: `no-cors`})')</script>",
    "worker socket": "<script>new Worker('data:text/javascript,new WebSocket(`ws://CANARY/`)')</script>",
}
UNSEEN = {
    "image": "<img src='http://CANARY/x.png'>",
    "web socket": "<script>new WebSocket('ws://CANARY/')</script>",
    "event source": "<script>new EventSource('http://CANARY/')</script>",
    "beacon": "<script>navigator.sendBeacon('http://CANARY/', 'x')</script>",
    "preconnect": "<link rel=preconnect href='http://CANARY/'><link rel=dns-prefetch href='http://CANARY/'>",
    "prefetch": "<link rel=prefetch href='http://CANARY/x'><link rel=preload as=image href='http://CANARY/y.png'>",
    "prerender": '<script type=speculationrules>{"prerender":[{"urls":["http://CANARY/"]}]}</script>',
    "icon": "<link rel=icon href='http://CANARY/icon'><link rel=manifest href='http://CANARY/m.json'>",
    "stun": "<script>const c = new RTCPeerConnection({iceServers: [{urls: 'stun:CANARY'}]});"
    "c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o))</script>",
    "turn": "<script>const t = new RTCPeerConnection({iceServers: [{urls: 'turn:CANARY?transport=tcp',"
    " username: 'a', credential: 'b'}]});"
    "t.createDataChannel('x'); t.createOffer().then(o => t.setLocalDescription(o))</script>",
    "web transport": "<script>new WebTransport('https://CANARY/')</script>",
    "service worker": "<script>navigator.serviceWorker.register('/worker.js')</script>",
    "popup": "<script>window.open('http://CANARY/')</script>",
    "file frame": "<iframe src='file:///etc/passwd'></iframe><script>window.open('file:///etc/passwd')</script>",
}


def lead_to(canary: Canary, body: str) -> str:
    return body.replace("CANARY", f"127.0.0.1:{canary.port}").replace("PORT", str(canary.port))


def test_a_redirect_to_an_address_inside_reaches_nothing(browser: Browser, site: Site, canary: Canary) -> None:
    inside = f"http://127.0.0.1:{canary.port}/admin"
    url = site.show("/trap", "", status=302, headers={"Location": inside})
    shot = browser.photograph_page(url, TEXT)
    assert canary.hits == 0
    assert shot.png is None
    assert shot.blocked.addresses
    assert set(shot.blocked.addresses) == {f"127.0.0.1:{canary.port}"}


@pytest.mark.parametrize("way", TO_THE_CANARY)
def test_no_way_leads_inside_and_the_attempt_is_listed(
    browser: Browser, site: Site, canary: Canary, way: str
) -> None:
    later = f"<p id=p></p><script>setTimeout(() => p.textContent = '{TEXT}', 1200)</script>"  # time for the attempt
    shot = browser.photograph_page(site.show("/trap", lead_to(canary, TO_THE_CANARY[way]) + later), TEXT)
    assert canary.hits == 0
    assert [address for address in shot.blocked.addresses if address.endswith(f":{canary.port}")]


def test_no_way_leads_inside_even_where_the_browser_itself_refuses(
    browser: Browser, site: Site, canary: Canary
) -> None:
    script = lead_to(canary, "fetch('http://CANARY/', {mode: 'no-cors'})")
    site.pages["/worker.js"] = Reply(script, headers={"Content-Type": "text/javascript"})
    shot = browser.photograph_page(site.show("/trap", lead_to(canary, "".join(UNSEEN.values()))), TEXT)
    assert canary.hits == 0
    assert shot.png is not None


def test_an_address_inside_is_not_opened_at_all(browser: Browser, canary: Canary) -> None:
    shot = browser.photograph_page(f"http://127.0.0.1:{canary.port}/", TEXT)
    assert canary.hits == 0
    assert (shot.png, shot.blocked.addresses) == (None, (f"127.0.0.1:{canary.port}",) * len(shot.blocked.addresses))


IMAGES = """
<link rel=icon href=/icon-without-a-name><img src=/a.png><img srcset='/b.webp 2x' src=/c><picture>
<source srcset=/d.avif><img src=/e.jpg></picture><div style='background:url(/f.gif)'>x</div>
<audio src=/i.mp3 autoplay></audio>
<video src=/g.mp4 poster=/h.jpg autoplay></video><svg><image href=/j.svg /></svg><input type=image src=/k>
<object data=/l.png></object><embed src=/m.png><iframe src=/n.png></iframe>
<script>new Image().src = '/o'; fetch('/p.jpg?x=1')</script>
<style>@font-face{font-family:q;src:url(/q.woff2)} body{font-family:q} li{list-style-image:url(/r)}</style><li>x
<link rel=preload as=image href=/s><link rel=prefetch href=/t.png><video><source src=/u></video>
"""


def test_no_image_film_sound_or_font_is_ever_asked_for(browser: Browser, site: Site) -> None:
    url = site.show("/images", TEXT + IMAGES)
    site.hits.clear()
    shot = browser.photograph_page(url, TEXT)
    assert shot.text_found
    assert site.hits == ["/images"]
    assert shot.blocked.media > 0


def test_an_image_inside_the_page_itself_is_not_drawn(browser: Browser, site: Site) -> None:
    def picture(colour: str) -> bytes | None:
        image = f"<svg xmlns='http://www.w3.org/2000/svg'><rect width='99' height='99' fill='{colour}'/></svg>"
        source = "data:image/svg+xml," + image.replace("<", "%3C").replace(">", "%3E")
        body = f'<img width=99 height=99 src="{source}">'
        body += f'<div style="height:99px;background:url(&quot;{source}&quot;)"></div>'
        return browser.photograph_page(site.show("/inline", body), TEXT).png

    assert picture("red") == picture("blue")


def test_a_page_that_is_an_image_is_not_photographed(browser: Browser, site: Site) -> None:
    site.pages["/photo"] = Reply(b"GIF89a", headers={"Content-Type": "image/gif"})
    shot = browser.photograph_page(f"http://{site.address}/photo", TEXT)
    assert (shot.png, shot.problem) == (None, "it is no page but image/gif")
    shot = browser.photograph_page(f"http://{site.address}/photo.jpg", TEXT)
    assert (shot.png, shot.problem) == (None, "it is an image, film or sound, which are never fetched")
    assert "/photo.jpg" not in site.hits


def test_web_sockets_are_refused_even_to_the_site_itself(browser: Browser, site: Site) -> None:
    shot = browser.photograph_page(
        site.show("/ws", f"{TEXT}<script>new WebSocket('ws://{site.address}/s')</script>"), TEXT
    )
    assert shot.blocked.sockets == 1
    assert "/s" not in site.hits


def test_a_download_is_refused(browser: Browser, site: Site) -> None:
    url = site.show("/file", "x", headers={"Content-Disposition": "attachment; filename=a.html"})
    assert browser.photograph_page(url, TEXT).problem == "it is a download, not a page"


# What a page may not do to us


@pytest.mark.parametrize(
    "body",
    [
        f"{TEXT}<script>alert(1); confirm(2); prompt(3); print()</script>",
        f"{TEXT}<script>onbeforeunload = () => 'stay'; onload = () => document.title = 'x'</script>",
        f"{TEXT}<script>for (let i = 0; i < 30; i++) window.open('/plain')</script>",
        f"{TEXT}<script>Notification.requestPermission()</script>",
    ],
)
def test_dialogs_popups_and_requests_for_permission_change_nothing(browser: Browser, site: Site, body: str) -> None:
    shot = browser.photograph_page(site.show("/noise", body), TEXT)
    assert shot.text_found
    assert shot.png is not None


@pytest.mark.parametrize(
    "body",
    [
        f"{TEXT}<script>while (true) {{}}</script>",
        f"{TEXT}<script>while (true) alert('again')</script>",
        f"{TEXT}<script>onload = () => setTimeout(() => {{ while (true) {{}} }}, 50)</script>",
        f"{TEXT}<script>setInterval(() => location.reload(), 1)</script>",
        f"{TEXT}<script>const all = []; while (true) all.push(new Array(1e6).fill('x'))</script>",
    ],
    ids=["loop", "alerts", "loop later", "reloads", "memory"],
)
def test_a_page_that_hangs_fails_alone_and_in_time(
    make_browser: Callable[..., Browser], site: Site, body: str
) -> None:
    browser = make_browser(page_seconds=3.0)
    good = site.show("/plain", TEXT)
    assert browser.photograph_page(good, TEXT).text_found
    started = time.monotonic()
    shot = browser.photograph_page(site.show("/hang", body), TEXT)
    assert time.monotonic() - started < 3.0 + browser_module._GRACE_SECONDS
    assert (shot.png is None) == bool(shot.problem)
    assert browser.photograph_page(good, TEXT).text_found


def test_a_server_that_never_answers_and_a_page_without_end_fail_in_time(
    make_browser: Callable[..., Browser], site: Site
) -> None:
    browser = make_browser(page_seconds=2.0)
    for url in (site.show("/slow", TEXT, wait=4.0), f"http://{site.address}/endless"):
        shot = browser.photograph_page(url, TEXT)
        assert (shot.png, shot.problem) == (None, "it did not finish within 2 seconds")


def test_a_browser_that_died_in_between_is_started_again(make_browser: Callable[..., Browser], site: Site) -> None:
    browser = make_browser()
    url = site.show("/plain", TEXT)
    assert browser.photograph_page(url, TEXT).text_found
    pid = pid_of(browser)
    os.kill(pid, signal.SIGKILL)
    while running(pid):
        time.sleep(0.02)
    assert browser.photograph_page(url, TEXT).text_found
    assert pid_of(browser) != pid


def test_a_driver_that_died_in_between_is_started_again(make_browser: Callable[..., Browser], site: Site) -> None:
    browser = make_browser()
    url = site.show("/plain", TEXT)
    assert browser.photograph_page(url, TEXT).text_found
    status = Path(f"/proc/{pid_of(browser)}/status").read_text()
    os.kill(int(status.partition("\nPPid:")[2].split()[0]), signal.SIGKILL)
    assert browser.photograph_page(url, TEXT).text_found


def test_a_browser_that_dies_at_work_ends_that_picture_only(
    make_browser: Callable[..., Browser], site: Site
) -> None:
    browser = make_browser()
    url = site.show("/plain", TEXT)
    assert browser.photograph_page(url, TEXT).text_found
    killer = threading.Timer(1.0, os.kill, (pid_of(browser), signal.SIGKILL))
    killer.start()
    shot = browser.photograph_page(site.show("/slow", TEXT, wait=4.0), TEXT)
    killer.join()
    assert (shot.png, shot.problem) == (None, "the browser stopped while the page was open")
    assert browser.photograph_page(url, TEXT).text_found


def test_a_browser_that_freezes_is_killed_and_replaced(
    make_browser: Callable[..., Browser], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_module, "_GRACE_SECONDS", 1.0)
    browser = make_browser(page_seconds=2.0)
    url = site.show("/plain", TEXT)
    assert browser.photograph_page(url, TEXT).text_found
    frozen = pid_of(browser)
    os.kill(frozen, signal.SIGSTOP)
    try:
        browser.photograph_page(url, TEXT)
    except CaptureError as error:
        assert "browser" in str(error)
    assert not running(frozen)
    assert browser.photograph_page(url, TEXT).text_found


def test_an_idle_browser_goes_away_and_comes_back(make_browser: Callable[..., Browser], site: Site) -> None:
    browser = make_browser(idle_seconds=0.2)
    url = site.show("/plain", TEXT)
    assert browser.photograph_page(url, TEXT).text_found
    pid = pid_of(browser)
    until = time.monotonic() + 10
    while running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not running(pid)
    assert browser.photograph_page(url, TEXT).text_found


def test_after_closing_no_process_is_left(make_browser: Callable[..., Browser], site: Site) -> None:
    browser = make_browser()
    assert browser.photograph_page(site.show("/plain", TEXT), TEXT).text_found
    pid = pid_of(browser)
    browser.close()
    assert not running(pid)


def test_many_threads_may_ask_at_once(browser: Browser, site: Site) -> None:
    urls = [site.show(f"/many/{number}", f"{TEXT} {number}") for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        shots = list(
            threads.map(lambda pair: browser.photograph_page(pair[1], f"{TEXT} {pair[0]}"), enumerate(urls))
        )
    assert all(shot.text_found for shot in shots)
    assert [shot.final_url for shot in shots] == urls


@pytest.mark.parametrize("program", ["/bin/true", "/nowhere/chromium"])
def test_what_is_no_browser_is_named_in_the_error(program: str) -> None:
    with Browser(Path(program)) as browser, pytest.raises(CaptureError, match=program):
        browser.render_html("<p>hello")


# Cards and whole captures


def a_subject(url: str, text: str = TEXT) -> Subject:
    item = Item(
        ref=ItemRef("facebook", "1002_7"),
        channel=Channel.OFFICIAL,
        kind=ItemKind.COMMENT,
        author=Author(id="31", handle="dan.w", display_name="Dan W"),
        text=text,
        url=url,
        published_at=NOW,
        raw={"id": "1002_7", "message": text},
    )
    return Subject(
        school="Harrowby Road Academy", timezone="Europe/London", item=item, thread=(), detected_at=NOW, case_id=17
    )


def test_a_card_is_drawn_without_script_network_or_image(browser: Browser, site: Site, canary: Canary) -> None:
    site.hits.clear()
    hostile = f"<script>document.body.innerHTML = ''</script><img src='http://{site.address}/x.png'>" + lead_to(
        canary, "<iframe src='http://CANARY/'></iframe><link rel=stylesheet href='http://CANARY/'>"
    )
    assert size(browser.render_html(f"<!doctype html><body style='height:700px'>{hostile}"))[1] >= 700
    assert site.hits == []
    assert canary.hits == 0


def test_a_card_is_as_tall_as_its_text(browser: Browser) -> None:
    short = browser.render_html("<!doctype html><p>short")
    assert size(short) == (820, 200)
    assert size(browser.render_html("<!doctype html>" + "<p>long" * 100))[1] > 3000


def test_a_whole_capture_is_full(browser: Browser, site: Site) -> None:
    capturer = PageCapturer(browser)
    subject = a_subject(site.show("/post", "<p>another</p>" * 30 + f"<p>{TEXT}</p>"))
    capture = capturer.capture(subject, NOW)
    assert capture.grade is Grade.FULL
    assert [file.name for file in capture.files] == [
        "record.json",
        "card.html",
        "page.png",
        "card.png",
        "manifest.json",
    ]


def test_a_page_that_times_out_costs_the_picture_and_nothing_else(
    make_browser: Callable[..., Browser], site: Site
) -> None:
    capturer = PageCapturer(make_browser(page_seconds=2.0))
    capture = capturer.capture(a_subject(site.show("/hang", f"{TEXT}<script>while (true) {{}}</script>")), NOW)
    assert capture.grade is Grade.FAILED
    assert "did not finish within 2 seconds" in capture.reason
    assert [file.name for file in capture.files] == ["record.json", "card.html", "card.png", "manifest.json"]


def test_the_manifest_tells_the_browser_and_what_was_refused(browser: Browser, site: Site, canary: Canary) -> None:
    body = TEXT + lead_to(
        canary, "<iframe src='http://CANARY/'></iframe><img src=/a.png><script src=/b.ico></script>"
    )
    capture = PageCapturer(browser).capture(a_subject(site.show("/post", body)), NOW)
    manifest = capture.files[-1].body.decode()
    assert re.search(r'"browser":"Chromium \d+\.', manifest)
    assert f'"addresses":["127.0.0.1:{canary.port}"' in manifest
    assert canary.hits == 0
