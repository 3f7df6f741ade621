"""Which browser is used, and what is said where the one that was asked for is not there."""

from pathlib import Path

import pytest

from monitor.domain.errors import ConfigError
from monitor.evidence.find_browser import driver_problem, find_browser


def a_program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHOOLWATCH_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))


@pytest.fixture
def drivable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that runs, on machines that lack a library for the real one too."""
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(a_program(tmp_path, "node")))


@pytest.mark.usefixtures("drivable")
@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_on_the_path_is_used(tmp_path: Path, name: str) -> None:
    program = a_program(tmp_path, name)
    assert find_browser() == program


@pytest.mark.usefixtures("drivable")
def test_the_one_named_in_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, "chromium")
    mine = a_program(tmp_path, "mine")
    monkeypatch.setenv("SCHOOLWATCH_BROWSER", str(mine))
    assert find_browser() == mine


def test_a_named_browser_that_is_not_there_is_an_error_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "chromium")
    monkeypatch.setenv("SCHOOLWATCH_BROWSER", "/nowhere/chrome")
    with pytest.raises(ConfigError, match=r"SCHOOLWATCH_BROWSER is '/nowhere/chrome'"):
        find_browser()


def test_where_there_is_none_there_is_none() -> None:
    assert find_browser() is None


def test_a_browser_that_cannot_be_driven_is_none_and_the_missing_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "chromium")
    node = a_program(tmp_path, "node")
    node.write_text("#!/bin/sh\necho 'error while loading shared libraries: libatomic.so.1' >&2\nexit 127\n")
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
    assert find_browser() is None
    assert "apt-get install libatomic1" in str(driver_problem())
