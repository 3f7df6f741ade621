"""A first reading shows how far it has come, to whoever sits at a terminal and to nobody else."""

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.cli.progress import shown
from monitor.domain.account import Access, Capabilities, Profile
from monitor.domain.errors import SourceError
from monitor.domain.item import Author, Channel, Item, ItemKind, ItemRef, Page
from monitor.domain.ports import Connector

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
ITEM = Item(
    ref=ItemRef("x", "1"),
    channel=Channel.OFFICIAL,
    kind=ItemKind.COMMENT,
    author=Author(),
    text="",
    url="",
    published_at=NOW,
)
UNDATED = replace(ITEM, published_at=None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Two(Connector):
    """Two pages, and what else a connector can be asked."""

    fails = False

    def capabilities(self) -> Capabilities:
        return Capabilities(reads=("posts",), edits=True, deletions=True)

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        yield Page(items=(ITEM, UNDATED), cursor="1")
        if self.fails:
            raise SourceError("broken off")
        yield Page(items=(replace(ITEM, published_at=NOW - timedelta(days=28)),), cursor="2")

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        yield Page(gone=(ref,))

    def access(self, now: datetime) -> Access:
        return Access(notes=("well",))

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        return iter([Profile(platform="x", id="9", handle="h", name="n", about="", url="")])


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_a_first_reading_tells_account_comments_and_how_far_back(terminal: Terminal) -> None:
    with redirect_stderr(terminal), shown({"x-official": Two()}) as connectors:
        pages = list(connectors["x-official"].poll(None, NOW))
    assert pages == list(Two().poll(None, NOW))
    last = terminal.getvalue().rpartition("x-official: first reading")[2]
    assert "3 comments" in last
    assert "back to 21 October 2026" in last


def test_later_readings_tell_nothing(terminal: Terminal) -> None:
    with redirect_stderr(terminal), shown({"x-official": Two()}) as connectors:
        assert len(list(connectors["x-official"].poll("1", NOW))) == 2
    assert terminal.getvalue() == ""


def test_where_nobody_sits_nothing_is_told() -> None:
    pipe = io.StringIO()
    with redirect_stderr(pipe), shown({"x-official": Two()}) as connectors:
        assert len(list(connectors["x-official"].poll(None, NOW))) == 2
    assert pipe.getvalue() == ""


def test_a_reading_that_breaks_off_breaks_off(terminal: Terminal) -> None:
    broken = Two()
    broken.fails = True
    with (
        redirect_stderr(terminal),
        shown({"x-official": broken}) as connectors,
        pytest.raises(SourceError, match="broken off"),
    ):
        list(connectors["x-official"].poll(None, NOW))
    assert "2 comments" in terminal.getvalue()


def test_everything_else_is_the_connectors_own(terminal: Terminal) -> None:
    own = Two()
    with redirect_stderr(terminal), shown({"x-official": own}) as connectors:
        watched = connectors["x-official"]
        assert watched.capabilities() == own.capabilities()
        assert list(watched.thread(ITEM.ref, (), NOW)) == list(own.thread(ITEM.ref, (), NOW))
        assert watched.access(NOW) == own.access(NOW)
        assert list(watched.profiles((), NOW)) == list(own.profiles((), NOW))
