"""The checker finds no violation on the running stack after a load over HTTP and Kafka."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import LocalStack
from runtime.messages.encoding import encode
from schemas import topics
from schemas.base import Body
from schemas.records.orders import OrderPlace
from tests.harness.kafka import producer, sent
from tests.harness.made import (
    AMOXICILLINE,
    FREELY,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    a_patient,
    an_import,
    an_order,
    entry,
)
from verify.at_rest import wait_until_at_rest
from verify.checker import Verdict, check, compare
from verify.dump import load
from verify.gather import take_dump
from verify.history import History, read_history

ORDERS = 120
ROOT = Path(__file__).parents[2]
REQUESTS = topics.ORDERS_REQUESTS.name


@pytest.fixture
async def history(stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path) -> Path:
    """Place and cancel orders over HTTP and Kafka, some of them invalid; return the clients' history."""
    file = tmp_path / "history.jsonl"
    with History(file) as noted:
        async with producer(stack.kafka) as kafka:
            client = Client(stack, http, kafka, noted)
            patients = [a_patient() for _ in range(8)]
            await asyncio.gather(*(client.import_(patient) for patient in patients))
            await asyncio.gather(*(client.some(patients[n::8], n) for n in range(8)))
    return file


class Client:
    """Sends over HTTP and Kafka, and records the results in the history."""

    def __init__(
        self, stack: LocalStack, http: httpx.AsyncClient, kafka: AIOKafkaProducer, noted: History
    ) -> None:
        self._url = f"{stack.endpoints['ordering']}/orders"
        self._http = http
        self._kafka = kafka
        self._noted = noted

    async def import_(self, patient: str) -> None:
        """Import an overview over Kafka."""
        change = an_import(patient, entry(METFORMINE, **FREELY), entry(OMEPRAZOL))
        invoked = await self._noted.invoke("import", "kafka", change.change_id)
        await invoked.acknowledged(*await self._produce(topics.MEDICATION_CHANGES.name, change))

    async def some(self, patients: Sequence[str], start: int) -> None:
        """Place one worker's share of the orders and cancel each twelfth; then send two invalid ones."""
        for number in range(start, ORDERS, 8):
            order = an_order(patients[0], METFORMINE, AMOXICILLINE)
            await (self._over_http if number % 2 else self._over_kafka)(order)
            if number % 12 == 0:
                cancel = a_cancellation(order)
                invoked = await self._noted.invoke("cancel", "kafka", order.order_id)
                await invoked.acknowledged(*await self._produce(REQUESTS, cancel))
        await self._refused(patients[0])

    async def _over_http(self, order: OrderPlace) -> None:
        invoked = await self._noted.invoke("place", "http", order.order_id)
        try:
            answer = await self._http.post(self._url, content=encode(order), headers=JSON)
        except httpx.HTTPError:
            await invoked.unknown()
            return
        await invoked.answered(answer.status_code)

    async def _over_kafka(self, order: OrderPlace) -> None:
        invoked = await self._noted.invoke("place", "kafka", order.order_id)
        await invoked.acknowledged(*await self._produce(REQUESTS, order))

    async def _refused(self, patient: str) -> None:
        """Send an invalid order over HTTP (refused) and one over Kafka (becomes a dead letter)."""
        order_id = uuid4()
        invoked = await self._noted.invoke("place", "http", order_id)
        answer = await self._http.post(self._url, json={"order_id": str(order_id)})
        await invoked.answered(answer.status_code)
        bad = an_order(patient)
        invoked = await self._noted.invoke("place", "kafka", bad.order_id)
        await invoked.acknowledged(*await self._produce(REQUESTS, bad, b'{"order_id": '))

    async def _produce(self, topic: str, body: Body, value: bytes | None = None) -> tuple[int, int]:
        record = sent(topic, body)
        told = await self._kafka.send_and_wait(
            topic, key=record.key, value=value or record.value, headers=list(record.headers)
        )
        return told.partition, told.offset


JSON = {"content-type": "application/json"}


def _ours(verdict: Verdict) -> list[str]:
    """Return the violations, without those of records that other tests write to the services' output topics."""
    return [
        f"{v.rule}: {v.what} ({v.where})" for v in verdict.violations if v.rule != "foreign_record"
    ]


async def test_a_running_stack_is_clean_after_a_load_and_the_command_shows_it(
    stack: LocalStack, history: Path, tmp_path: Path
) -> None:
    """Given a dump that the command saved; then it gives the same verdict, and equals a later dump."""
    where = ("--kafka", stack.kafka, "--postgres", stack.postgres, "--wait", "60")
    kept = ("--json", str(tmp_path / "verdict.json"), "--dump", str(tmp_path / "dump"))
    code, shown = await _verify(*where, "--history", str(history), *kept)
    told = json.loads(_text(tmp_path / "verdict.json"))
    dump = load(tmp_path / "dump")
    verdict = check(read_history(history), dump)
    assert (told["at_rest"], _ours(verdict)) == (True, [])
    assert (code, told["clean"]) == ((0, True) if verdict.clean else (1, False))
    assert len(told["violations"]) == len(verdict.violations)
    assert "acknowledged_lost" in shown
    counts = verdict.counts
    assert (counts.sent, counts.refused) == (ORDERS + 16, 8)
    assert counts.acknowledged + counts.unknown == ORDERS + 8
    assert counts.dead_letters["ordering"]["bad_json"] >= 8
    assert compare(dump, await take_dump(stack.kafka, stack.postgres)) == []


async def test_a_request_in_progress_is_not_at_rest(stack: LocalStack, history: Path) -> None:
    """Given a decided order that is sent again; until that request has ended, a check would be too early."""
    assert await wait_until_at_rest(stack.kafka, stack.postgres, 20) == []
    db = await asyncpg.connect(stack.databases["ordering"])
    try:
        await db.execute(
            "insert into intake (order_id, patient, digest)"
            " select order_id, patient, digest from orders limit 1"
        )
        left = await wait_until_at_rest(stack.kafka, stack.postgres, 0.5)
        assert left == ["ordering: 1 decided orders in the intake"]
    finally:
        await db.execute("delete from intake using orders where orders.order_id = intake.order_id")
        await db.close()


async def test_the_command_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    code, shown = await _verify("--data", str(tmp_path))
    assert code == 1
    assert "No stack runs on" in shown
    assert "Traceback" not in shown


async def _verify(*options: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "verify", *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


def _text(file: Path) -> str:
    return file.read_text()
