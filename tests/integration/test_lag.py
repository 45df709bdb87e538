"""`herhaal lag` prints how many records wait for each service."""

from deploy.local import LocalStack
from schemas import topics
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import a_patient, an_order
from tests.integration.operator import herhaal, plain

REQUESTS = topics.ORDERS_REQUESTS.name
WAITING = 7


async def _lag(stack: LocalStack, *options: str) -> str:
    said = await herhaal(stack, "lag", *options)
    assert said.code == 0, said
    return plain(said.text)


async def test_records_that_wait_for_a_stopped_service_are_counted_until_it_is_back(
    stack: LocalStack,
) -> None:
    await eventually(lambda: _lag(stack), lambda text: "ordering: up to date" in text)
    await stack.stop("ordering")
    try:
        await send(stack.kafka, [sent(REQUESTS, an_order(a_patient())) for _ in range(WAITING)])
        text = await _lag(stack)
        assert f"ordering {REQUESTS} {WAITING} " in text
        assert f"ordering: {WAITING} records behind" in text
        assert "medication: up to date" in text
        rows = await _lag(stack, "--partitions")
        assert f"ordering {REQUESTS} 7 " in rows
    finally:
        await stack.start("ordering")
    await eventually(lambda: _lag(stack), lambda seen: "ordering: up to date" in seen)
