"""Back-off: exponential, with a maximum and jitter."""

from runtime.backoff import Backoff


def test_each_interval_doubles_up_to_the_maximum() -> None:
    backoff = Backoff(first_s=1, max_s=5)
    waits = [backoff.next() for _ in range(6)]
    for seconds, expected in zip(waits, [1, 2, 4, 5, 5, 5], strict=True):
        assert expected <= seconds <= expected * 1.25


def test_intervals_have_jitter() -> None:
    assert len({Backoff().next() for _ in range(20)}) > 1
