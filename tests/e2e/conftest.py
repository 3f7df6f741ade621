"""The `schoolwatch` command as others run it: a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def schoolwatch(tmp_path: Path) -> Run:
    """Run the command with these arguments in an empty folder and give back how it ended."""

    def run(
        *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", *map(str, arguments)],
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )

    return run
