"""A desk over a real store, opened as a browser on this machine opens it."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from httpx2 import Response
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright
from starlette.testclient import TestClient

from monitor.config import Config
from monitor.evidence.find_browser import find_browser
from monitor.store.store import Store
from monitor.web.access import Access
from monitor.web.app import create_app
from monitor.web.desk import Desk
from tests.web.world import World, new_world

LEADERS_CODE = "lead-ers2-code"
HERE = "http://127.0.0.1:8080"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--no-first-run", "--disable-component-update"]


class Browser(TestClient):
    """A client that sends forms as a browser does, with the token of the page they stand on."""

    def token(self) -> str:
        [token] = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', self.get("/unlock?leaders=true").text)) or [""]
        return token

    def submit(self, path: str, **fields: object) -> Response:
        form = {"csrf": self.token(), **fields}
        return self.post(path, data=form, headers={"origin": str(self.base_url).rstrip("/")})

    def unlock(self, code: str) -> Response:
        return self.submit("/unlock", code=code)


@pytest.fixture
def world(store: Store, example: Config, tmp_path: Path, now: datetime) -> World:
    return new_world(store, example, tmp_path, now)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(
        store=world.store,
        vault=world.vault,
        config=world.config,
        clock=world.clock,
        access=Access(desk_code=None, leaders_code=LEADERS_CODE),
    )


@pytest.fixture
def opened() -> Callable[[Desk], Browser]:
    """Open a desk in a browser of its own."""
    return lambda desk: Browser(create_app(desk), base_url=HERE, follow_redirects=True)


@pytest.fixture
def browser(desk: Desk, opened: Callable[[Desk], Browser]) -> Browser:
    return opened(desk)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium here: the desk is not seen in a real browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()
