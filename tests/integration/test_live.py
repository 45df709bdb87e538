"""What happens to a patient's orders and messages is told as it happens, each once (pitfall E2)."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas import topics
from schemas.access import Party
from schemas.records.orders import OrderDecided
from tests.harness.kafka import eventually, read_all, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order
from tests.harness.streams import Event, Stream, stream
from tests.integration.ordering_api import OrderingClient

AT_ONCE_S = 1.0
EVENTS = topics.ORDERS_EVENTS.name

Told = tuple[str, int]


class Clients:
    """People who listen to what happens to a patient."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient) -> None:
        self._stack, self._http = stack, http

    def listen(
        self,
        patient: str,
        last_id: str | None = None,
        service: str = "ordering",
        role: Party = Party.PATIENT,
        **scope: Any,
    ) -> AbstractAsyncContextManager[Stream]:
        """Open a stream: as the patient, or in another role."""
        token = self._stack.token(role, **(scope or {"patients": (patient,)}))
        url = f"{self._stack.endpoints[service]}/patients/{patient}/events"
        return stream(self._http, url, {"authorization": f"Bearer {token}"}, last_id)

    async def missed(self, patient: str, last_id: str) -> list[Event]:
        """What a client is told first that comes back with this id."""
        async with self.listen(patient, last_id) as opened:
            return await opened.begin()


@pytest.fixture
async def clients(stack: LocalStack) -> AsyncIterator[Clients]:
    """Clients without a bound on their connections."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as http:
        yield Clients(stack, http)


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    """A client that places orders."""
    return OrderingClient(stack, http)


async def _published(stack: LocalStack, patients: set[str]) -> dict[str, list[Told]]:
    """What the topic says happened to the orders of these patients."""
    found: dict[str, list[Told]] = defaultdict(list)
    for record in await read_all(stack.kafka, EVENTS):
        patient = (record.key or b"").decode()
        if patient in patients:
            body = OrderDecided.model_validate_json(record.value or b"")
            found[patient].append((str(body.order_id), body.seq))
    return found


def _told(event: Event) -> Told:
    return event.data["order_id"], event.data["seq"]


async def test_an_order_and_its_message_are_told_within_a_second_and_to_nobody_else(
    ordering: OrderingClient, clients: Clients
) -> None:
    """Given a patient and somebody else who listen to ordering and to notification; when the patient's order is
    decided; then the patient is told of the order and of the message, and the other of nothing.
    """
    patient, other = await ordering.patient(), a_patient()
    order = an_order(patient)
    async with (
        clients.listen(patient) as orders,
        clients.listen(patient, service="notification") as messages,
        clients.listen(other) as others,
    ):
        for opened in (orders, messages, others):
            assert [each.name for each in await opened.begin()] == ["ready"]
        assert (await ordering.place(order, wait=20)).status_code == 200
        decided_s = time.monotonic()
        happened = await orders.next()
        arrived = await messages.next()
        assert time.monotonic() - decided_s < AT_ONCE_S
        assert happened is not None
        assert (happened.name, happened.data) == (
            "order",
            {"order_id": str(order.order_id), "seq": 1},
        )
        assert arrived is not None
        assert (arrived.name, arrived.data["order_id"]) == ("message", str(order.order_id))
        with pytest.raises(TimeoutError):
            await others.next(within_s=0.5)
    assert orders.answer.headers["content-type"].startswith("text/event-stream")
    assert orders.answer.headers.get_list("cache-control") == ["no-store"]
    assert orders.answer.headers["x-accel-buffering"] == "no"


async def test_who_comes_back_is_told_what_came_in_between(
    ordering: OrderingClient, clients: Clients
) -> None:
    patient = await ordering.patient()
    async with clients.listen(patient) as opened:
        (ready,) = await opened.begin()
    orders = [an_order(patient) for _ in range(3)]
    for order in orders:
        await ordering.place(order, wait=20)
    await _eventually_told(clients, patient, ready.id, len(orders))
    *missed, mark = await clients.missed(patient, ready.id)
    assert ([_told(each) for each in missed], mark.name) == (
        [(str(order.order_id), 1) for order in orders],
        "ready",
    )
    *rest, mark = await clients.missed(patient, missed[0].id)
    assert ([_told(each) for each in rest], mark.name) == (
        [(str(order.order_id), 1) for order in orders[1:]],
        "ready",
    )
    assert [each.name for each in await clients.missed(patient, mark.id)] == ["ready"]


async def _eventually_told(clients: Clients, patient: str, last_id: str, many: int) -> None:
    await eventually(
        lambda: clients.missed(patient, last_id), lambda events: len(events) == many + 1
    )


@pytest.mark.parametrize("last_id", ["x", "0", "99-1", "{partition}-999999999999999", "9" * 300])
async def test_an_id_that_is_not_ours_is_one_reset_and_the_stream_goes_on(
    ordering: OrderingClient, clients: Clients, last_id: str
) -> None:
    """Garbage, an id of no partition, and one beyond the end, as after a restore of Kafka."""
    patient = await ordering.patient()
    async with clients.listen(patient) as opened:
        partition = (await opened.begin())[-1].id.partition("-")[0]
    last_id = last_id.replace("{partition}", partition)
    async with clients.listen(patient, last_id) as opened:
        (reset,) = await opened.begin()
        assert reset.name == "reset"
        await ordering.place(an_order(patient))
        happened = await opened.next()
        assert happened is not None
        assert happened.name == "order"
    assert [each.name for each in await clients.missed(patient, reset.id)] == ["order", "ready"]


async def test_an_event_that_is_published_twice_is_told_once(
    stack: LocalStack, ordering: OrderingClient, clients: Clients
) -> None:
    """Given the outbox that publishes a record again, as after a crash."""
    patient = await ordering.patient()
    order, marker = an_order(patient), an_order(patient)
    async with clients.listen(patient) as opened:
        (ready,) = await opened.begin()
        await ordering.place(order, wait=20)
        (again,) = [
            OrderDecided.model_validate_json(record.value or b"")
            for record in await read_all(stack.kafka, EVENTS)
            if record.key == patient.encode()
        ]
        await send(stack.kafka, [sent(EVENTS, again)])
        await ordering.place(marker, wait=20)
        told = [await opened.next(), await opened.next()]
    expected = [(str(each.order_id), 1) for each in (order, marker)]
    assert [_told(each) for each in told if each] == expected
    assert [_told(each) for each in (await clients.missed(patient, ready.id))[:-1]] == expected


async def test_each_is_told_of_the_orders_that_they_may_see(
    ordering: OrderingClient, clients: Clients
) -> None:
    """Given a GP and a pharmacist of the order, and others; then only the first two are told."""
    patient = await ordering.patient()
    async with (
        clients.listen(patient, role=Party.GP, practice=PRACTICE) as gp,
        clients.listen(patient, role=Party.PHARMACIST, pharmacy=PHARMACY) as pharmacist,
        clients.listen(patient, role=Party.GP, practice="01999900") as stranger,
        clients.listen(patient, service="notification", role=Party.GP, practice=PRACTICE) as inbox,
    ):
        for opened in (gp, pharmacist, stranger, inbox):
            await opened.begin()
        await ordering.place(an_order(patient), wait=20)
        for opened in (gp, pharmacist, inbox):
            assert await opened.next() is not None
        with pytest.raises(TimeoutError):
            await stranger.next(within_s=0.5)


class Restless:
    """A client that leaves and comes back at random, and notes all that it is told."""

    def __init__(self, clients: Clients, patient: str, seed: int) -> None:
        self.told: list[Told] = []
        self.resets = self.connections = 0
        self._clients, self._patient = clients, patient
        self._random = random.Random(seed)
        self._last_id: str | None = None

    async def listen(self) -> None:
        """Listen until cancelled."""
        while True:
            self.connections += 1
            with suppress(TimeoutError):
                async with (
                    asyncio.timeout(self._random.uniform(0.05, 0.6)),
                    self._clients.listen(self._patient, self._last_id) as opened,
                ):
                    await self._note_all(opened)

    async def _note_all(self, opened: Stream) -> None:
        while (event := await opened.next()) is not None:
            self._last_id = event.id
            self.resets += event.name == "reset"
            if event.name == "order":
                self.told.append(_told(event))


async def test_readers_that_come_and_go_miss_nothing_and_are_told_nothing_twice(
    stack: LocalStack, ordering: OrderingClient, clients: Clients
) -> None:
    """Given 20 patients whose readers reconnect at random; when 200 orders come at once; then each reader is
    told of each event of its patient once, in the order of the topic (E2).
    """
    patients = [await ordering.patient() for _ in range(20)]
    readers = {p: Restless(clients, p, seed) for seed, p in enumerate(patients)}
    listening = [asyncio.create_task(reader.listen()) for reader in readers.values()]
    await asyncio.sleep(1)
    placed = [ordering.place(an_order(patients[n % 20]), wait=25) for n in range(200)]
    statuses = [answer.status_code for answer in await asyncio.gather(*placed)]
    assert set(statuses) == {200}
    published = await _published(stack, set(patients))

    async def told() -> dict[str, list[Told]]:
        return {patient: [*reader.told] for patient, reader in readers.items()}

    try:
        assert await eventually(told, lambda found: found == published) == published
    finally:
        for task in listening:
            task.cancel()
        ended = await asyncio.gather(*listening, return_exceptions=True)
    assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []
    assert sum(map(len, published.values())) >= 200
    assert sum(reader.resets for reader in readers.values()) == 0
    assert sum(reader.connections for reader in readers.values()) > 60


async def test_a_service_that_stops_ends_its_streams_and_clients_resume_afterwards(
    stack: LocalStack, ordering: OrderingClient, clients: Clients
) -> None:
    """Given open streams; when ordering stops; then they end at once; and what came before a client had read it
    is told after the start.
    """
    patient = await ordering.patient()
    async with clients.listen(patient) as opened:
        (ready,) = await opened.begin()
        order = an_order(patient)
        await ordering.place(order, wait=20)
        began_s = time.monotonic()
        stopping = asyncio.create_task(stack.stop("ordering"))
        assert await opened.next() is not None
        assert await opened.next() is None
        assert time.monotonic() - began_s < 2
        await stopping
        assert time.monotonic() - began_s < 5
    await stack.start("ordering")
    *missed, mark = await clients.missed(patient, ready.id)
    assert ([_told(each) for each in missed], mark.name) == ([(str(order.order_id), 1)], "ready")


async def test_streams_stay_open_while_kafka_is_away(
    stack: LocalStack, ordering: OrderingClient, clients: Clients
) -> None:
    patient = await ordering.patient()
    async with clients.listen(patient) as opened:
        await opened.begin()
        listening = asyncio.create_task(opened.next(within_s=60))
        await stack.kill("kafka-1")
        await asyncio.sleep(2)
        assert not listening.done()
        await stack.start("kafka-1")
        order = an_order(patient)
        await eventually(
            lambda: ordering.place(order), lambda answer: answer.status_code in (200, 202)
        )
        happened = await listening
        assert happened is not None
        assert _told(happened) == (str(order.order_id), 1)


async def test_one_person_has_a_bounded_number_of_streams(
    stack: LocalStack, clients: Clients
) -> None:
    patient, sub = a_patient(), f"usr_{uuid4().hex}"
    opening = [clients.listen(patient, patients=(patient,), sub=sub) for _ in range(21)]
    streams = [await each.__aenter__() for each in opening]
    try:
        assert [each.answer.status_code for each in streams] == [200] * 20 + [429]
        assert streams[-1].answer.headers["retry-after"]
    finally:
        for each in opening:
            await each.__aexit__(None, None, None)
