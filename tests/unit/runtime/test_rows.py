"""What a batch knows by key."""

from runtime.postgres.identity_map import IdentityMap


def test_a_row_is_known_as_it_stands() -> None:
    """Given two that were loaded, when one changes and another comes, then that is what is known."""
    rows = IdentityMap({1: "one", 2: "two"})
    rows.keep(2, "deux")
    rows.keep(3, "trois")
    rows.keep(3, "drie")
    assert [rows.get(key) for key in (1, 2, 3, 4)] == ["one", "deux", "drie", None]
    assert rows.known == {1: "one", 2: "deux", 3: "drie"}


def test_what_is_written_is_what_changed_and_which_of_it_is_new() -> None:
    rows = IdentityMap({1: "one", 2: "two"})
    rows.keep(2, "deux")
    rows.keep(3, "trois")
    assert rows.changed == {2: "deux", 3: "trois"}
    assert rows.new == {3}


def test_what_was_loaded_stays_as_it_was() -> None:
    """A batch that is undone is decided again from the same rows."""
    loaded = {1: "one"}
    IdentityMap(loaded).keep(1, "un")
    assert loaded == {1: "one"}
