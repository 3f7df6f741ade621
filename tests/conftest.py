"""What every test may ask for: a store on SQLite and on PostgreSQL, the example school, and a time to be in."""

import os
import tempfile
from collections.abc import Iterator
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
        terminalreporter.write_line(f"ATTENTION: {skipped} tests were skipped; their reasons stand above", yellow=True)


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'schoolwatch.db'}"
        return
    server = request.getfixturevalue("postgresql_url").replace("postgresql://", "postgresql+psycopg://")
    name = f"test_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield str(admin.url.set(database=name, drivername="postgresql").render_as_string(hide_password=False))
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated store of the school "larkfield"."""
    engine = open_engine(database_url)
    migrate(engine)
    store = Store(engine, "larkfield")
    yield store
    store.close()


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
