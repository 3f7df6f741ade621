"""What every test may ask for: a store on SQLite and on PostgreSQL, the example school, and a time to be in."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from monitor.config import Config, load_config
from monitor.store.engine import migrate, open_engine
from monitor.store.store import Store

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
#: A Wednesday at noon.
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skips are counted aloud: what was not seen to work is not taken as working."""
    skipped = len(terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(
            f"ATTENTION: {skipped} tests were skipped; their reasons stand above", yellow=True
        )


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PostgreSQL server for this run: $TEST_POSTGRESQL_URL, else one that a wheel carries."""
    if url := os.environ.get("TEST_POSTGRESQL_URL"):
        return url
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL here: install the wheel pgserver")
    # A socket's path may have 107 bytes at most, which pytest's own folders can exceed.
    folder = tempfile.mkdtemp(prefix="pg-")
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except (OSError, AssertionError, RuntimeError) as error:
        pytest.skip(f"no PostgreSQL here: the one carried by pgserver does not start ({error})")
    return str(server.get_uri())


@contextmanager
def _new_database(server: str, template: str = "template1") -> Iterator[str]:
    """A new database on a PostgreSQL server, a copy of `template`, dropped at the end."""
    name = f"test_{uuid4().hex[:12]}"
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield str(admin.url.set(database=name, drivername="postgresql").render_as_string(hide_password=False))
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind, nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield request.getfixturevalue("empty_postgresql")


@pytest.fixture
def empty_postgresql(postgresql_url: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with _new_database(postgresql_url) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy: migrating anew for each test would be most of the tests' time."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[str]:
    """The name of a migrated, empty PostgreSQL database to copy."""
    with _new_database(postgresql_url) as url:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        yield url.rpartition("/")[2].partition("?")[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated store of the school "larkfield", on each kind of database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'schoolwatch.db'}"
            shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "schoolwatch.db")
        else:
            template = request.getfixturevalue("migrated_postgresql")
            url = stack.enter_context(_new_database(request.getfixturevalue("postgresql_url"), template))
        store = Store(open_engine(url), "larkfield")
        stack.callback(store.close)
        yield store


@pytest.fixture(scope="session")
def example() -> Config:
    """The example school's configuration."""
    return load_config(ROOT / "config")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded answers and labelled comments beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name}/ is not beside this checkout: its recordings cannot be replayed")
    return SHARED


@pytest.fixture
def now() -> datetime:
    return NOON
