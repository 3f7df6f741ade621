"""What the repositories share: their binding to a school, and inserts that leave an existing row alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

#: Well below the number of values that either database takes in one statement.
_ROWS_AT_ONCE = 200


class Repository:
    """Queries on one connection for one school."""

    def __init__(self, connection: Connection, school: str) -> None:
        self._connection = connection
        self._school = school

    def _insert_new(self, table: Table, rows: Sequence[dict[str, Any]]) -> int:
        """Insert the rows whose unique key is not there yet; how many were."""
        added = 0
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            values = [{"school_id": self._school, **row} for row in rows[start : start + _ROWS_AT_ONCE]]
            statement = self._insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
            added += len(self._connection.execute(statement).all())
        return added

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
