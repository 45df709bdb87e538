"""What a batch writes becomes one statement whenever nothing in it must come after something else."""

from collections.abc import Callable

import pytest

from runtime.postgres.statements import FEW, Copy, Statement, Writes, joined

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
    writes.in_order()


@pytest.mark.parametrize(
    ("fill", "one"),
    [(two_tables, True), (one_table_twice, False), (a_copy, False), (locks_in_order, False)],
)
def test_only_what_is_apart_goes_together(fill: Callable[[Writes], None], one: bool) -> None:
    """Given writes; then they are one statement when no two touch a table, and no order is asked for."""
    writes = Writes()
    fill(writes)
    assert (writes.together() is not None) is one


def test_nothing_to_write_is_one_statement_too() -> None:
    """Given a batch that changes nothing; then its progress goes by itself, in one trip."""
    assert list(Writes().together() or ()) == []
    assert joined(BASE, 1) == BASE


def test_parameters_follow_each_other() -> None:
    """Given two statements; then the parameters of each come after all those before it."""
    writes = Writes()
    two_tables(writes)
    together = writes.together()
    assert together is not None
    assert joined(BASE, 1, *[s.sql for s in together]) == (
        "with moved as (select $1::int)\n"
        ", write_0 as (insert into orders select $2::int, $3::int)\n"
        ", write_1 as (delete from intake where id = $4::int)\n"
        "select 1 as held"
    )


COLUMNS = ("id", "seq")
ADD, CHANGE = "insert into orders", "insert into orders … on conflict"


def test_what_was_there_is_changed_and_what_is_new_is_added() -> None:
    """Given rows of which one is new; then the others are changed, and the new one is expected to be so."""
    writes = Writes()
    writes.save("orders", COLUMNS, ADD, CHANGE, [("a", 1), ("b", 2), ("c", 3)], {"b"})
    assert writes.all == [
        Statement("orders", CHANGE, (("a", "c"), (1, 3))),
        Statement("orders", ADD, (("b",), (2,))),
    ]
    assert writes.expected_new == {"orders"}


@pytest.mark.parametrize("new", [True, False])
def test_rows_that_are_all_new_or_all_known_are_one_write(new: bool) -> None:
    writes = Writes()
    writes.save("orders", COLUMNS, ADD, CHANGE, [("a", 1), ("b", 2)], {"a", "b"} if new else set())
    assert writes.all == [Statement("orders", ADD if new else CHANGE, (("a", "b"), (1, 2)))]
    assert writes.expected_new == ({"orders"} if new else set())


@pytest.mark.parametrize(("count", "kind"), [(FEW, Statement), (FEW + 1, Copy)])
def test_many_new_rows_are_copied_and_few_go_with_the_rest(count: int, kind: type) -> None:
    writes = Writes()
    writes.add("orders", COLUMNS, ADD, [(str(n), n) for n in range(count)])
    assert [type(write) for write in writes.all] == [kind]
