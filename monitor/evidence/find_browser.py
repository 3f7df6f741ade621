"""Where the browser is, and whether the program that drives it can run here."""

import logging
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright._impl._driver import compute_driver_executable  # there is no public way to ask
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from monitor.domain.errors import ConfigError

logger = logging.getLogger(__name__)

_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def driver_problem() -> str | None:
    """Why Playwright's own Node.js cannot run here, or None: a bare Debian lacks a library that it needs."""
    try:
        node, _ = compute_driver_executable()
        command = [node, "--version"]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)  # noqa: S603 - our own
    except subprocess.CalledProcessError as error:
        needed = " (Debian: apt-get install libatomic1)" if "libatomic" in error.stderr else ""
        return f"the browser's driver cannot run: {error.stderr.strip()[:200]}{needed}"
    except (OSError, subprocess.SubprocessError, PlaywrightError) as error:
        return f"the browser's driver cannot run: {error}"
    return None


def find_browser() -> Path | None:
    """The browser to use: SCHOOLWATCH_BROWSER, else Chromium or Chrome on the PATH, else Playwright's download.

    None where there is none, or where it cannot be driven. Raises ConfigError where SCHOOLWATCH_BROWSER names
    nothing that can be run.
    """
    chosen = os.environ.get("SCHOOLWATCH_BROWSER")
    found = next((path for name in ([chosen] if chosen else _COMMANDS) if (path := shutil.which(name))), None)
    if chosen and not found:
        raise ConfigError(f"SCHOOLWATCH_BROWSER is {chosen!r}, which is no program that can be run")
    if problem := driver_problem():
        logger.warning("%s", problem)
        return None
    if found:
        return Path(found)
    with ThreadPoolExecutor(1) as thread:  # Playwright refuses a thread that runs an event loop
        downloaded = thread.submit(_playwrights_own).result()
    return downloaded if downloaded.exists() else None


def _playwrights_own() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)
