"""Readiness and metrics: what they tell, and that requests cannot starve them."""

import asyncpg
from aiokafka import TopicPartition

from runtime.loop.stall import Standstill
from services.metrics.app import SERVICE
from tests.unit.served import FakeConnections, FakeSender, FakeWorker, Served


async def problems(served: Served) -> list[str]:
    """What `/readyz` says."""
    answer = await served.ask("GET", "/readyz")
    found: list[str] = answer.json()["problems"]
    assert answer.status_code == (503 if found else 200)
    return found


async def test_a_service_whose_servers_answer_is_ready() -> None:
    assert await problems(Served(SERVICE)) == []


async def test_readiness_and_metrics_need_none_of_the_apis_connections() -> None:
    """Given requests that hold them all; then both are answered as ever."""
    served = Served(SERVICE, api=FakeConnections(fails=TimeoutError()))
    assert await problems(served) == []
    assert (await served.ask("GET", "/metrics")).status_code == 200


async def test_it_says_which_server_does_not_answer() -> None:
    away = asyncpg.ConnectionDoesNotExistError()
    assert await problems(Served(SERVICE, checks=FakeConnections(fails=away))) == [
        "PostgreSQL does not answer"
    ]
    assert await problems(Served(SERVICE, sender=FakeSender(away=True))) == [
        "Kafka does not answer"
    ]


async def test_metrics_are_given_while_the_database_is_away() -> None:
    served = Served(SERVICE, checks=FakeConnections(fails=ConnectionRefusedError()))
    answer = await served.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert "herhaal_batch_records" in answer.text


async def test_it_says_which_partitions_stand_still() -> None:
    served = Served(SERVICE)
    standing = Standstill(TopicPartition("orders.events", 3), 41, (7, 1425))
    served.resources.worker = FakeWorker([str(standing)])
    assert await problems(served) == [
        "orders.events-3 has stood still for 41 s with 1,418 records waiting"
    ]


async def test_what_is_decided_and_not_published_for_long_is_a_problem() -> None:
    served = Served(SERVICE, checks=FakeConnections(outbox_age_s=31))
    assert await problems(served) == ["decided records have not been published for 30 s"]
    assert "herhaal_outbox_age_seconds" in (await served.ask("GET", "/metrics")).text


async def test_a_service_that_starts_says_what_it_waits_for() -> None:
    served = Served(SERVICE)
    served.resources.waiting_for = "Kafka"
    assert await problems(served) == ["waiting for Kafka"]
    assert (await served.ask("GET", "/livez")).status_code == 200
