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


@pytest.fixture
def x(tmp_path: Path) -> Iterator[Place]:
    yield from _place("x", tmp_path)


@pytest.fixture
def bluesky(tmp_path: Path) -> Iterator[Place]:
    yield from _place("bluesky", tmp_path)


@pytest.fixture
def facebook(tmp_path: Path) -> Iterator[Place]:
    yield from _place("facebook", tmp_path)


@pytest.fixture
def mastodon(tmp_path: Path) -> Iterator[Place]:
    yield from _place("mastodon", tmp_path)


@pytest.fixture
def reddit(tmp_path: Path) -> Iterator[Place]:
    yield from _place("reddit", tmp_path)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Place]:
    yield from _place("feed", tmp_path)


@pytest.fixture
def wordpress(tmp_path: Path) -> Iterator[Place]:
    yield from _place("wordpress", tmp_path)


@pytest.fixture
def youtube(tmp_path: Path) -> Iterator[Place]:
    yield from _place("youtube", tmp_path)


@pytest.fixture
def instagram(tmp_path: Path) -> Iterator[Place]:
    yield from _place("instagram", tmp_path)
