"""The statements that a batch writes, collected before anything is sent, so that few of them go as one.

A service says what to write and never waits for it. `store.save` sends it together with the progress.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg

from runtime.errors import Outdated
from runtime.postgres.connection import Connection

_PARAMETER = re.compile(r"\$(\d+)")

FEW = 50
"""Up to so many rows are added by one `insert`: COPY takes the server less time, and three round trips."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An `insert`, `update` or `delete` of rows of `table`."""

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
    """Statements in the order in which they were added."""

    def __init__(self) -> None:
        self._all: list[Statement | Copy] = []
        self._expected_new: set[str] = set()
        self._in_order = False

    @property
    def all(self) -> Sequence[Statement | Copy]:
        """All of them."""
        return self._all

    @property
    def expected_new(self) -> Set[str]:
        """The tables of which every added row is expected to be new."""
        return self._expected_new

    def execute(self, table: str, sql: str, *arguments: Any) -> None:
        """Change rows of a table by an `insert`, `update` or `delete` of that table alone."""
        self._all.append(Statement(table, sql, arguments))

    def copy(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows by COPY."""
        self._all.append(Copy(table, columns, rows))

    def add(
        self, table: str, columns: tuple[str, ...], sql: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Add rows in this order, by `sql` from an array for each column, or by COPY, whichever is faster."""
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

        The batch is outdated when a new row exists already. `add` and `change` take an array for each column.
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
        """Send the statements one after the other: other workers lock the same rows in the same order."""
        self._in_order = True

    def expect_new(self, table: str) -> None:
        """The batch is outdated when a row that it adds to this table exists already, by its primary key.

        The key's constraint must have PostgreSQL's own name, `<table>_pkey`.
        """
        self._expected_new.add(table)

    def together(self) -> Sequence[Statement] | None:
        """All statements, when they can be one; None when one of them must come after another.

        PostgreSQL runs the parts of one statement on the rows from before it, in no order.
        """
        statements = [write for write in self._all if isinstance(write, Statement)]
        tables = {statement.table for statement in statements}
        apart = len(tables) == len(self._all) and not self._in_order
        return statements if apart else None

    async def send(self, db: Connection) -> None:
        """Send them one after the other, inside a transaction of the caller's."""
        for write in self._all:
            await write.send(db)

    @contextmanager
    def outdated(self) -> Iterator[None]:
        """Recognises, while the statements are sent, that a row which was expected to be new exists.

        Raises:
            Outdated: it does. Any other constraint that a row violates is an error of its own.
        """
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name not in {f"{table}_pkey" for table in self._expected_new}:
                raise
            raise Outdated from error


@lru_cache(maxsize=256)
def joined(base: str, parameters: int, *statements: str) -> str:
    """One statement that does what `base`, a `with … select …`, and these others do.

    The last `select` of `base` begins a line. `parameters` is the number of those that `base` has; the
    parameters of the others follow, in their order.
    """
    with_, select = base.split("\nselect ", 1)
    parts = []
    for place, sql in enumerate(statements):
        parts.append(f", write_{place} as ({_renumbered(sql, parameters)})")
        parameters += len(set(_PARAMETER.findall(sql)))
    return "\n".join((with_, *parts, f"select {select}"))


def as_one(base: str, parameters: int, statements: Sequence[Statement]) -> tuple[str, list[Any]]:
    """The statement that `joined` makes, and the arguments of the others."""
    sql = joined(base, parameters, *[s.sql for s in statements])
    return sql, [argument for s in statements for argument in s.arguments]


def _renumbered(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda parameter: f"${int(parameter[1]) + by}", sql)
