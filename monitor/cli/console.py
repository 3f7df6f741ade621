"""What all commands share: the Typer application, their common options, and how they speak."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor import __version__
from monitor.config import Config, default_folder
from monitor.domain.errors import ConfigError

app = typer.Typer(help="Looks after a school's social media accounts.", no_args_is_help=True, add_completion=False)

ConfigFolder = Annotated[
    Path, typer.Option("--config", help="The school's configuration folder.", default_factory=default_folder)
]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", help="Where database and evidence are kept; default: data/ and the school's id."),
]


def data_of(config: Config, data: Path | None) -> Path:
    """Where a school's data are: never among those of the demonstration, which are in data/ itself."""
    return data or Path("data") / config.school.id


def say(text: str) -> None:
    """To the person at the console; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def lines_of(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file. Raises ConfigError where it cannot be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            yield iter(lines)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _version(wanted: bool) -> None:
    if wanted:
        print(f"schoolwatch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Looks after a school's social media accounts: nothing seen is lost, no deadline passes in silence."""
