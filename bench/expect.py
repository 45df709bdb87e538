"""Computes the decisions that every engine must make, with ordering's own handler.

The job is fixed (`fixed_job.py`): data that triggers a later rule is refused. The peers implement the
job's rules separately, so that every decision is compared.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from bench.data.orders import FIRST_MS
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import pharmacies, practices
from bench.fixed_job import LATER_FIELDS, LaterRules
from bench.kafka import Output
from runtime.loop.handler import Done
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.directory import Directory
from schemas.records.medication import MedicationOverview
from schemas.topics import PATIENT_PARTITIONS
from services.ordering.domain.overview import Overview, read_overview
from services.ordering.handlers import INPUTS, OrderingHandler
from services.ordering.work import Work

_TIMES = ("placed_at", "decided_at", "approved_at")
"""Differ between runs: they are the broker's append time of the order."""

_HEADERS = ("ce_type", "ce_id", "ce_source", "ce_subject", "content-type", "traceparent")

Digest = bytes


@dataclass(slots=True)
class _Delivered:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


class Oracle:
    """Decides orders in memory, all as if they came at `at_ms`."""

    def __init__(self, region: Directory, population: Population, at_ms: int = FIRST_MS) -> None:
        self._handler = OrderingHandler(practices(region), pharmacies(region))
        self._parser = Parser.of(INPUTS)
        self._population = population
        self._at_ms = at_ms

    def decide(self, order: InputRecord) -> tuple[Outgoing, ...]:
        """Make every record that ordering publishes for this order."""
        message = self._message(topics.ORDERS_REQUESTS.name, order)
        overview = self._read_overview(message.key)
        handled = self._handler.handle(message, Work(overviews={message.key: overview}))
        assert isinstance(handled, Done), "made-up orders can be carried out"
        return handled.records

    def expected(self, orders: Iterable[InputRecord]) -> dict[str, Digest]:
        """Compute the digest of each order's decision, by order id.

        Raises BenchError when a decision has a reason that no peer can give.
        """
        digests: dict[str, Digest] = {}
        later = LaterRules()
        for order in orders:
            decision = self.decide(order)[0]
            later.check(orjson.loads(decision.value or b""))
            digests[_subject(order)] = outgoing_digest(decision)
        later.require_none()
        return digests

    def _read_overview(self, patient: str) -> Overview:
        value = self._population.record_of(patient).value
        return read_overview(MedicationOverview.model_validate_json(value))

    def _message(self, topic: str, given: InputRecord) -> Message[Any]:
        partition = partition_of(given.key, PATIENT_PARTITIONS)
        record = _Delivered(topic, partition, 0, self._at_ms, given.key, given.value, given.headers)
        message = self._parser.parse(record)
        assert isinstance(message, Message), "made-up records can be read"
        return message


def outgoing_digest(record: Outgoing) -> Digest:
    """Digest the compared part of a record that ordering publishes."""
    assert record.key is not None
    assert record.value is not None
    headers = {name: value or b"" for name, value in record.headers}
    return _digest(record.key, record.value, headers)


def output_digest(output: Output) -> Digest:
    """Digest the compared part of a record that an engine wrote."""
    return _digest(output.key, output.value, output.headers)


def comparable(value: bytes) -> dict[str, Any]:
    """Remove times from a body, later fields, and null fields, which a peer may leave out."""
    body = orjson.loads(value)
    kept = {name: part for name, part in _of_the_job(body).items() if name not in _TIMES}
    if "lines" in kept:
        kept["lines"] = [_of_the_job(line) for line in kept["lines"]]
    for line in kept.get("lines", ()):
        line["reasons"] = [_of_the_job(reason) for reason in line["reasons"]]
    return kept


def _of_the_job(part: dict[str, Any]) -> dict[str, Any]:
    return {n: value for n, value in part.items() if value is not None and n not in LATER_FIELDS}


def _digest(key: bytes, value: bytes, headers: Any) -> Digest:
    envelope = [headers[name].decode() for name in _HEADERS]
    whole = (key.decode(), envelope, comparable(value))
    return hashlib.blake2b(
        orjson.dumps(whole, option=orjson.OPT_SORT_KEYS), digest_size=16
    ).digest()


def _subject(order: InputRecord) -> str:
    return str(UUID(orjson.loads(order.value)["order_id"]))
