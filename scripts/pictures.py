"""Take the README's pictures anew from the demonstration: .venv/bin/python scripts/pictures.py"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from monitor.evidence.find_browser import find_browser

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
DEMO = [sys.executable, "-m", "monitor", "demo"]
ADDRESS = "127.0.0.1:8099"
DESK = f"http://{ADDRESS}"


@contextmanager
def desk() -> Iterator[None]:
    """The desk over a demonstration that has run its course."""
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([*DEMO, "--once", "--data", data], check=True)
        running = subprocess.Popen([*DEMO, "--data", data, "--listen", ADDRESS])
        try:
            _wait_for(DESK)
            time.sleep(10)  # every account is read once more
            yield
        finally:
            running.terminate()
            running.wait()


def _wait_for(address: str) -> None:
    for _ in range(120):
        try:
            httpx.get(f"{address}/health", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.5)
        else:
            return
    sys.exit("the desk did not open")


def take(page: Page) -> None:
    """One picture of each page of the tour."""
    page.goto(DESK)
    page.screenshot(path=PICTURES / "queue.png")
    threat = page.locator("a[href*='/cases/']").first.get_attribute("href")
    page.set_viewport_size({"width": 1200, "height": 2000})  # tall, for pictures below the fold load late
    page.goto(f"{DESK}{threat}", wait_until="networkidle")
    page.screenshot(path=PICTURES / "case.png", full_page=True)
    page.set_viewport_size({"width": 1200, "height": 900})
    card = re.search(r"/evidence/\d+/card\.png", page.content())
    mail = re.search(r"/mail/\d+", page.content())
    for name, address in (
        ("digest", "/digest"),
        ("status", "/status"),
        ("lookalikes", "/lookalikes"),
        ("mail", mail and mail[0]),
    ):
        page.goto(f"{DESK}{address}")
        page.screenshot(path=PICTURES / f"{name}.png")
    if card:
        (PICTURES / "card.png").write_bytes(page.request.get(f"{DESK}{card[0]}").body())


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with desk(), sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        take(browser.new_page(viewport={"width": 1200, "height": 900}))
        browser.close()


if __name__ == "__main__":
    main()
