"""A worker of medication that is stopped just before it publishes, and resumed when others have taken over.

Kafka cannot fence what it then sends: an older overview is appended after newer ones, and a compacted topic
keeps the last. medication reads its own topic, detects this, and publishes the newest overview again.
"""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from pathlib import Path

import asyncpg
from aiokafka import ConsumerRecord

from deploy.local import LocalStack
from runtime.loop.failpoints import Failpoint
from runtime.postgres import outbox
from samples.callers import Permitted
from schemas import topics
from schemas.records.medication import MedicationOverview
from tests.faults.load import Load, Share
from tests.faults.processes import SHORT_SESSION, faulty, running, until_stopped
from tests.faults.rows import Judge
from tests.faults.watch import Watch, watching
from tests.harness.kafka import eventually

PER_S = 40.0
PASSES = 5

ONLY_CHANGES: Share = {("import", "kafka"): 1, ("status", "kafka"): 2, ("status", "http"): 2}
"""Changes only, so that every patient soon has a newer overview than the late one."""

Versions = dict[bytes, int]
"""An overview's version by patient (record key)."""


async def test_a_late_write_to_the_compacted_topic_is_healed(
    disturbed: LocalStack, judge: Judge, tmp_path: Path
) -> None:
    options = ("--stop-at", Failpoint.BEFORE_PUBLISH, "--pass", str(PASSES), "--only", "worker")
    program = faulty(disturbed, "medication", *options, beside=True, env=SHORT_SESSION)
    tokens = Permitted(disturbed.token)
    load = Load(disturbed.endpoints, tokens, tmp_path / "history.jsonl", ONLY_CHANGES)
    async with watching(disturbed, topics.MEDICATION_STATUS.name) as watch:
        async with load.running(PER_S), running(program) as worker:
            await until_stopped(worker)
            in_hand = await _not_published(disturbed)
            await _seen(watch, lambda newest: _all_newer(newest, in_hand))
            before = len(watch.records)
            worker.send_signal(signal.SIGCONT)
            await _seen(watch, lambda _: bool(_late(watch.records, before)))
            worker.terminate()
            await worker.wait()
        await _seen(watch, lambda newest: newest.items() <= _last(watch.records).items())
    row = await judge.judge(load, "SIGSTOP before publishing: a late overview", "medication")
    assert row.clean
    late = _late(watch.records, before)
    assert {(record.key, _version(record)) for record in late} <= in_hand


async def _not_published(stack: LocalStack) -> Set[tuple[bytes, int]]:
    """Overviews (key, version) that the stopped worker has committed and not published.

    They stay in the outbox; rows of other workers are soon gone.
    """
    db = await asyncpg.connect(stack.databases["medication"])
    try:
        found = [await _outbox(db)]
        for _ in range(10):
            await asyncio.sleep(0.2)
            found.append(await _outbox(db))
    finally:
        await db.close()
    stays = set.intersection(*found)
    assert stays, "it has stopped before it published what it had committed"
    return stays


async def _outbox(db: "asyncpg.Connection[asyncpg.Record]") -> set[tuple[bytes, int]]:
    rows = await outbox.leftovers(db, range(topics.PATIENT_PARTITIONS), 1000)
    return {
        (record.key or b"", MedicationOverview.model_validate_json(record.value or b"").version)
        for row in rows
        for record in row.records
        if record.topic == topics.MEDICATION_STATUS.name
    }


def _all_newer(newest: Versions, in_hand: Set[tuple[bytes, int]]) -> bool:
    return all(newest.get(key, 0) > version for key, version in in_hand)


async def _seen(watch: Watch, such: Callable[[Versions], bool]) -> None:
    async def look() -> Versions:
        return _newest(watch.records)

    await eventually(look, such, within_s=60)


def _newest(records: Iterable[ConsumerRecord]) -> Versions:
    newest: Versions = defaultdict(int)
    for record in records:
        newest[record.key] = max(newest[record.key], _version(record))
    return newest


def _last(records: Iterable[ConsumerRecord]) -> Versions:
    return {record.key: _version(record) for record in records}


def _late(records: list[ConsumerRecord], since: int) -> list[ConsumerRecord]:
    """Records from index `since` on that come after a newer version of the same overview."""
    newest = defaultdict(int, _newest(records[:since]))
    late = []
    for record in records[since:]:
        if _version(record) < newest[record.key]:
            late.append(record)
        newest[record.key] = max(newest[record.key], _version(record))
    return late


def _version(record: ConsumerRecord) -> int:
    return MedicationOverview.model_validate_json(record.value).version
