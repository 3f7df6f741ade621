"""The store of one school: every query made through a handle is bound to that school."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from monitor.store.access import AccessRecords
from monitor.store.cases import Cases
from monitor.store.engine import READING
from monitor.store.erasure import Erasure
from monitor.store.evidence import EvidenceShelf
from monitor.store.health import Health
from monitor.store.items import Items
from monitor.store.lookalikes import Lookalikes
from monitor.store.outbox import Outbox
from monitor.store.queue import Queue
from monitor.store.readings import Readings
from monitor.store.sources import Sources
from monitor.store.spending import Spending
from monitor.store.threads import Threads


class Transaction:
    """One transaction: its rows appear together or not at all."""

    def __init__(self, connection: Connection, school: str) -> None:
        self.items = Items(connection, school)
        self.sources = Sources(connection, school)
        self.threads = Threads(connection, school)
        self.spending = Spending(connection, school)
        self.readings = Readings(connection, school)
        self.cases = Cases(connection, school)
        self.outbox = Outbox(connection, school)
        self.evidence = EvidenceShelf(connection, school)
        self.erasure = Erasure(connection, school)
        self.health = Health(connection, school)
        self.queue = Queue(connection, school)
        self.access = AccessRecords(connection, school)
        self.lookalikes = Lookalikes(connection, school)


class Store:
    """A database handle opened for one school."""

    def __init__(self, engine: Engine, school: str) -> None:
        self.school = school
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Read and write; committed at the end of the block, rolled back if it raises."""
        with self._engine.begin() as connection:
            yield Transaction(connection, self.school)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Read only: on SQLite it takes no write lock."""
        with self._engine.connect() as connection:
            yield Transaction(connection.execution_options(**{READING: True}), self.school)

    def answers(self) -> bool:
        """Whether the database can be read now."""
        try:
            with self._engine.connect() as connection:
                connection.execution_options(**{READING: True}).execute(select(1))
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()
