"""What the repositories share: their binding to a school, and inserts that leave an existing row alone."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_
from sqlalchemy.dialects import postgresql, sqlite

from monitor.domain.item import ItemRef


class Repository:
    """Queries on one connection for one school."""

    def __init__(self, connection: Connection, school: str) -> None:
        self._connection = connection
        self._school = school

    def _insert_new(self, table: Table, rows: Sequence[dict[str, Any]]) -> int:
        """Insert the rows whose unique key is not there yet; how many were."""
        if not rows:
            return 0
        statement = self._insert(table).on_conflict_do_nothing().returning(table.c.id)
        values = [{"school_id": self._school, **row} for row in rows]
        return len(self._connection.execute(statement, values).all())

    def _named(self, table: Table, refs: Iterable[ItemRef]) -> ColumnElement[bool] | None:
        """Whether a row's `platform` and `native_id` are among `refs`; None where there are none."""
        by_platform: dict[str, list[str]] = {}
        for ref in refs:
            by_platform.setdefault(ref.platform, []).append(ref.id)
        if not by_platform:
            return None
        return or_(
            *(
                and_(table.c.platform == platform, table.c.native_id.in_(ids))
                for platform, ids in by_platform.items()
            )
        )

    def _upsert(self, table: Table, key: dict[str, Any], **values: Any) -> None:
        """Write `values` to the row with this unique key, making it if it is not there."""
        statement = self._insert(table).values(school_id=self._school, **key, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["school_id", *key], set_=values))

    def _insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An insert that knows ON CONFLICT, which SQL leaves to each database."""
        return sqlite.insert(table) if self._connection.dialect.name == "sqlite" else postgresql.insert(table)

    def _claim(self, statement: Any) -> Any:
        """Lock the selected rows against other workers; SQLite's transactions are serial already."""
        return statement.with_for_update(skip_locked=True)
