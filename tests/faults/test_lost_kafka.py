"""Kafka's data is lost, replaced or expired, PostgreSQL's is not: services refuse and log what to do."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from cli.directory import apply_directory, read_directory
from cli.topics.commands import prepare
from cli.up import start_everything
from deploy.local import LocalStack, StackError, StackOptions
from deploy.local.ports import free_ports
from deploy.local.waiting import run_concurrently
from runtime.dsn import database_dsn
from runtime.kafka.clients import admin
from samples.callers import Permitted
from schemas import topics
from schemas.records.medication import MedicationOverview
from schemas.topics import SERVICES, Topic
from tests.faults.conftest import EXAMPLE
from tests.faults.load import Load, Share
from tests.faults.rows import Judge
from tests.faults.table import Table
from tests.faults.watch import now, watching
from tests.harness.kafka import header, read_all, records_of, send, sent
from tests.harness.made import FREELY, a_patient, an_import, an_order, entry
from tests.integration.operator import Said, herhaal
from verify.at_rest import wait_until_at_rest

pytestmark = pytest.mark.timeout(240)

REQUESTS, EVENTS = topics.ORDERS_REQUESTS, topics.ORDERS_EVENTS.name
PATIENTS = 12
PER_S = 40.0
NOWHERE = "127.0.0.1:1"
ONLY_HTTP: Share = {("order", "http"): 2, ("import", "http"): 1}
"""Clients write over HTTP only while Kafka is the wrong one, which would acknowledge every record."""


@dataclass(frozen=True)
class Used:
    """The data folder of a stopped stack that has decided an order of each of these patients."""

    data: Path
    patients: tuple[str, ...]


@pytest.fixture(scope="module")
async def used(tmp_path_factory: pytest.TempPathFactory) -> Used:
    data = tmp_path_factory.mktemp("used") / "data"
    patients = tuple(a_patient() for _ in range(PATIENTS))
    async with _everything(data) as stack:
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        await _import(stack, patients)
        await _order(stack, patients)
        assert not await wait_until_at_rest(stack.kafka, stack.postgres, 60)
    return Used(data, patients)


def _copy(used: Used, data: Path) -> None:
    """Copy a stack's data folder; files keep their owners."""
    _copy_tree(used.data, data)


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    for path in (source, *source.rglob("*")):
        about = path.stat()
        shutil.chown(target / path.relative_to(source), about.st_uid, about.st_gid)


@asynccontextmanager
async def _everything(data: Path) -> AsyncIterator[LocalStack]:
    """Run a whole stack on this folder."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await start_everything(stack)
        yield stack


@asynccontextmanager
async def _servers(data: Path) -> AsyncIterator[LocalStack]:
    """Run Kafka and PostgreSQL only, with all topics and the directory."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await stack.start_servers()
        await prepare(stack.kafka, 1)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        yield stack


def _lose_kafka(data: Path, cluster: str | None = None) -> None:
    """Delete Kafka's data; the next Kafka has the cluster id `cluster`, or the old id when that is None."""
    shutil.rmtree(data / "kafka-1")
    file = data / "version.json"
    identity = json.loads(file.read_text())
    file.write_text(json.dumps(identity | ({"kafka_cluster": cluster} if cluster else {})))


async def test_what_kafka_lost_is_waited_for_and_nothing_is_taken_in_meanwhile(
    used: Used, tmp_path: Path, table: Table
) -> None:
    """Given a load; when an older Kafka replaces the newest; then all refuse until the newest is back."""
    _copy(used, data := tmp_path / "data")
    newest, history = tmp_path / "newest", tmp_path / "history.jsonl"
    async with _everything(data) as stack:
        async with Load(stack.endpoints, Permitted(stack.token), history).running(PER_S):
            await asyncio.sleep(2)
        assert not await wait_until_at_rest(stack.kafka, stack.postgres, 60)
    (data / "kafka-1").rename(newest)
    _copy_tree(used.data / "kafka-1", data / "kafka-1")
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await run_concurrently(stack.start_servers(), stack.start_issuer())
        nowhere = stack.endpoints | {"kafka": NOWHERE}
        refused = Load(nowhere, Permitted(stack.token), history, ONLY_HTTP)
        async with refused.running(PER_S):
            await _all_refuse(stack, "Kafka has lost records")
        shown = await herhaal(stack, "progress", "show", "--postgres", stack.postgres)
    assert (shown.code, "not in" in shown.text) == (1, True)
    shutil.rmtree(data / "kafka-1")
    newest.rename(data / "kafka-1")
    since = now()
    async with _everything(data) as stack:
        load = Load(stack.endpoints, Permitted(stack.token), history)
        async with watching(stack) as watch, load.running(PER_S):
            recovery_s = await watch.recovery(since)
        row = await Judge(stack, table).judge(
            load, "Kafka older than PostgreSQL, until it is back", "all", recovery_s
        )
    assert row.clean
    assert {answer.status for answer in refused.answers} <= {503, None}


async def test_on_another_kafka_all_refuse_and_go_on_when_that_is_accepted(
    used: Used, tmp_path: Path
) -> None:
    """Given an empty Kafka with another cluster id; when the operator accepts it; then overviews are published
    again, and earlier orders are neither decided nor published again.
    """
    _copy(used, data := tmp_path / "data")
    _lose_kafka(data, "another-cluster-000001")
    async with _servers(data) as stack:
        await _all_refuse(stack, "the database belongs to")
        for service in SERVICES:
            said = await _accept(stack, service)
            assert said.code == 0, said
        await stack.start_services()
        await stack.services_ready()
        overviews = await records_of(
            stack.kafka, topics.MEDICATION_STATUS.name, used.patients, PATIENTS
        )
        assert len(overviews) == PATIENTS
        await _order(stack, used.patients)
        assert not await wait_until_at_rest(stack.kafka, stack.postgres, 60)
        decided = await read_all(stack.kafka, EVENTS)
        assert len(decided) == PATIENTS
        assert {json.loads(r.value)["state"] for r in decided} == {"approved"}
        fits = await herhaal(stack, "progress", "show", "--postgres", stack.postgres)
        assert (fits.code, "another Kafka" in fits.text) == (0, False)


async def test_a_kafka_that_lost_its_records_and_has_grown_past_them_is_refused_as_well(
    used: Used, tmp_path: Path
) -> None:
    """Given a recreated topic with end offsets past the stored ones; when medication starts; then it refuses,
    as other records precede the stored offsets.
    """
    _copy(used, data := tmp_path / "data")
    _lose_kafka(data)
    async with _servers(data) as stack:
        await _import(stack, [a_patient() for _ in range(40 * PATIENTS)])
        await _refuses(stack, "medication", "the topic was recreated, or restored from a backup")
        said = await _accept(stack, "medication")
        assert said.code == 0, said
        await stack.start("medication")
        patient = used.patients[0]
        await _import(stack, [patient])
        newest = (await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], 1))[-1]
        assert MedicationOverview.model_validate_json(newest.value).version >= 1


async def test_records_that_expired_before_they_were_handled_are_not_skipped_in_silence(
    used: Used, tmp_path: Path
) -> None:
    """Given records that expired unhandled, for a service that lost its database and for one that was down;
    then each refuses until the operator accepts the loss, and runs again.
    """
    _copy(used, data := tmp_path / "data")
    async with _servers(data) as stack:
        await _nothing_is_accepted_where_nothing_is_in_the_way(stack)
        await _a_lost_database_takes_its_overviews_from_the_topic(stack, used)
        await _expired_requests_are_accepted_as_lost(stack, used)


async def _nothing_is_accepted_where_nothing_is_in_the_way(stack: LocalStack) -> None:
    said = await _accept(stack, "ordering")
    assert said.code == 1
    assert "nothing to accept" in f"{said.error}"
    assert (await _accept(stack, "apotheek")).code == 1


async def _a_lost_database_takes_its_overviews_from_the_topic(
    stack: LocalStack, used: Used
) -> None:
    """Accept the loss of expired changes: medication takes their overviews from its own topic."""
    await _expire(stack, topics.MEDICATION_CHANGES)
    await _forget_everything(stack, "medication")
    await _refuses(stack, "medication", "records have expired that were never handled")
    said = await _accept(stack, "medication")
    assert said.code == 0, said
    assert f"{PATIENTS} overviews that only Kafka had" in said.text
    await stack.start("medication")
    patient = used.patients[0]
    change = an_import(patient, entry(dosage="3x daags 1"))
    await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, change)])
    records = await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], 2)
    versions = [MedicationOverview.model_validate_json(r.value).version for r in records]
    assert versions == [1, 2]


async def _expired_requests_are_accepted_as_lost(stack: LocalStack, used: Used) -> None:
    await send(stack.kafka, [sent(REQUESTS.name, an_order(p)) for p in used.patients])
    await _expire(stack, REQUESTS)
    await _refuses(stack, "ordering", "records have expired that were never handled")
    said = await _accept(stack, "ordering")
    assert said.code == 0, said
    assert "records are lost" in said.text
    await stack.start("ordering")
    await stack.start_services(["notification", "metrics"])
    before = len(await read_all(stack.kafka, EVENTS))
    await _order(stack, used.patients[:3])
    assert len(await read_all(stack.kafka, EVENTS)) == before + 3


async def _all_refuse(stack: LocalStack, saying: str) -> None:
    async with asyncio.TaskGroup() as refusing:
        for service in SERVICES:
            refusing.create_task(_refuses(stack, service, saying))


async def _refuses(stack: LocalStack, service: str, saying: str) -> None:
    """Check that the service exits, and logs why and which command to use."""
    child = await stack.add_service(service)
    with pytest.raises(StackError, match=f"{service} did not start"):
        await child.ready(40, give_up_after=1)
    await stack.kill(service)
    said = [json.loads(line) for line in child.program.log.read_text().splitlines()]
    why = next(line["why"] for line in reversed(said) if line.get("why"))
    assert saying in why
    assert "herhaal progress" in why


async def _accept(stack: LocalStack, service: str) -> Said:
    return await herhaal(
        stack, "progress", "accept", service, "--yes", "--why", "test", "--postgres", stack.postgres
    )


async def _expire(stack: LocalStack, topic: Topic) -> None:
    """Delete every record on this topic, as its retention would."""
    ends = {
        TopicPartition(topic.name, partition): RecordsToDelete(before_offset=-1)
        for partition in range(topic.partitions)
    }
    await read_all(
        stack.kafka, topic.name
    )  # A broker leads its partitions a moment after it is up.
    async with admin(stack.kafka) as client:
        await client.delete_records(ends)


async def _forget_everything(stack: LocalStack, service: str) -> None:
    """Empty the service's database."""
    db = await asyncpg.connect(database_dsn(stack.postgres, service))
    try:
        tables = await db.fetch("select tablename from pg_tables where schemaname = 'public'")
        for (name,) in tables:
            await db.execute(f'drop table if exists "{name}" cascade')
        await db.execute("drop function fence, make_part")
    finally:
        await db.close()


async def _import(stack: LocalStack, patients: list[str] | tuple[str, ...]) -> None:
    changes = [
        sent(topics.MEDICATION_CHANGES.name, an_import(patient, entry(**FREELY)))
        for patient in patients
    ]
    await send(stack.kafka, changes)


async def _order(stack: LocalStack, patients: tuple[str, ...]) -> None:
    """Place one order of each patient and wait until all are decided."""
    orders = [an_order(patient) for patient in patients]
    await send(stack.kafka, [sent(REQUESTS.name, order) for order in orders])
    wanted = {str(order.order_id) for order in orders}
    async with asyncio.timeout(40):
        while wanted:
            wanted -= {header(r, "ce_subject") or "" for r in await read_all(stack.kafka, EVENTS)}
            await asyncio.sleep(0.2)
