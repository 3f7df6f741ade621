"""The running service from outside: it opens its desk, watches, and stops when told to."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import ROOT


@contextmanager
def demo(data: Path, host: str = "127.0.0.1") -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The demonstration running; gives the desk's address and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--data", str(data), "--listen", f"{host}:{port}"],
        env={"PATH": "/nonexistent", "PYTHONPATH": str(ROOT)},  # no browser: it is not what is tested here
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert process.poll() is None, process.communicate()[1]
            try:
                httpx.get(f"{address}/health", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, process
    finally:
        process.kill()
        process.communicate()


def test_the_demo_opens_its_desk_fills_it_and_stops_when_told_to(tmp_path: Path) -> None:
    with demo(tmp_path) as (address, process), httpx.Client(base_url=address, trust_env=False) as browser:
        for _ in range(600):
            if "/cases/" in browser.get("/").text:
                break
            time.sleep(0.1)
        assert "/cases/" in browser.get("/").text
        for _ in range(900):  # while the clock of the replay leaps, no stage can keep up with it
            if well := browser.get("/health").json()["ok"]:
                break
            time.sleep(0.1)
        assert well
        for page in ("/items", "/digest", "/mail", "/status"):
            assert browser.get(page).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "The desk is open: http://127.0.0.1:" in errors
    assert "Traceback" not in errors


def test_beyond_this_computer_the_desk_takes_the_code_that_it_prints(tmp_path: Path) -> None:
    with demo(tmp_path, host="0.0.0.0") as (address, process):
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 403
        assert "access code" in answer.text
        assert "What needs somebody" not in answer.text
        assert httpx.get(f"{address}/health", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert "Access code: " in errors


def test_stopped_in_the_middle_of_its_replay_it_ends_cleanly(tmp_path: Path) -> None:
    with demo(tmp_path) as (address, process):
        for _ in range(600):
            if "/cases/" in httpx.get(address, trust_env=False).text:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "The past week is on the desk" not in errors
