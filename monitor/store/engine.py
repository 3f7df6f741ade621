"""Opening a database: SQLite in a file, or PostgreSQL."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url

from monitor.domain.errors import ConfigError

MIGRATIONS = Path(__file__).parent / "migrations"
#: Execution option of a transaction that only reads.
READING = "schoolwatch_reading"


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…` (psycopg 3)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True))
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    raise ConfigError(f"the database must be sqlite:/// or postgresql://, not {parsed.drivername}")


def _sqlite(engine: Engine) -> Engine:
    """Durable and serialised: a writing transaction takes the write lock at its start, so none deadlock."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision. Raises ConfigError if the database is newer than this program."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        present = MigrationContext.configure(connection).get_current_revision()
        if present is not None and present not in known:
            raise ConfigError(f"the database is at revision {present}, newer than this program: update Schoolwatch")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
