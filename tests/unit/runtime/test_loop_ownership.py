"""Whose a partition is, the order of publishing, and timers."""

import asyncio

import pytest

from runtime.loop.outbox_relay import DROP_AFTER_S
from runtime.messages.positions import Position
from tests.unit.runtime.bench import HERE, TIMER, TWIN, Bench, orders
from tests.unit.runtime.memory_store import taken


async def test_a_worker_whose_epoch_is_old_writes_nothing_and_owns_nothing(bench: Bench) -> None:
    taken(bench.store, HERE, epoch=2)
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.wire.published == []
    assert bench.loop.assigned == {}
    assert bench.loop.fenced.is_set()


async def test_losing_another_topic_of_the_same_partition_number_fences_too(bench: Bench) -> None:
    """One patient's records of all topics belong to one worker, or the states would mix."""
    taken(bench.store, TWIN, epoch=2)
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.loop.fenced.is_set()


async def test_taking_again_after_being_fenced_goes_on(bench: Bench) -> None:
    taken(bench.store, HERE, TWIN, epoch=2)
    await bench.run(orders("a"))
    bench.loop.assign({HERE: Position(0, 2), TWIN: Position(0, 2)})
    assert not bench.loop.fenced.is_set()
    await bench.run(orders("a"))
    assert bench.saved == ["a"]


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(bench: Bench) -> None:
    bench.store.after_commit = [ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.saved == ["a"]
    assert len(bench.store.state.outbox) == 1
    assert bench.loop.fenced.is_set()


async def test_a_batch_that_was_saved_after_all_is_not_handled_again_by_whoever_retakes(
    bench: Bench,
) -> None:
    """The partitions are taken again, past the batch in hand, while it backs off."""

    def lost() -> Exception:
        taken(bench.store, TWIN, epoch=2)
        bench.store.state.progress[HERE] = Position(1, 2)
        bench.loop.assign({HERE: Position(1, 2), TWIN: Position(0, 2)})
        return ConnectionResetError()

    bench.store.after_commit = [lost]
    await bench.run(orders("a"))
    assert bench.saved == ["a"]


async def test_a_batch_whose_partitions_are_lost_while_it_backs_off_is_left(bench: Bench) -> None:
    def lost() -> Exception:
        bench.loop.assign({})
        return ConnectionResetError()

    bench.store.on_commit = [lost]
    await bench.run(orders("a"))
    assert bench.saved == []
    assert bench.store.state.outbox == {}


async def test_what_is_published_leaves_the_outbox_with_the_next_batch(bench: Bench) -> None:
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    assert len(bench.store.state.outbox) == 1
    await bench.loop.on_batch(orders("b", first=1))
    assert len(bench.store.state.outbox) == 1
    await bench.loop.published()
    assert bench.store.state.outbox == {}
    assert bench.wire.values("out") == ["a", "b"]


async def test_a_slow_batch_drops_alone_what_it_takes_along(bench: Bench) -> None:
    """Given a save that outlasts the wait of the idle drop; then no row is dropped by both."""
    bench.store.commit_s = 1.5 * DROP_AFTER_S
    for first, remark in enumerate("abc"):
        await bench.loop.on_batch(orders(remark, first=first))
    await bench.loop.published()
    assert not bench.loop.failed.done()
    assert bench.store.state.outbox == {}


async def test_who_gives_partitions_up_drops_first_what_is_published(bench: Bench) -> None:
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    await bench.loop.release()
    assert bench.store.state.outbox == {}


async def test_who_gives_partitions_up_waits_for_a_drop_that_is_under_way(bench: Bench) -> None:
    bench.store.commit_s = DROP_AFTER_S
    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    await asyncio.sleep(1.5 * DROP_AFTER_S)
    assert len(bench.store.state.outbox) == 1
    await bench.loop.release()
    assert bench.store.state.outbox == {}


async def test_what_a_failed_batch_would_have_dropped_is_dropped_later(bench: Bench) -> None:
    """Given a batch that is lost after it took published rows along; then they go without it."""

    def lost() -> Exception:
        bench.loop.assign({})
        return ConnectionResetError()

    await bench.loop.on_batch(orders("a"))
    await bench.until_published(1)
    bench.store.on_commit = [lost]
    await bench.loop.on_batch(orders("b", first=1))
    assert len(bench.store.state.outbox) == 1
    await bench.loop.published()
    assert bench.store.state.outbox == {}


async def test_the_next_batch_is_decided_while_the_one_before_is_published(bench: Bench) -> None:
    bench.wire.open.clear()
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    await bench.until_at(2)
    assert bench.wire.published == []
    bench.wire.open.set()
    await second
    await bench.loop.published()
    assert bench.wire.values("out") == ["a", "b"]


async def test_what_cannot_be_published_holds_back_all_that_comes_after(bench: Bench) -> None:
    """The outbox keeps both, and the next start publishes them in order."""
    bench.wire.open.clear()
    bench.wire.fails = [ValueError("a mistake of ours")]
    await bench.loop.on_batch(orders("a"))
    second = asyncio.create_task(bench.loop.on_batch(orders("b", first=1)))
    await bench.until_at(2)
    bench.wire.open.set()
    await second
    await bench.loop.published()
    await bench.run(orders("c", first=2))
    assert bench.wire.published == []
    assert len(bench.store.state.outbox) == 2
    assert isinstance(bench.loop.failed.exception(), ValueError)


async def test_an_outbox_that_cannot_be_emptied_now_is_emptied_later(bench: Bench) -> None:
    bench.store.on_commit = [lambda: None, ConnectionResetError, ConnectionResetError]
    await bench.run(orders("a"))
    assert bench.wire.values("out") == ["a"]
    assert bench.store.state.outbox == {}


async def test_giving_up_partitions_waits_for_the_batch_in_hand_and_says_where_it_stood(
    bench: Bench,
) -> None:
    bench.wire.open.clear()
    running = asyncio.create_task(bench.loop.on_batch(orders("a", "b")))
    leaving = asyncio.create_task(bench.loop.release())
    await running
    assert not leaving.done()
    bench.wire.open.set()
    assert (await leaving)[HERE].next_offset == 2
    assert bench.wire.values("out") == ["a", "b"]
    assert bench.loop.assigned == {}


async def test_a_timer_is_stored_with_the_state_and_published_once_when_due(bench: Bench) -> None:
    await bench.run(orders("timer"))
    assert list(bench.store.state.timers) == [TIMER.id]
    for _ in range(2):
        await bench.loop.fire_timers()
        await bench.loop.published()
    assert bench.wire.values("orders.reviews") == ["due"]
    assert bench.store.state.timers == {}


async def test_a_timer_that_is_cancelled_is_never_published(bench: Bench) -> None:
    await bench.run(orders("timer", "a"))
    await bench.run(orders("no timer", first=2))
    assert bench.store.state.timers == {}
    await bench.loop.fire_timers()
    await bench.loop.published()
    assert bench.wire.values("orders.reviews") == []


async def test_a_worker_that_has_no_partition_fires_no_timer(bench: Bench) -> None:
    await bench.run(orders("timer"))
    await bench.loop.release()
    await bench.loop.fire_timers()
    assert list(bench.store.state.timers) == [TIMER.id]


async def test_looking_for_due_timers_keeps_no_batch_waiting(bench: Bench) -> None:
    """Given a batch that is not done; when nothing is due; then looking is over before the batch is."""
    bench.store.commit_s = 0.2
    running = asyncio.create_task(bench.loop.on_batch(orders("a")))
    await asyncio.sleep(0.05)
    await bench.loop.fire_timers()
    assert not running.done()
    await running


async def test_a_timer_whose_commit_was_lost_sight_of_makes_the_worker_take_again(
    bench: Bench,
) -> None:
    """It may be in the outbox already; taking the partitions again publishes what is there."""
    await bench.run(orders("timer"))
    bench.store.after_commit = [ConnectionResetError]
    with pytest.raises(ConnectionResetError):
        await bench.loop.fire_timers()
    assert len(bench.store.state.outbox) == 1
    assert bench.loop.fenced.is_set()
