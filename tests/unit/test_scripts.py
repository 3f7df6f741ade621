"""The scripts that set up and start Schoolwatch, on a checkout whose environment is already made."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: All that the scripts call of a system with neither browser nor package manager.
TOOLS = (
    *("bash", "cat", "cut", "dirname", "find", "flock", "grep", "head", "ldd", "mktemp", "readlink", "rm", "sed"),
    *("sha256sum", "tail", "tee", "timeout", "touch"),
)


class Checkout:
    """A copy of the scripts with an environment whose programs say how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder.parent / "tools"
        self.tools.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, f"{tool} is part of every Debian"
            (self.tools / tool).symlink_to(found)
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        for lock in ("requirements.lock", "requirements-dev.lock"):
            shutil.copy(ROOT / lock, folder)
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        (programs / "schoolwatch").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (programs / "playwright").write_text("#!/bin/sh\necho no network\nexit 1\n")
        driver = folder / ".venv" / "lib" / "python3.11" / "site-packages" / "playwright" / "driver" / "node"
        driver.parent.mkdir(parents=True)
        driver.symlink_to("/bin/true")
        for program in programs.iterdir():
            program.chmod(0o755)
        self.shell("fingerprint requirements.lock >.venv/.lock-sha")

    def is_ready(self) -> bool:
        return self.shell("is_stamped requirements.lock .lock-sha").returncode == 0

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        return self._run(["bash", "-c", f"source scripts/environment.sh; {command}"], self.folder)

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self._run([str(self.folder / "scripts" / "start"), *arguments], cwd or self.folder)

    def add_tool(self, name: str, script: str) -> None:
        tool = self.tools / name
        tool.unlink(missing_ok=True)
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    def add_browser(self) -> None:
        self.add_tool("chromium", "echo Chromium 156")

    def _run(self, command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.tools), "HOME": str(cwd), "PLAYWRIGHT_BROWSERS_PATH": str(cwd / "none")}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    return Checkout(folder)


@pytest.mark.parametrize("arguments", [[], ["--once"], ["--once", "--data", "my data"]])
def test_start_without_a_config_runs_the_demo(checkout: Checkout, arguments: list[str]) -> None:
    checkout.add_browser()
    started = checkout.start(*arguments)
    assert (started.returncode, started.stdout.splitlines()) == (0, ["demo", *arguments])


@pytest.mark.parametrize("arguments", [["--config", "my school"], ["--data", "d", "--config=c"]])
def test_start_with_a_config_runs_the_service(checkout: Checkout, arguments: list[str]) -> None:
    checkout.add_browser()
    assert checkout.start(*arguments).stdout.splitlines() == ["run", *arguments]


def test_start_works_from_any_folder_and_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add_browser()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "start").symlink_to(checkout.folder / "scripts" / "start")
    assert checkout.start("--once", cwd=elsewhere).stdout == "demo\n--once\n"
    linked = subprocess.run([elsewhere / "start", "--help"], capture_output=True, text=True, check=True)
    assert "--config DIR" in linked.stdout


def test_start_is_silent_once_everything_is_there(checkout: Checkout) -> None:
    checkout.add_browser()
    assert checkout.start("--once").stderr == ""


def test_start_says_where_to_look(checkout: Checkout) -> None:
    checkout.add_browser()
    said = checkout.start().stderr
    assert "http://127.0.0.1:8080" in said
    assert str(checkout.folder / "data") in said


def test_start_tells_the_program_which_browser_it_found(checkout: Checkout) -> None:
    checkout.add_browser()
    named = checkout.shell('prepare_browser; echo "$SCHOOLWATCH_BROWSER"')
    assert named.stdout.strip() == str(checkout.tools / "chromium")


def test_a_browser_that_does_not_run_is_passed_over(checkout: Checkout) -> None:
    checkout.add_tool("chromium-browser", "echo requires the chromium snap to be installed; exit 1")
    checkout.add_tool("google-chrome", "echo Google Chrome 156")
    named = checkout.shell('prepare_browser; echo "$SCHOOLWATCH_BROWSER"')
    assert named.stdout.strip() == str(checkout.tools / "google-chrome")


def test_without_a_browser_start_says_what_to_run_and_goes_on(checkout: Checkout) -> None:
    started = checkout.start("--once")
    assert started.stdout == "demo\n--once\n"
    said = started.stderr.splitlines()
    assert said[-1].startswith("No browser, so no screenshots")
    assert "Run: sudo apt-get install chromium" in said[-1] or "playwright install chromium" in said[-1]


def test_a_library_that_the_browser_s_driver_lacks_is_named(checkout: Checkout) -> None:
    checkout.add_browser()
    checkout.add_tool("ldd", "echo 'libatomic.so.1 => not found'")
    started = checkout.start("--once")
    assert started.stdout == "demo\n--once\n"
    assert "sudo apt-get install libatomic1" in started.stderr


def test_a_browser_that_could_not_be_downloaded_is_not_asked_for_at_each_start(checkout: Checkout) -> None:
    assert "Downloading" in checkout.start("--once").stderr
    again = checkout.start("--once").stderr
    assert "Downloading" not in again
    assert "No browser" in again


def test_an_environment_is_ready_with_its_stamp_only(checkout: Checkout) -> None:
    assert checkout.is_ready()
    (checkout.folder / ".venv" / ".lock-sha").unlink()
    assert not checkout.is_ready()


def test_an_environment_without_the_program_is_unfinished(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / "bin" / "schoolwatch").unlink()
    assert not checkout.is_ready()


def test_a_new_lock_file_makes_the_environment_out_of_date(checkout: Checkout) -> None:
    with (checkout.folder / "requirements.lock").open("a") as lock:
        lock.write("# another\n")
    assert not checkout.is_ready()


def test_an_environment_that_was_moved_is_made_anew(checkout: Checkout) -> None:
    moved = checkout.folder.rename(checkout.folder.with_name("moved"))
    checkout.folder = moved
    assert not checkout.is_ready()


def test_start_names_what_to_install_where_there_is_no_python(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / ".lock-sha").unlink()
    started = checkout.start()
    assert started.returncode == 1
    assert "Schoolwatch needs Python 3.11" in started.stderr


def test_start_names_what_to_install_where_python_makes_no_environments(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / ".lock-sha").unlink()
    checkout.add_tool("python3", f'case $2 in *ensurepip*) exit 1;; esac\nexec {shlex.quote(sys.executable)} "$@"')
    checkout.add_tool("apt-get", "exit 1")
    started = checkout.shell("is_root() { false; }; prepare_environment")
    assert started.returncode == 1
    assert "Run: sudo apt-get install python3-venv" in started.stderr


def test_the_progress_of_pip_is_told_in_words(checkout: Checkout) -> None:
    pip = (
        "Ignoring colorama: markers do not match\n"
        "Collecting httpx==0.28.1 (from -r requirements.lock)\n"
        "  Downloading httpx.whl\n"
        "Processing /wheels/PyYAML-6.whl (from -r requirements.lock)\n"
    )
    told = checkout.shell(f"printf %s {shlex.quote(pip)} | pip_steps 3")
    assert told.stdout.splitlines() == ["1 of 2, httpx==0.28.1", "2 of 2, PyYAML-6.whl"]


def test_the_progress_of_apt_is_told_in_words(checkout: Checkout) -> None:
    told = checkout.shell("echo 'pmstatus:chromium:45.3:Installing chromium (amd64)' | apt_steps")
    assert told.stdout == "45 % Installing chromium (amd64)\n"


@pytest.mark.parametrize("script", ["start", "test", "lock", "environment.sh"])
def test_the_scripts_are_valid_bash(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / "scripts" / script], check=True)
