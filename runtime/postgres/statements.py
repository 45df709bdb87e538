"""Collects the statements of a batch, so that they can be sent in one round trip where possible.

A handler adds statements and never awaits them. `store.save` sends them in one transaction with the progress.
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
# Of a table, or of one of its parts by month.
_PRIMARY_KEY = re.compile(r"(.+?)(?:_[0-9]{4}_[0-9]{2}|_default)?_pkey")

COPY_ABOVE = 50
"""More rows than this are added by COPY: it is faster per row, but takes three round trips."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An `insert`, `update` or `delete` of one table."""

    table: str
    sql: str
    arguments: tuple[Any, ...]

    async def send(self, db: Connection) -> None:
        """Execute it."""
        await db.execute(self.sql, *self.arguments)


@dataclass(frozen=True, slots=True)
class Copy:
    """Many new rows of one table, added by COPY."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    async def send(self, db: Connection) -> None:
        """Copy the rows."""
        await db.copy_records_to_table(self.table, columns=self.columns, records=self.rows)


class Writes:
    """The statements that a batch will write, in the order in which they were added."""

    def __init__(self) -> None:
        self._all: list[Statement | Copy] = []
        self._required_new: set[str] = set()
        self._ordered = False

    @property
    def all(self) -> Sequence[Statement | Copy]:
        """All statements."""
        return self._all

    @property
    def required_new(self) -> Set[str]:
        """The tables to which only new rows may be added: see `require_new`."""
        return self._required_new

    def execute(self, table: str, sql: str, *arguments: Any) -> None:
        """Add an `insert`, `update` or `delete` that writes to no other table."""
        self._all.append(Statement(table, sql, arguments))

    def copy(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows by COPY."""
        self._all.append(Copy(table, columns, rows))

    def insert(
        self, table: str, columns: tuple[str, ...], sql: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Add rows by COPY, or if they are few by `sql`, which takes an array per column."""
        if len(rows) <= COPY_ABOVE:
            self.execute(table, sql, *zip(*rows, strict=True))
        else:
            self.copy(table, columns, rows)

    def insert_or_update(
        self,
        table: str,
        columns: tuple[str, ...],
        insert: str,
        update: str,
        rows: Iterable[tuple[Any, ...]],
        new: Set[Any],
    ) -> None:
        """Insert rows whose key, the first column, is `new`; update the others.

        `insert` and `update` are SQL with an array per column. New rows must not exist yet: see `require_new`.
        """
        added, changed = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for row in rows:
            (added if row[0] in new else changed).append(row)
        if changed:
            self.execute(table, update, *zip(*changed, strict=True))
        if added:
            self.require_new(table)
            self.insert(table, columns, insert, added)

    def keep_order(self) -> None:
        """Send the statements one by one: workers that lock the same rows then do so in the same order."""
        self._ordered = True

    def require_new(self, table: str) -> None:
        """Declare the batch outdated if a row that it adds to this table exists already, by primary key.

        The key's constraint must have PostgreSQL's own name, `<table>_pkey`, or that of one of
        the table's parts by month.
        """
        self._required_new.add(table)

    def combinable(self) -> Sequence[Statement] | None:
        """All statements if they can be combined into one; None if their order matters, or one is a COPY.

        PostgreSQL runs the parts of a `with` statement on the same snapshot, in no defined order.
        """
        statements = [write for write in self._all if isinstance(write, Statement)]
        tables = {statement.table for statement in statements}
        independent = len(tables) == len(self._all) and not self._ordered
        return statements if independent else None

    async def send(self, db: Connection) -> None:
        """Send the statements one by one, in the caller's transaction."""
        for write in self._all:
            await write.send(db)

    @contextmanager
    def raising_outdated(self) -> Iterator[None]:
        """Turn the violation of a primary key into Outdated, for tables that `require_new` names.

        Raises:
            Outdated: a row exists already. Violations of other constraints are raised unchanged.
        """
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            key = _PRIMARY_KEY.fullmatch(error.constraint_name or "")
            if key is None or key[1] not in self._required_new:
                raise
            raise Outdated from error


@lru_cache(maxsize=256)
def join_statements(base: str, parameters: int, *statements: str) -> str:
    """Combine `base`, a `with … select …` statement, and other statements into one.

    The final `select` of `base` begins a line. `base` has so many `parameters`; those of the other statements
    are renumbered to follow them, in order.
    """
    with_, select = base.split("\nselect ", 1)
    parts = []
    for place, sql in enumerate(statements):
        parts.append(f", write_{place} as ({_renumbered(sql, parameters)})")
        parameters += len(set(_PARAMETER.findall(sql)))
    return "\n".join((with_, *parts, f"select {select}"))


def combine(base: str, parameters: int, statements: Sequence[Statement]) -> tuple[str, list[Any]]:
    """Combine statements with `base` by `join_statements`; return the SQL and the statements' arguments."""
    sql = join_statements(base, parameters, *[s.sql for s in statements])
    return sql, [argument for s in statements for argument in s.arguments]


def _renumbered(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda parameter: f"${int(parameter[1]) + by}", sql)
