"""Places to test connectors in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import kinds
from tests.contract.places import NETWORKED, Place


def _place(kind: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(kind, tmp_path)
    with place.sandbox:
        yield place


@pytest.fixture(params=kinds())
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each kind of connector in turn: a new file in connectors/ is tested as soon as it exists."""
    yield from _place(request.param, tmp_path)


@pytest.fixture(params=NETWORKED)
def networked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each kind that asks a server."""
    yield from _place(request.param, tmp_path)


def _fixture(kind: str) -> object:
    @pytest.fixture(name=kind)
    def fixture(tmp_path: Path) -> Iterator[Place]:
        yield from _place(kind, tmp_path)

    return fixture


# `x`, `youtube` and so on, for the tests of one kind: a new kind has its own at once.
globals().update({kind: _fixture(kind) for kind in NETWORKED})
