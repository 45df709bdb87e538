"""`GET /state`: numbers for an operator, also while a server is away."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from runtime.postgres import outbox, progress, timers
from samples.callers import Permitted
from schemas.access import Party
from schemas.topics import dead_letters
from services.ordering import store
from services.ordering.app import SERVICE
from tests.unit.served import Answer, FakeConnections, FakeWorker, NoPages, Served, claimed

INPUT = "orders.requests"
DEAD = 15 * dead_letters("ordering").partitions


class Pages(NoPages):
    """Every partition has records 5 to 19."""

    async def ranges(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, int]]:
        return dict.fromkeys(partitions, (5, 20))


def counted(**counts: int) -> list[dict[str, Any]]:
    return [counts]


def positions() -> list[dict[str, Any]]:
    """One partition of all is handled up to offset 18."""
    row = {"topic": INPUT, "partition": 0, "next_offset": 18, "epoch": 1, "last_ms": None}
    return [row, row | {"topic": "orders.events", "next_offset": 3}]


def an_ordering() -> Served:
    """ordering with something of everything, asked by an operator."""
    answers: dict[str, Answer] = {
        outbox._COUNT: lambda: counted(n=2),
        timers._COUNT: lambda: counted(n=3),
        store._COUNT_WAITING: lambda: counted(intake=4, without_overview=5, in_review=6),
        progress._POSITIONS: positions,
    }
    served = Served(SERVICE, checks=FakeConnections(answers))
    served.tokens = Permitted(lambda *_, **__: claimed(Party.OPERATOR))
    served.resources.pages = Pages()
    return served


async def state(served: Served) -> dict[str, Any]:
    answer = await served.ask("GET", "/state")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_operator_sees_what_waits_in_numbers() -> None:
    """Given 15 records in each partition, of which 13 are handled in one; then the rest is the lag."""
    inputs = sum(topic.partitions for topic in SERVICE.inputs)
    assert await state(an_ordering()) == {
        "service": "ordering",
        "ready": True,
        "problems": [],
        "waiting": {
            "outbox": 2,
            "timers": 3,
            "intake": 4,
            "orders_without_overview": 5,
            "lines_in_review": 6,
        },
        "lag": 15 * inputs - 13,
        "dead_letters": DEAD,
    }


async def test_a_problem_is_told_as_readiness_tells_it() -> None:
    served = an_ordering()
    served.resources.worker = FakeWorker(["orders.requests-3 has been stalled for 41 s"])
    shown = await state(served)
    assert (shown["ready"], shown["problems"]) == (
        False,
        ["orders.requests-3 has been stalled for 41 s"],
    )


async def test_without_kafka_the_rest_is_told() -> None:
    served = an_ordering()
    served.sender.away = True
    served.resources.pages = NoPages()
    shown = await state(served)
    assert shown["problems"] == ["Kafka does not answer"]
    assert (shown["lag"], shown["dead_letters"]) == (None, None)
    assert shown["waiting"]["intake"] == 4


async def test_without_the_database_the_rest_is_told() -> None:
    served = an_ordering()
    served.checks.fails = ConnectionRefusedError()
    shown = await state(served)
    assert shown["problems"] == ["PostgreSQL does not answer"]
    assert (shown["waiting"], shown["lag"], shown["dead_letters"]) == ({}, None, DEAD)


@pytest.mark.parametrize("role", [role for role in Party if role is not Party.OPERATOR][:4])
async def test_only_an_operator_sees_it(role: Party) -> None:
    served = an_ordering()
    served.tokens = Permitted(lambda *_, **__: claimed(role))
    assert (await served.ask("GET", "/state")).status_code == 403
