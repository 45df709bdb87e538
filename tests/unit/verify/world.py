"""A system in memory, without servers: the real handlers of all services, with lists as topics."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from runtime.loop.handler import Done, Rejected
from runtime.messages.dead_letters import dead_letter
from runtime.messages.encoding import encode
from runtime.messages.message import Message, Outgoing, Timer, append_time
from runtime.messages.parser import Misplaced, Parser, Unreadable
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.base import Body
from schemas.records.directory import Approver, Pharmacy, Policy, Practice
from schemas.topics import Topic
from services.medication import handlers as medication
from services.metrics import handlers as metrics
from services.notification import handlers as notification
from services.ordering import handlers as ordering
from services.ordering.work import Work as OrderingWork
from tests.harness.made import PHARMACY, PRACTICE
from tests.harness.records import APPENDED_MS
from tests.unit.notification.made import a_pharmacy, a_practice
from verify.rows import KafkaRecord, PartitionRange

_STEP_MS = 1000

WITHDRAWING, REVIEWING = "01999002", "01999003"
"""Practices whose policy withdraws what is stopped, and whose assistant sees every repeat."""

DIRECTORY_PRACTICES: dict[str, Practice] = {
    PRACTICE: a_practice(),
    WITHDRAWING: a_practice(agb=WITHDRAWING, policy=Policy(withdraw_when_stopped=True)),
    REVIEWING: a_practice(agb=REVIEWING, policy=Policy(approver=Approver.ASSISTANT)),
}
DIRECTORY_PHARMACIES: dict[str, Pharmacy] = {PHARMACY: a_pharmacy()}


@dataclass
class Service:
    """One service: its handler, input topics, positions and timers; its state is one unit of work."""

    name: str
    handler: Any
    inputs: tuple[Topic, ...]
    work: Any
    done: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    timers: dict[str, tuple[int, Timer]] = field(default_factory=dict)

    def handle(self, record: KafkaRecord) -> tuple[list[Outgoing], tuple[Timer, ...]]:
        """Handle one record; return the records that the loop would publish and the timers it would set."""
        parsed = Parser.of(self.inputs).parse(record)
        match parsed:
            case Misplaced():
                return [Outgoing(record.topic, record.key, record.value, list(record.headers))], ()
            case Unreadable():
                return [dead_letter(self.name, record, parsed)], ()
            case Message():
                return self._take(parsed, record)

    def _take(
        self, message: Message[Any], record: KafkaRecord
    ) -> tuple[list[Outgoing], tuple[Timer, ...]]:
        match self.handler.handle(message, self.work):
            case Rejected(reason, detail):
                return [dead_letter(self.name, record, Unreadable(reason, detail))], ()
            case Done(records, timers, cancelled):
                for timer_id in cancelled:
                    self.timers.pop(timer_id, None)
                return list(records), timers
        raise AssertionError("a handler answers Done or Rejected")


class World:
    """Topics and services. Each record advances the broker's clock by a second."""

    def __init__(self) -> None:
        self.now_ms = APPENDED_MS
        self.topics: dict[tuple[str, int], list[KafkaRecord]] = {}
        for topic in (*topics.ALL, topics.prescriptions(PHARMACY)):
            for partition in range(topic.partitions):
                self.topics[topic.name, partition] = []
        both = (DIRECTORY_PRACTICES, DIRECTORY_PHARMACIES)
        self.ordering = Service(
            "ordering", ordering.OrderingHandler(*both), ordering.INPUTS, OrderingWork()
        )
        self.medication = Service(
            "medication", medication.MedicationHandler(), medication.INPUTS, medication.Work({})
        )
        self.notification = Service(
            "notification",
            notification.NotificationHandler(*both),
            notification.INPUTS,
            notification.Work(),
        )
        self.metrics = Service("metrics", metrics.MetricsHandler(), metrics.INPUTS, metrics.Work())
        for practice in DIRECTORY_PRACTICES.values():
            self.send(topics.DIRECTORY_PRACTICES, practice)

    @property
    def services(self) -> tuple[Service, ...]:
        return (self.ordering, self.medication, self.notification, self.metrics)

    @property
    def now(self) -> datetime:
        """The broker's clock (UTC)."""
        return append_time(self.now_ms)

    @property
    def partitions(self) -> tuple[PartitionRange, ...]:
        return tuple(
            PartitionRange(*where, 0, len(self.topics[where])) for where in sorted(self.topics)
        )

    @property
    def records(self) -> tuple[KafkaRecord, ...]:
        return tuple(record for where in sorted(self.topics) for record in self.topics[where])

    def send(
        self, topic: Topic, body: Body, partition: int | None = None, value: bytes | None = None
    ) -> KafkaRecord:
        """Send a record as another party; `value` replaces the encoded body."""
        key = str(getattr(body, body.KEY)).encode()
        headers: list[tuple[str, bytes | None]] = [
            ("ce_id", str(uuid4()).encode()),
            ("ce_type", body.ce_type().encode()),
            ("ce_source", b"nl.herhaal/portal"),
        ]
        record = self._append(topic.name, key, value or encode(body), headers, partition)
        self.run()
        return record

    def pass_time(self, seconds: int) -> None:
        """Advance the clock and fire the timers that are due."""
        self.now_ms += seconds * 1000
        for timer_id, (_, timer) in list(self.ordering.timers.items()):
            if timer.due_at <= self.now:
                del self.ordering.timers[timer_id]
                self._publish([timer.record])
        self.run()

    def publish_again(self, records: Iterable[KafkaRecord]) -> None:
        """Publish these records once more, as after a worker's death before it emptied the outbox."""
        for r in list(records):
            self._append(r.topic, r.key, r.value, list(r.headers), r.partition)
        self.run()

    def run(self) -> None:
        """Let every service handle its input until no record is left."""
        while sum(self._step(service) for service in self.services):
            pass

    def _step(self, service: Service) -> int:
        waiting = [
            record
            for topic in service.inputs
            for partition in range(topic.partitions)
            for record in self.topics[topic.name, partition][service.done[topic.name, partition] :]
        ]
        for record in sorted(waiting, key=lambda record: record.timestamp):
            service.done[record.topic, record.partition] += 1
            outgoing, timers = service.handle(record)
            service.timers |= {timer.id: (record.partition, timer) for timer in timers}
            self._publish(outgoing)
        return len(waiting)

    def _publish(self, records: Iterable[Outgoing]) -> None:
        for r in records:
            self._append(r.topic, r.key, r.value, list(r.headers), None)

    def _append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes | None]],
        partition: int | None,
    ) -> KafkaRecord:
        count = sum(name == topic for name, _ in self.topics)
        where = partition_of(key or b"", count) if partition is None else partition
        self.now_ms += _STEP_MS
        log = self.topics[topic, where]
        record = KafkaRecord(topic, where, len(log), self.now_ms, key, value, headers)
        log.append(record)
        return record
