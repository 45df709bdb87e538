"""Made-up outputs of an engine."""

from bench.data.orders import FIRST_MS, orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import directory
from bench.expect import Oracle
from bench.kafka import Output
from runtime.messages.message import Outgoing

PEOPLE = Population(50)
REGION = directory(review_everything=True)
ORACLE = Oracle(REGION, PEOPLE)
FILLED_MS = (FIRST_MS, FIRST_MS + 10)
"""The oracle decides as if every order came at this time."""


def placed(count: int) -> list[InputRecord]:
    """Return this many orders."""
    return list(orders(PEOPLE, count))


def output(record: Outgoing, at_ms: int) -> Output:
    """Return a record as the outsider reads it."""
    headers = {name: value or b"" for name, value in record.headers}
    return Output(record.topic, 0, record.key or b"", record.value or b"", headers, at_ms)


def decided(given: list[InputRecord], at_ms: int = 1000, step_ms: int = 1) -> list[Output]:
    """Return the correct decision on each order, `step_ms` apart."""
    records = [ORACLE.decide(order)[0] for order in given]
    return [output(record, at_ms + place * step_ms) for place, record in enumerate(records)]
