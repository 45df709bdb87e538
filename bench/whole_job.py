"""The full-output job: orders, and the expected records with their topics and contents."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import directory
from bench.errors import BenchError
from bench.expect import Digest, Oracle, outgoing_digest, output_digest
from bench.fixed_job import LaterRules
from bench.kafka import Output
from runtime.messages.cloudevents import event_id
from runtime.messages.message import Outgoing
from schemas import topics
from schemas.records.directory import Directory
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised

NOTIFICATIONS = topics.NOTIFICATIONS_EVENTS.name


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """A record that must be published. `digest` is of ordering's expected content; None for notification's."""

    topic: str
    order_id: str
    digest: Digest | None


@dataclass(frozen=True)
class WholeJob:
    """Orders, and every record that must follow, by its `ce_id`. `lines` is the number of order lines."""

    region: Directory
    population: Population
    orders: tuple[InputRecord, ...]
    expected: Mapping[str, ExpectedRecord]
    lines: int

    @property
    def topics(self) -> Counter[str]:
        """Count the expected records of each topic."""
        return Counter(one.topic for one in self.expected.values())


def whole_job(count: int, seed: int = 1) -> WholeJob:
    """Make a job of orders, each of another patient, of practices that approve what is plain.

    Raises BenchError when a decision has a reason that is not part of the fixed job.
    """
    region, population = directory(review_everything=False), Population(count)
    placed = tuple(orders(population, count, seed))
    oracle, later = Oracle(region, population), LaterRules()
    expected: dict[str, ExpectedRecord] = {}
    lines = 0
    for order in placed:
        body, records = orjson.loads(order.value), oracle.decide(order)
        lines += len(body["lines"])
        later.check(orjson.loads(records[0].value or b""))
        expected.update(_of_order(body["order_id"], records))
    later.require_none()
    return WholeJob(region, population, placed, expected, lines)


def _of_order(order_id: str, decided: Iterable[Outgoing]) -> Iterator[tuple[str, ExpectedRecord]]:
    types = [MessageQueued.TYPE, MessageSent.TYPE]
    for record in decided:
        yield _id(record), ExpectedRecord(record.topic, order_id, outgoing_digest(record))
        if record.topic.startswith(topics.PRESCRIPTIONS_PREFIX):
            types = [MessageQueued.TYPE, MessageSent.TYPE, PickupPromised.TYPE]
    for type_ in types:
        yield event_id(type_, order_id, 1), ExpectedRecord(NOTIFICATIONS, order_id, None)


def _id(record: Outgoing) -> str:
    return next((value or b"").decode() for name, value in record.headers if name == "ce_id")


def done_ms(outputs: Iterable[Output], job: WholeJob) -> tuple[dict[str, int], int]:
    """Read when the last record of each order was appended, and count all records, duplicates too.

    Raises BenchError when a record is missing, wrong or unexpected.
    """
    done: dict[str, int] = {}
    missing = dict(job.expected)
    wrong: list[str] = []
    records = 0
    for output in outputs:
        records += 1
        ce_id = output.headers["ce_id"].decode()
        wanted = job.expected.get(ce_id)
        if wanted is None or not _agrees(output, wanted):
            wrong.append(f"{ce_id} on {output.topic}: {output.value.decode()}")
        elif missing.pop(ce_id, None):
            done[wanted.order_id] = max(done.get(wanted.order_id, 0), output.at_ms)
    if missing or wrong:
        where = dict(Counter(one.topic for one in missing.values()))
        raise BenchError(
            f"{len(missing)} of {len(job.expected)} records are missing ({where}),"
            f" {len(wrong)} are wrong: {wrong[:3]}"
        )
    return done, records


def _agrees(output: Output, wanted: ExpectedRecord) -> bool:
    if output.topic != wanted.topic:
        return False
    return wanted.digest is None or output_digest(output) == wanted.digest
