"""Whatever happens, in whatever order, the store ends with exactly what the platform shows, each item once.

Comments, replies, edits and deletions arrive, the platform misbehaves, the service is killed in the middle of a
reading or started again, and time goes by: hypothesis tries orders that nobody thought of, on every platform.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from connectors import kinds
from connectors.sandbox import Entry, Fault, feed
from monitor.domain.account import Capabilities
from monitor.domain.cadence import Cadence
from monitor.domain.item import ItemRef, Page
from monitor.domain.ports import Connector
from monitor.pipeline import ingest
from monitor.store.engine import migrate, open_engine
from monitor.store.items import StoredItem
from monitor.store.store import Store
from monitor.store.tables import spending
from tests.contract.places import PRESENT, Place

FAULTS = (
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY,
    Fault.HTML,
    Fault.BLOCK_PAGE,
    Fault.TRUNCATED,
    Fault.RATE_LIMITED,
    Fault.RATE_LIMITED_BARE,
    Fault.UNAUTHORISED,
    Fault.EXPIRED,
    Fault.FORBIDDEN,
    Fault.EMPTY,
    Fault.DUPLICATED,
    Fault.REORDERED,
    Fault.CIRCLE,
    Fault.POISONED,
)
CADENCE = Cadence(
    poll_every=timedelta(minutes=5), poll_quiet=timedelta(minutes=30), go_live=PRESENT - timedelta(days=10)
)


class Killed(BaseException):
    """kill -9: nothing catches it."""


@dataclass
class Fragile(Connector):
    """A connector in a service that is killed after it has handed over so many pages; it adds up what they cost."""

    inner: Connector
    pages_left: float = float("inf")
    spent: float = 0

    def capabilities(self) -> Capabilities:
        return self.inner.capabilities()

    def poll(self, cursor: str | None, now: datetime) -> Iterator[Page]:
        return self._until_killed(self.inner.poll(cursor, now))

    def thread(self, ref: ItemRef, known: Sequence[ItemRef], now: datetime) -> Iterator[Page]:
        return self._until_killed(self.inner.thread(ref, known, now))

    def _until_killed(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            if self.pages_left == 0:
                raise Killed
            self.pages_left -= 1
            self.spent += page.spent
            yield page


class Watching(RuleBasedStateMachine):
    """One account of a platform, watched while things happen."""

    kind: str
    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        shutil.copy(self.empty, self.folder / "store.db")
        self.store = Store(open_engine(f"sqlite:///{self.folder / 'store.db'}"), "larkfield")
        self.place = Place(self.kind, self.folder / "hand-ins")
        self.place.sandbox.start()
        self.account = self.place.account()
        self.written = 0
        self.spent = 0.0

    def teardown(self) -> None:
        try:
            self.agrees()
        finally:
            self.place.sandbox.stop()
            self.store.close()
            shutil.rmtree(self.folder)

    @initialize(read_before=st.booleans())
    def start(self, read_before: bool) -> None:
        with self.store.transaction() as tx:
            tx.sources.register([self.account])
        self.restart()
        if read_before:
            self._read()

    @rule()
    def restart(self) -> None:
        self.connector = self.place.connector()

    @rule(data=st.data(), backdated=st.booleans())
    def somebody_comments(self, data: st.DataObject, backdated: bool) -> None:
        above = data.draw(st.sampled_from(self._live()))
        self._write(by="parent", under=above, dated=-timedelta(days=2) if backdated else None)

    @rule(data=st.data())
    def the_school_answers(self, data: st.DataObject) -> None:
        self._write(by="school", under=data.draw(st.sampled_from(self._live())))

    @rule()
    def the_school_posts(self) -> None:
        self._write(by="school")

    @rule(data=st.data())
    def somebody_edits(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self._live()))
        self.written += 1
        self.place.world.edit(key, f"edited {self.written}", self._now())

    @precondition(lambda self: self._leaves())
    @rule(data=st.data())
    def somebody_deletes(self, data: st.DataObject) -> None:
        self.place.world.delete(data.draw(st.sampled_from(self._leaves())), self._now())

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def the_platform_misbehaves(self, fault: Fault, times: int) -> None:
        if self.kind != "archive":
            self.place.sandbox.fail(self.kind, fault, times)

    @rule(minutes=st.sampled_from((6, 35, 100, 60 * 26)))
    def time_goes_by_and_it_is_read(self, minutes: int) -> None:
        self.place.later(minutes=minutes)
        self._read()

    @rule(pages=st.integers(0, 6))
    def it_is_killed_while_it_reads(self, pages: int) -> None:
        self.place.later(minutes=35)
        try:
            self._read(pages)
        except Killed:
            self.restart()

    def agrees(self) -> None:
        """With the platform well again, three days' readings make everything good."""
        if self.kind != "archive":
            self.place.sandbox.recover(self.kind)
        for _ in range(3):
            self.place.later(hours=25)
            self._read()
        with self.store.reading() as tx:
            [state] = tx.sources.states()
            stored = tx.items.search(limit=10_000)
            differing = tx.threads.differing(self.account.id)
            failing = sum(one.failing for one in tx.threads.differences(self.place.now))
        assert (state.problem, state.stuck_polls, state.left_out) == (None, 0, 0)
        assert failing == 0
        assert self._paid() == pytest.approx(self.spent)
        there = [one.item.text for one in stored if one.gone_at is None]
        if self.connector.capabilities().deletions:
            assert sorted(there) == self.place.expected()
            assert differing == []
        else:
            # A feed shows its newest entries only: what it no longer holds cannot be read again.
            shown = self.place.world.live(self.kind, self.place.now)[-feed.LENGTH :]
            assert set(there) >= {live.text for live in shown}
            assert len(there) == len(self._known(stored))

    def _known(self, stored: list[StoredItem]) -> set[str]:
        """The entries that what is stored tells of, by any of their wordings."""
        told = {text: entry.key for entry in self.place.world.entries() for text in _wordings(entry)}
        return {told[one.item.text] for one in stored}

    def _paid(self) -> float:
        """What was written down as spent, over all months and days."""
        with self.store._engine.connect() as connection:
            return connection.execute(select(func.sum(spending.c.amount))).scalar() or 0.0

    def _read(self, pages: float = float("inf")) -> None:
        """Read the account; the service is killed once it has got so many pages and asks for another."""
        if self.kind == "archive":
            self.place.world.hand_in(self.folder / "hand-ins", self.place.now)
        read = Fragile(self.connector, pages)
        try:
            ingest.run(self.store, self.account, read, CADENCE, self.place.now)
        finally:
            self.spent += read.spent

    def _write(self, **about: object) -> None:
        self.written += 1
        title = "review" if self.kind == "archive" else ""
        words = f"written {self.written}"
        entry = Entry(key=words, platform=self.kind, at=self._now(), text=words, title=title, **about)  # type: ignore[arg-type]
        self.place.world.add(entry)

    def _now(self) -> timedelta:
        return self.place.later(seconds=61)

    def _live(self) -> list[str]:
        return [live.key for live in self.place.world.live(self.kind, self.place.now)]

    def _leaves(self) -> list[str]:
        above = {entry.under for entry in self.place.world.entries()}
        return [key for key in self._live() if key not in above]


def _wordings(entry: Entry) -> set[str]:
    return {entry.text, *(edit.text for edit in entry.edits)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database, migrated once for all runs."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("runs", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_any_order_of_things_ends_with_what_the_platform_shows(kind: str, runs: int, empty: Path) -> None:
    machine = type(f"Watching{kind.title()}", (Watching,), {"kind": kind, "empty": empty})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
