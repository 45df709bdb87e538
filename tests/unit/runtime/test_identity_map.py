"""The identity map: rows of a batch by key, with their changes."""

from runtime.postgres.identity_map import IdentityMap


def test_a_row_is_returned_with_its_changes() -> None:
    rows = IdentityMap({1: "one", 2: "two"})
    rows.set(2, "deux")
    rows.set(3, "trois")
    rows.set(3, "drie")
    assert [rows.get(key) for key in (1, 2, 3, 4)] == ["one", "deux", "drie", None]
    assert rows.current == {1: "one", 2: "deux", 3: "drie"}


def test_changed_and_new_rows_are_tracked() -> None:
    rows = IdentityMap({1: "one", 2: "two"})
    rows.set(2, "deux")
    rows.set(3, "trois")
    assert rows.changed == {2: "deux", 3: "trois"}
    assert rows.new == {3}


def test_the_loaded_rows_are_not_modified() -> None:
    """A batch that is not saved can be decided again from the same rows."""
    loaded = {1: "one"}
    IdentityMap(loaded).set(1, "un")
    assert loaded == {1: "one"}
