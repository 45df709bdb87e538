"""What a rebuild promises for any service, tested on one that adds numbers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import psutil
import pytest

from deploy.local import LocalStack
from runtime.errors import CannotRun, Fenced
from runtime.kafka.admin import apply_topics
from runtime.messages.dead_letters import dead_letter
from runtime.messages.parser import Unreadable
from runtime.postgres.connection import Connection
from runtime.rebuild import reading, shadow
from runtime.rebuild.build_loop import MAX_FAILURES, BuildLoop, TooManyFailures
from runtime.rebuild.checks import DataLoss
from runtime.rebuild.declaration import Difference
from runtime.rebuild.parts import PartFailed
from schemas.topics import dead_letters
from tests.harness.kafka import eventually, read_all, send
from tests.harness.made import Sent
from tests.integration.rebuilding import made_failing, made_killed
from tests.integration.rebuilding.made import REBUILD, Adding, Made, made

SUMS = {"pat_adding0000": 5, "pat_adding0001": 7, "pat_adding0002": 9}
"""The sums of 1 to 6, for three patients in turn."""


@pytest.fixture
async def adding(stack: LocalStack) -> AsyncIterator[Made]:
    async with made(stack) as service:
        yield service


async def test_the_running_table_is_replaced_and_the_difference_is_reported(
    adding: Made,
) -> None:
    await adding.send(1, 2, 3, 4, 5, 6)
    await adding.ran({"pat_adding0000": 5, "pat_adding0001": 999})

    result = await adding.run()

    assert await adding.sums() == SUMS
    assert (result.switched, result.records) == (True, 6)
    assert result.differences == [Difference("sums", rows=3, added=1, changed=1, gone=0)]
    assert await adding.epochs() == {8}, "workers must be fenced, so that they load the rows again"
    assert not await adding.left()


async def test_compare_only_changes_nothing(adding: Made) -> None:
    await adding.send(1, 2, 3)
    await adding.ran({"pat_adding0000": 42})

    result = await adding.run(compare_only=True)

    assert result.differences == [Difference("sums", rows=3, added=2, changed=1, gone=0)]
    assert await adding.sums() == {"pat_adding0000": 42}
    assert await adding.epochs() == {7}
    assert not await adding.left()


async def test_a_rebuild_ends_at_the_running_services_progress(adding: Made) -> None:
    await adding.send(1, 10, 100, 1000, patients=1)
    await adding.ran({"pat_adding0000": 11}, but=2)

    result = await adding.run()

    assert result.differences == [Difference("sums", rows=1, added=0, changed=0, gone=0)]
    assert await adding.sums() == {"pat_adding0000": 11}


async def test_dead_letters_are_skipped_and_counted(adding: Made) -> None:
    unreadable = replace(adding.record("pat_adding0000", 3), value=b'{"patient": ')
    good = adding.record("pat_adding0000", 4)
    elsewhere = replace(good, partition=1 - (good.partition or 0))
    await adding.send(1, 0, -1, 2, patients=1)
    await adding.send_records([unreadable, elsewhere, good])
    await adding.ran({"pat_adding0000": 7})

    result = await adding.run()

    assert result.refused == {"zero": 1, "handler_failed": 1, "bad_json": 1}
    assert not result.differences[0].any


async def test_skip_dead_letters_leaves_their_records_to_a_replay(
    stack: LocalStack, adding: Made
) -> None:
    letters = dead_letters("adding")
    await apply_topics(stack.kafka, [letters], 1)
    await adding.send(1, 10, 100, patients=1)
    (failed,) = [r for r in await read_all(stack.kafka, adding.topic.name) if b"100" in r.value]
    letter = dead_letter("adding", failed, Unreadable("handler_failed"))
    await send(stack.kafka, [Sent(letters.name, letter.key, letter.value, tuple(letter.headers))])
    await adding.ran({"pat_adding0000": 11})

    skipping = Made(stack, replace(adding.rebuild, skip_dead_letters=True), adding.database)
    assert not (await skipping.run(compare_only=True)).differences[0].any
    assert (await adding.run()).differences[0].changed == 1


async def test_a_handler_that_fails_on_many_records_stops_the_rebuild(adding: Made) -> None:
    await adding.send(*[-1] * (MAX_FAILURES + 1), patients=1)
    await adding.ran({"pat_adding0000": 7})

    with pytest.raises(TooManyFailures, match="fails on more than 100 records"):
        await adding.run()

    assert await adding.sums() == {"pat_adding0000": 7}
    assert not await adding.left()


async def test_a_topic_with_expired_records_is_refused_unless_the_loss_is_accepted(
    adding: Made,
) -> None:
    await adding.send(*range(1, 21), patients=8)
    await adding.ran({"pat_adding0000": 1})
    await adding.expire(before=2)

    with pytest.raises(DataLoss, match=r"-0 begins at 2: older records have expired"):
        await adding.run()
    assert await adding.sums() == {"pat_adding0000": 1}

    result = await adding.run(accept_loss=True)
    assert result.records == 18
    assert sum((await adding.sums()).values()) < sum(range(1, 21))


async def test_rows_without_a_record_are_not_dropped_unless_the_loss_is_accepted(
    adding: Made,
) -> None:
    await adding.send(1, 2, 3)
    await adding.ran({"pat_adding0000": 1, "pat_nobody": 5})

    with pytest.raises(DataLoss, match="1 rows of sums"):
        await adding.run()
    assert "pat_nobody" in await adding.sums()

    await adding.run(accept_loss=True)
    assert "pat_nobody" not in await adding.sums()


async def test_rows_of_an_immutable_table_are_not_dropped_by_accepting_a_loss(
    stack: LocalStack, adding: Made
) -> None:
    await adding.send(1)
    await adding.ran({"pat_adding0000": 3})
    kept = Made(stack, replace(adding.rebuild, immutable=frozenset({"sums"})), adding.database)

    with pytest.raises(CannotRun, match="1 rows of sums would change and 0 go"):
        await kept.run(accept_loss=True)

    assert await adding.sums() == {"pat_adding0000": 3}


async def test_a_misfit_and_a_service_that_never_ran_are_refused(adding: Made) -> None:
    with pytest.raises(CannotRun, match="has never been assigned a partition"):
        await adding.run()
    await adding.send(1)
    await adding.ran({})
    async with adding.connected() as db:
        await db.execute("update progress set next_offset = 1000000")
    with pytest.raises(CannotRun, match="is done: Kafka has lost records"):
        await adding.run()


async def test_tables_of_another_version_of_the_code_are_refused(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({})
    async with adding.connected() as db:
        await db.execute("delete from migrations where name like 'adding/%'")
    with pytest.raises(CannotRun, match="another version of the code"):
        await adding.run()


async def test_grants_are_kept(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({})
    async with adding.connected() as db:
        await db.execute("grant select on sums to metrics; grant select on sums to public")
        await adding.run()
        assert await db.fetchval("select has_table_privilege('metrics', 'sums', 'select')")
        assert not await db.fetchval("select has_table_privilege('metrics', 'sums', 'delete')")
        assert await db.fetchval("select has_table_privilege('ordering', 'sums', 'select')")


async def test_a_view_that_somebody_added_stops_the_switch(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({"pat_adding0000": 3})
    async with adding.connected() as db:
        await db.execute("create view mine as select * from sums")
    with pytest.raises(CannotRun, match="such as a view that somebody added"):
        await adding.run()
    assert await adding.sums() == {"pat_adding0000": 3}


async def test_two_rebuilds_at_once_are_refused(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({})
    async with adding.connected() as reader:
        # A reader of the table blocks the first rebuild's switch.
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("select * from sums")
        first = asyncio.create_task(adding.run())
        await eventually(adding.left, bool)
        with pytest.raises(CannotRun, match="another rebuild of adding is running"):
            await adding.run()
        assert not first.done()
        await transaction.rollback()
        assert (await first).switched


async def test_a_long_reader_delays_the_switch_and_no_other_reader(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({"pat_adding0000": 3})
    async with adding.connected() as slow, adding.connected() as quick:
        long = slow.transaction()
        await long.start()
        assert await slow.fetchval("select total from sums") == 3
        rebuilding = asyncio.create_task(adding.run())
        longest_s = await _longest_read(quick, for_s=3.0)
        assert longest_s < 2.0
        assert not rebuilding.done()
        assert await slow.fetchval("select total from sums") == 3
        await long.rollback()
        assert (await rebuilding).switched
        # The statement was prepared on the dropped table.
        assert await quick.fetchval("select total from sums") == 1


async def _longest_read(db: Connection, for_s: float) -> float:
    loop = asyncio.get_running_loop()
    ends_s, longest_s = loop.time() + for_s, 0.0
    while loop.time() < ends_s:
        began_s = loop.time()
        await db.fetchval("select total from sums")
        longest_s = max(longest_s, loop.time() - began_s)
        await asyncio.sleep(0.01)
    return longest_s


async def test_records_that_come_meanwhile_are_built_before_the_switch(
    adding: Made,
) -> None:
    await adding.send(1, patients=1)
    await adding.ran({"pat_adding0000": 1})
    async with adding.connected() as reader:
        held = reader.transaction()
        await held.start()
        await reader.fetch("select * from sums")
        rebuilding = asyncio.create_task(adding.run())
        await eventually(adding.left, bool)
        await adding.send(10, 100, patients=1)
        async with adding.connected() as db:
            for tp, end in (await adding.ends()).items():
                await db.execute(
                    "update progress set next_offset = $3 where topic = $1 and partition = $2",
                    *tp,
                    end,
                )
        await held.rollback()
        assert (await rebuilding).records == 3
    assert await adding.sums() == {"pat_adding0000": 111}


async def test_several_processes_build_the_same(stack: LocalStack) -> None:
    async with made(stack, REBUILD) as adding:
        numbers = [n % 97 + 1 for n in range(12_000)]
        await adding.send(*numbers, patients=50)
        await adding.ran({})

        result = await adding.run(processes=2)

        assert (result.records, result.bulk.processes) == (12_000, 2)
        assert await adding.sums() == {f"pat_adding{n:04d}": sum(numbers[n::50]) for n in range(50)}


async def test_a_process_that_fails_leaves_the_running_tables_unchanged(stack: LocalStack) -> None:
    async with made(stack, made_failing.REBUILD) as adding:
        await adding.send(*[-1] * 300, patients=20)
        await adding.ran({"pat_adding0000": 3})
        with pytest.raises(PartFailed, match="the code fails on more than"):
            await adding.run(processes=2)
        assert await adding.sums() == {"pat_adding0000": 3}
        assert not await adding.left()


async def test_a_process_that_is_killed_ends_the_rebuild(stack: LocalStack) -> None:
    async with made(stack, made_killed.REBUILD) as adding:
        await adding.send(*range(1, 100), patients=20)
        await adding.ran({"pat_adding0000": 3})
        rebuilding = asyncio.create_task(adding.run(processes=2))
        parts = await eventually(_parts, lambda found: len(found) == 2)
        parts[0].kill()
        with pytest.raises(PartFailed, match="ended by itself"):
            await rebuilding
        assert await adding.sums() == {"pat_adding0000": 3}
        await eventually(_parts, lambda found: not found)


async def _parts() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "runtime.rebuild.part" in child.cmdline()]


async def test_a_process_that_outlives_its_rebuild_is_fenced(
    stack: LocalStack, adding: Made
) -> None:
    await adding.send(1, 2, 3)
    await adding.ran({})
    db = await shadow.connect(adding.database)
    try:
        await shadow.create(db, adding.files)
        ends = await adding.ends()
        await shadow.store_start(db, dict.fromkeys(ends, 0), epoch=2)
        async with reading.consumer(stack.kafka) as client:
            late = BuildLoop(adding.rebuild, Adding(), client, db, epoch=1)
            with pytest.raises(Fenced):
                await late.up_to(ends)
        assert await db.fetchval("select count(*) from sums") == 0
    finally:
        await shadow.drop(db)
        await db.close()


async def test_a_rebuild_drops_what_an_interrupted_one_left(adding: Made) -> None:
    await adding.send(1)
    await adding.ran({"pat_adding0000": 1})
    async with adding.connected() as db:
        await db.execute("create schema rebuild create table sums (anything int)")

    assert not (await adding.run()).differences[0].any
    assert not await adding.left()
