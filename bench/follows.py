"""Everything that must follow from orders: which record, on which topic, with what in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import Given
from bench.data.region import directory
from bench.errors import BenchError
from bench.expect import Digest, Oracle, digest_of_outgoing, digest_of_output
from bench.fixed_job import LaterRules
from bench.kafka import Output
from runtime.messages.cloudevents import event_id
from runtime.messages.message import Outgoing
from schemas import topics
from schemas.records.directory import Directory
from schemas.records.notifications import MessageQueued, MessageSent, PickupPromised

NOTIFICATIONS = topics.NOTIFICATIONS_EVENTS.name


@dataclass(frozen=True, slots=True)
class Follows:
    """A record that must be there. `digest` is what ordering must say in it; None for notification's."""

    topic: str
    order_id: str
    digest: Digest | None


@dataclass(frozen=True)
class WholeJob:
    """Orders, and every record that must follow, by its `ce_id`. `lines` is how many they have."""

    region: Directory
    population: Population
    orders: tuple[Given, ...]
    follows: Mapping[str, Follows]
    lines: int

    @property
    def topics(self) -> Counter[str]:
        """How many records must be on each topic."""
        return Counter(one.topic for one in self.follows.values())


def whole_job(patients: int, count: int, seed: int = 1) -> WholeJob:
    """So many orders, decided by the policies that practices have unless they say otherwise.

    Raises BenchError when a decision has a reason that is not part of the fixed job.
    """
    region, population = directory(review_everything=False), Population(patients)
    placed = tuple(orders(population, count, seed))
    oracle, later = Oracle(region, population), LaterRules()
    follows: dict[str, Follows] = {}
    lines = 0
    for order in placed:
        body, records = orjson.loads(order.value), oracle.decide(order)
        lines += len(body["lines"])
        later.look(orjson.loads(records[0].value or b""))
        follows.update(_of_order(body["order_id"], records))
    later.require_none()
    return WholeJob(region, population, placed, follows, lines)


def _of_order(order_id: str, decided: Iterable[Outgoing]) -> Iterator[tuple[str, Follows]]:
    told = [MessageQueued.TYPE, MessageSent.TYPE]
    for record in decided:
        yield _id(record), Follows(record.topic, order_id, digest_of_outgoing(record))
        if record.topic.startswith(topics.PRESCRIPTIONS_PREFIX):
            told = [MessageQueued.TYPE, MessageSent.TYPE, PickupPromised.TYPE]
    for kind in told:
        yield event_id(kind, order_id, 1), Follows(NOTIFICATIONS, order_id, None)


def _id(record: Outgoing) -> str:
    return next((value or b"").decode() for name, value in record.headers if name == "ce_id")


def done_ms(outputs: Iterable[Output], job: WholeJob) -> tuple[dict[str, int], int]:
    """When the last record of each order was appended, and how many records there were, repeats too.

    Raises BenchError when a record is missing, says something else, or should not be there.
    """
    done: dict[str, int] = {}
    missing = dict(job.follows)
    wrong: list[str] = []
    records = 0
    for output in outputs:
        records += 1
        ce_id = output.headers["ce_id"].decode()
        wanted = job.follows.get(ce_id)
        if wanted is None or not _agrees(output, wanted):
            wrong.append(f"{ce_id} on {output.topic}: {output.value.decode()}")
        elif missing.pop(ce_id, None):
            done[wanted.order_id] = max(done.get(wanted.order_id, 0), output.at_ms)
    if missing or wrong:
        where = dict(Counter(one.topic for one in missing.values()))
        raise BenchError(
            f"{len(missing)} of {len(job.follows)} records are missing ({where}),"
            f" {len(wrong)} are wrong: {wrong[:3]}"
        )
    return done, records


def _agrees(output: Output, wanted: Follows) -> bool:
    if output.topic != wanted.topic:
        return False
    return wanted.digest is None or digest_of_output(output) == wanted.digest
