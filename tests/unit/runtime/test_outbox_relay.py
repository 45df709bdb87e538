"""The outbox relay: order of publishing, and when outbox rows are dropped."""

import asyncio

from runtime.loop.outbox_relay import DROP_AFTER_S
from tests.unit.runtime.bench import Bench, orders


async def test_published_rows_are_dropped_with_the_next_batch(bench: Bench) -> None:
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    assert len(bench.store.state.outbox) == 1
    await bench.loop.on_batch(orders("b", first=1))
    assert len(bench.store.state.outbox) == 1
    await bench.loop.flush()
    assert bench.store.state.outbox == {}
    assert bench.wire.values("out") == ["a", "b"]


async def test_no_row_is_dropped_twice_when_a_save_takes_long(bench: Bench) -> None:
    """Given a save longer than `DROP_AFTER_S`; then batch and idle drop never drop the same row."""
    bench.store.commit_s = 1.5 * DROP_AFTER_S
    for first, remark in enumerate("abc"):
        await bench.loop.on_batch(orders(remark, first=first))
    await bench.loop.flush()
    assert not bench.loop.failed.done()
    assert bench.store.state.outbox == {}


async def test_rows_that_a_failed_batch_would_drop_are_dropped_later(bench: Bench) -> None:
    """Given a batch that takes published rows and is not saved; then they are dropped without it."""

    def lost() -> Exception:
        bench.loop.assign({})
        return ConnectionResetError()

    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    bench.store.on_commit = [lost]
    await bench.loop.on_batch(orders("b", first=1))
    assert len(bench.store.state.outbox) == 1
    await bench.loop.flush()
    assert bench.store.state.outbox == {}


async def test_the_next_batch_is_decided_while_the_previous_one_is_published(bench: Bench) -> None:
    bench.wire.open.clear()
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    await bench.until_at(2)
    assert bench.wire.published == []
    bench.wire.open.set()
    await second
    await bench.loop.flush()
    assert bench.wire.values("out") == ["a", "b"]


async def test_nothing_is_published_after_records_that_cannot_be_published(bench: Bench) -> None:
    """The outbox keeps both batches, and the next process publishes them in order."""
    bench.wire.open.clear()
    bench.wire.fails = [ValueError("a bug")]
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    await bench.until_at(2)
    bench.wire.open.set()
    await second
    await bench.loop.flush()
    await bench.run(orders("c", first=2))
    assert bench.wire.published == []
    assert len(bench.store.state.outbox) == 2
    assert isinstance(bench.loop.failed.exception(), ValueError)


async def test_a_failed_drop_is_retried(bench: Bench) -> None:
    bench.store.on_commit = [lambda: None, ConnectionResetError, ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.wire.values("out") == ["a"]
    assert bench.store.state.outbox == {}
