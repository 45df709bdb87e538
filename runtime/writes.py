"""What a batch writes, collected before anything is sent: little of it goes as one statement, in one trip.

A service says what to write and never waits for it. `ledger.save` sends it together with the progress.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg

from runtime.connection import Connection
from runtime.failures import Outdated

_PARAMETER = re.compile(r"\$(\d+)")

FEW = 50
"""Few rows wait for round trips, of which COPY takes three; many wait for the server."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One that changes rows of `table`; it begins with `insert`, `update` or `delete`."""

    table: str
    sql: str
    arguments: tuple[Any, ...]

    async def send(self, db: Connection) -> None:
        """Send it by itself."""
        await db.execute(self.sql, *self.arguments)


@dataclass(frozen=True, slots=True)
class Copy:
    """Many new rows of `table`."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    async def send(self, db: Connection) -> None:
        """Send it by itself."""
        await db.copy_records_to_table(self.table, columns=self.columns, records=self.rows)


class Writes:
    """What is to be written, in this order."""

    def __init__(self) -> None:
        self._all: list[Statement | Copy] = []
        self._fresh: set[str] = set()
        self._in_order = False

    def execute(self, table: str, sql: str, *arguments: Any) -> None:
        """Change rows of a table by an `insert`, `update` or `delete` of that table alone."""
        self._all.append(Statement(table, sql, arguments))

    def copy(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows: faster than `insert` for the server, and three trips instead of none."""
        self._all.append(Copy(table, columns, rows))

    def add(
        self, table: str, columns: tuple[str, ...], sql: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Add rows, in this order, by whichever is faster; `sql` adds them from an array for each column."""
        if len(rows) <= FEW:
            self.execute(table, sql, *zip(*rows, strict=True))
        else:
            self.copy(table, columns, rows)

    def save(
        self,
        table: str,
        columns: tuple[str, ...],
        add: str,
        change: str,
        rows: Iterable[tuple[Any, ...]],
        new: Set[Any],
    ) -> None:
        """Change rows, of which the first column is the key, and add those with a `new` key.

        It is outdated when one of the new ones is there already. `add` and `change` take an array for each
        column.
        """
        added, changed = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for row in rows:
            (added if row[0] in new else changed).append(row)
        if changed:
            self.execute(table, change, *zip(*changed, strict=True))
        if added:
            self.expect_new(table)
            self.add(table, columns, add, added)

    def in_order(self) -> None:
        """Send these one after the other: other workers lock the same rows in the same order."""
        self._in_order = True

    def expect_new(self, table: str) -> None:
        """A row of this table that is there already means that what was loaded is outdated."""
        self._fresh.add(table)

    def together(self) -> Sequence[Statement] | None:
        """All of it, when it can be one statement; None when something must come after something else.

        PostgreSQL runs the parts of one statement on what was there before it, in no order.
        """
        statements = [write for write in self._all if isinstance(write, Statement)]
        tables = {statement.table for statement in statements}
        apart = len(tables) == len(self._all) and not self._in_order
        return statements if apart else None

    async def send(self, db: Connection) -> None:
        """Send it one after the other, inside a transaction of the caller's."""
        for write in self._all:
            await write.send(db)

    @contextmanager
    def outdated(self) -> Iterator[None]:
        """While it is sent, by whatever way.

        Raises:
            Outdated: a row of which the table was expected to have none is there.
        """
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            if error.table_name not in self._fresh:
                raise
            raise Outdated from error


@lru_cache(maxsize=256)
def joined(base: str, parameters: int, *statements: str) -> str:
    """One statement that does what `base`, a `with … select …`, and these others do.

    `base` has so many parameters and a line of its own that begins its last `select`; the parameters of the
    others follow, in their order.
    """
    with_, select = base.split("\nselect ", 1)
    parts = []
    for place, sql in enumerate(statements):
        parts.append(f", write_{place} as ({_moved(sql, parameters)})")
        parameters += len(set(_PARAMETER.findall(sql)))
    return "\n".join((with_, *parts, f"select {select}"))


def _moved(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
