"""A rebuild distributes partitions over processes by the number of records."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.rebuild.part import Target
from runtime.rebuild.parts import distribute

SIZED = st.lists(st.integers(1, 1_000_000), min_size=1, max_size=16).map(
    lambda sizes: [(Target("orders.events", n, size), size) for n, size in enumerate(sizes)]
)


@given(SIZED, st.integers(1, 6))
def test_every_partition_is_built_by_exactly_one_process(
    sized: list[tuple[Target, int]], processes: int
) -> None:
    parts = distribute(sized, processes)
    assert sorted(t.partition for part in parts for t in part) == list(range(len(sized)))
    assert len(parts) == min(processes, len(sized))
    assert all(parts)


@given(SIZED, st.integers(1, 6))
def test_no_process_has_more_than_an_even_share_plus_one_partition(
    sized: list[tuple[Target, int]], processes: int
) -> None:
    sizes = dict(sized)
    most = max(sum(sizes[t] for t in part) for part in distribute(sized, processes))
    assert most <= sum(sizes.values()) / processes + max(sizes.values())
