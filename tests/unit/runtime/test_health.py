"""Readiness and metrics: their content, and that API requests cannot starve them."""

import re

import asyncpg
from aiokafka import TopicPartition

from runtime.loop.stalls import StalledPartition
from services.metrics.app import SERVICE
from tests.unit.served import FakeConnections, FakeSender, FakeWorker, Served


async def problems(served: Served) -> list[str]:
    """The problems that `/readyz` reports."""
    answer = await served.ask("GET", "/readyz")
    reported: list[str] = answer.json()["problems"]
    assert answer.status_code == (503 if reported else 200)
    return reported


async def test_a_service_is_ready_when_its_servers_answer() -> None:
    assert await problems(Served(SERVICE)) == []


async def test_readiness_and_metrics_use_no_connection_of_the_api_pool() -> None:
    """Given an exhausted API pool; then both are answered."""
    served = Served(SERVICE, api=FakeConnections(fails=TimeoutError()))
    assert await problems(served) == []
    assert (await served.ask("GET", "/metrics")).status_code == 200


async def test_readiness_names_the_server_that_does_not_answer() -> None:
    away = asyncpg.ConnectionDoesNotExistError()
    assert await problems(Served(SERVICE, checks=FakeConnections(fails=away))) == [
        "PostgreSQL does not answer"
    ]
    assert await problems(Served(SERVICE, sender=FakeSender(away=True))) == [
        "Kafka does not answer"
    ]


async def test_metrics_are_served_while_the_database_is_unavailable() -> None:
    served = Served(SERVICE, checks=FakeConnections(fails=ConnectionRefusedError()))
    answer = await served.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert "herhaal_batch_records" in answer.text


async def test_readiness_names_stalled_partitions() -> None:
    served = Served(SERVICE)
    stalled = StalledPartition(TopicPartition("orders.events", 3), 41, (7, 1425))
    served.resources.worker = FakeWorker([str(stalled)])
    assert await problems(served) == [
        "orders.events-3 has been stalled for 41 s with 1,418 records waiting"
    ]


async def test_old_outbox_rows_are_a_problem() -> None:
    served = Served(SERVICE, checks=FakeConnections(outbox_age_s=31))
    assert await problems(served) == ["decided records have not been published for 30 s"]
    assert "herhaal_outbox_age_seconds" in (await served.ask("GET", "/metrics")).text


async def test_a_starting_service_names_the_server_that_it_waits_for() -> None:
    served = Served(SERVICE)
    served.resources.waiting_for = "Kafka"
    assert await problems(served) == ["waiting for Kafka"]
    assert (await served.ask("GET", "/livez")).status_code == 200


async def test_metrics_count_open_streams() -> None:
    served = Served(SERVICE)
    served.resources.recent.begin(0, 0)
    with served.resources.recent.watch("pat_anna0001", "usr_1"):
        text = (await served.ask("GET", "/metrics")).text
    assert re.search(r"^herhaal_open_streams{.*} 1.0$", text, re.MULTILINE)
