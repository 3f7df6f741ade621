"""The Dockerfile, where there is no Docker: it is linted, and its steps are taken in a folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROGRAMS = Path(sys.executable).parent


def steps(stage: int) -> list[tuple[str, str]]:
    """The (instruction, arguments) of a stage, counted from 0; continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    instructions = [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines())]
    starts = [number for number, (word, _) in enumerate(instructions) if word == "FROM"]
    return instructions[starts[stage] : [*starts, len(instructions)][stage + 1]]


def copy_context(target: Path) -> None:
    """What `COPY . ./` copies: all but what .dockerignore leaves out."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    left_out = [rule for rule in rules if not rule.startswith("!")]
    assert left_out[0] == "*"

    def ignored(folder: str, names: list[str]) -> set[str]:
        relative = Path(folder).relative_to(ROOT)
        return {name for name in names if any(fnmatch(str(relative / name), rule) for rule in left_out[1:])}

    for name in kept:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)


def test_the_dockerfile_is_clean_for_hadolint() -> None:
    hadolint = PROGRAMS / "hadolint"
    lint = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout) == (0, "")


def test_the_service_does_not_run_as_root_and_keeps_its_data_outside() -> None:
    final = steps(1)
    user = [rest for word, rest in final if word == "USER"][-1]
    assert int(user.partition(":")[0]) >= 1000
    assert json.loads(next(rest for word, rest in final if word == "VOLUME")) == ["/config", "/data"]


def test_the_container_has_the_browser_that_the_start_script_installs() -> None:
    packages = re.findall(r"packages\+=\((.*)\)", (ROOT / "scripts" / "environment.sh").read_text())
    install = next(rest for word, rest in steps(1) if word == "RUN" and "apt-get" in rest)
    assert packages
    assert set(" ".join(packages).split()) <= set(install.split())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_install_steps_of_the_dockerfile_give_the_program(tmp_path: Path) -> None:
    place = tmp_path / "opt"
    place.mkdir()
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(Path(sys.executable).resolve())
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    for word, rest in steps(0):
        if word == "RUN":
            done = subprocess.run(rest, shell=True, cwd=place, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{rest}\n{done.stdout}\n{done.stderr}"
        elif (word, rest) == ("COPY", ". ./"):
            copy_context(place)
        elif word == "COPY":
            shutil.copy(ROOT / rest.split()[0], place)

    program = place / ".venv" / "bin" / "schoolwatch"
    version = subprocess.run([program, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.search(r"\d+\.\d+", version.stdout)
    command = json.loads(next(rest for word, rest in steps(1) if word == "CMD"))
    usage = subprocess.run(
        [program, command[0], "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for option in command[1::2]:
        assert option in usage.stdout


@contextmanager
def health_answering(status: int) -> Iterator[int]:
    """A server on loopback whose /health answers `status`; gives its port."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_container_is_healthy_only_while_the_desk_says_so(status: int, healthy: bool) -> None:
    check = next(rest for word, rest in steps(1) if word == "HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    assert command[0] == "python"
    with health_answering(status) as port:
        script = command[2].replace(":8080", f":{port}")
        done = subprocess.run([sys.executable, command[1], script], capture_output=True)
    assert (done.returncode == 0) is healthy
