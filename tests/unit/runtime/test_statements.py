"""Writes of a batch are combined into one statement when their order does not matter."""

from collections.abc import Callable

import asyncpg
import pytest

from runtime.errors import Outdated
from runtime.postgres.statements import COPY_ABOVE, Copy, Statement, Writes, join_statements

BASE = "with moved as (select $1::int)\nselect 1 as held"


def two_tables(writes: Writes) -> None:
    writes.execute("orders", "insert into orders select $1::int, $2::int", 1, 2)
    writes.execute("intake", "delete from intake where id = $1::int", 3)


def one_table_twice(writes: Writes) -> None:
    writes.execute("orders", "insert into orders values ($1::int)", 1)
    writes.execute("orders", "delete from orders where id = $1::int", 1)


def a_copy(writes: Writes) -> None:
    writes.execute("intake", "delete from intake where id = $1::int", 3)
    writes.copy("orders", ("id",), [(1,)])


def locks_in_order(writes: Writes) -> None:
    two_tables(writes)
    writes.keep_order()


@pytest.mark.parametrize(
    ("fill", "one"),
    [(two_tables, True), (one_table_twice, False), (a_copy, False), (locks_in_order, False)],
)
def test_only_independent_writes_are_combined(fill: Callable[[Writes], None], one: bool) -> None:
    """They are combinable if each is for another table, and no order is required."""
    writes = Writes()
    fill(writes)
    assert (writes.combinable() is not None) is one


def test_no_writes_are_combinable() -> None:
    """Then only the positions are saved, in one round trip."""
    assert list(Writes().combinable() or ()) == []
    assert join_statements(BASE, 1) == BASE


def test_parameters_are_numbered_across_statements() -> None:
    writes = Writes()
    two_tables(writes)
    together = writes.combinable()
    assert together is not None
    assert join_statements(BASE, 1, *[s.sql for s in together]) == (
        "with moved as (select $1::int)\n"
        ", write_0 as (insert into orders select $2::int, $3::int)\n"
        ", write_1 as (delete from intake where id = $4::int)\n"
        "select 1 as held"
    )


COLUMNS = ("id", "seq")
ADD, CHANGE = "insert into orders", "insert into orders … on conflict"


def test_new_rows_are_inserted_and_existing_rows_updated() -> None:
    writes = Writes()
    writes.insert_or_update("orders", COLUMNS, ADD, CHANGE, [("a", 1), ("b", 2), ("c", 3)], {"b"})
    assert writes.all == [
        Statement("orders", CHANGE, (("a", "c"), (1, 3))),
        Statement("orders", ADD, (("b",), (2,))),
    ]
    assert writes.required_new == {"orders"}


@pytest.mark.parametrize("new", [True, False])
def test_rows_that_are_all_new_or_all_existing_are_one_write(new: bool) -> None:
    writes = Writes()
    writes.insert_or_update(
        "orders", COLUMNS, ADD, CHANGE, [("a", 1), ("b", 2)], {"a", "b"} if new else set()
    )
    assert writes.all == [Statement("orders", ADD if new else CHANGE, (("a", "b"), (1, 2)))]
    assert writes.required_new == ({"orders"} if new else set())


@pytest.mark.parametrize(("count", "kind"), [(COPY_ABOVE, Statement), (COPY_ABOVE + 1, Copy)])
def test_many_new_rows_are_copied(count: int, kind: type) -> None:
    writes = Writes()
    writes.insert("orders", COLUMNS, ADD, [(str(n), n) for n in range(count)])
    assert [type(write) for write in writes.all] == [kind]


@pytest.mark.parametrize(
    ("constraint", "outdated"),
    [
        ("orders_pkey", True),
        ("orders_2026_11_pkey", True),
        ("orders_default_pkey", True),
        ("order_lines_2026_11_pkey", False),
        ("orders_of_2026_11_pkey", False),
        ("orders_2026_11_patient_key", False),
    ],
)
def test_a_row_that_exists_in_a_part_of_its_table_makes_the_batch_outdated(
    constraint: str, outdated: bool
) -> None:
    """Given a new row of `orders` must not exist; then only the primary keys of it and its parts say so."""
    writes = Writes()
    writes.require_new("orders")
    violation = asyncpg.UniqueViolationError()
    violation.constraint_name = constraint
    with (
        pytest.raises(Outdated if outdated else asyncpg.UniqueViolationError),
        writes.raising_outdated(),
    ):
        raise violation
