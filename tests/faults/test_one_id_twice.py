"""Orders of two patients with the same id, handled by two workers at the same moment.

Neither worker loads the other's order, so both decide. The second save conflicts with the row of the first: its
batch is loaded and decided again, and its order becomes a dead letter.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import chain
from uuid import UUID, uuid4

from deploy.local import LocalStack
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.orders import OrderDecided, OrderPlace
from tests.faults.database import administrator, waiting_for_locks
from tests.faults.load import Load
from tests.faults.metrics import retries
from tests.faults.processes import SHORT_SESSION, faulty, running, until_ready
from tests.faults.rows import Judge
from tests.faults.watch import Watch, watching
from tests.harness.kafka import eventually, header, read_all, sent
from tests.harness.made import a_patient, an_order

PER_S = 20.0
PAIRS = 20
ROUNDS = 10
"""Maximum: a worker may be busy with another batch when the two should meet."""

HALF = topics.PATIENT_PARTITIONS // 2
"""One of two workers is assigned the partitions below this number, the other the rest."""

_KEEP_ORDERS_AS_THEY_ARE = "lock table orders in share mode"

Pairs = Mapping[UUID, tuple[OrderPlace, OrderPlace]]
"""Two patients' orders by their common id."""


async def test_one_id_for_two_patients_at_once_is_one_order_and_one_dead_letter(
    disturbed: LocalStack, judge: Judge, load: Load
) -> None:
    second = faulty(disturbed, "ordering", "--only", "worker", beside=True, env=SHORT_SESSION)
    workers = (disturbed.endpoints["ordering"], f"http://{second.env['HERHAAL_LISTEN']}")
    pairs: dict[UUID, tuple[OrderPlace, OrderPlace]] = {}
    async with watching(disturbed) as watch, load.running(PER_S), running(second):
        await load.clients.connected.wait()
        await until_ready(second)
        before = await _outdated(workers)
        while await _outdated(workers) == before:
            assert len(pairs) < ROUNDS * PAIRS, "the two workers never met"
            pairs |= (met := _pairs())
            await _meet(disturbed, load, met)
            await watch.all_decided(met, within_s=30)
    row = await judge.judge(load, "one id for two patients' orders at once", "ordering")
    assert row.clean
    decided, refused = _decided(watch), await _refused(disturbed)
    for order_id, orders in pairs.items():
        assert {*decided[order_id], *refused[order_id]} == {order.patient for order in orders}
        assert len(decided[order_id]) == len(refused[order_id]) == 1


def _pairs() -> Pairs:
    pairs = {}
    for _ in range(PAIRS):
        order_id = uuid4()
        low, high = _patient_of(range(HALF)), _patient_of(range(HALF, 2 * HALF))
        pairs[order_id] = an_order(low, order_id=order_id), an_order(high, order_id=order_id)
    return pairs


def _patient_of(partitions: range) -> str:
    """A patient whose records are on one of these partitions."""
    while True:
        patient = a_patient()
        if partition_of(patient.encode(), topics.PATIENT_PARTITIONS) in partitions:
            return patient


async def _meet(stack: LocalStack, load: Load, pairs: Pairs) -> None:
    """Let both workers decide before either saves."""
    orders = chain.from_iterable(pairs.values())
    async with _nobody_saves(stack):
        await load.clients.burst(
            [(order.order_id, sent(topics.ORDERS_REQUESTS.name, order)) for order in orders]
        )
        await eventually(lambda: waiting_for_locks(stack, "ordering"), lambda count: count >= 2)


@asynccontextmanager
async def _nobody_saves(stack: LocalStack) -> AsyncIterator[None]:
    """Block writes to the orders table while the body runs; reads are not blocked."""
    async with administrator(stack, "ordering") as db, db.transaction():
        await db.execute(_KEEP_ORDERS_AS_THEY_ARE)
        yield


async def _outdated(workers: Iterable[str]) -> float:
    """How often these workers retried a batch because a row had changed since they loaded it."""
    return sum([await retries(url, "Outdated") for url in workers])


def _decided(watch: Watch) -> Mapping[UUID, set[str]]:
    """Patients whose order was decided, by order id."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for record in watch.records:
        if header(record, "ce_type") == OrderDecided.ce_type():
            event = OrderDecided.model_validate_json(record.value)
            found[event.order_id].add(event.patient)
    return found


async def _refused(stack: LocalStack) -> Mapping[UUID, set[str]]:
    """Patients whose order was refused because its id was in use, by order id."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for letter in await read_all(stack.kafka, topics.dead_letters("ordering").name):
        if header(letter, "dl_reason") == "order_conflict":
            order = OrderPlace.model_validate_json(letter.value)
            found[order.order_id].add(order.patient)
    return found
