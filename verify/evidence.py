"""What the rules look at: a history and a dump, parsed and indexed once."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from runtime.messages.message import append_time
from schemas import topics
from schemas.records.directory import Policy
from schemas.records.orders import OrderCancel, OrderPlace
from schemas.topic_lookup import system_of
from schemas.topics import Topic
from verify.approvals import Approval, Before, approved_lines
from verify.dump import Dump
from verify.expected_orders import OPEN, ExpectedOrder, Line, expected_order
from verify.history import Operation
from verify.notes import JournalUnreadable, Known, Note, known_at, read_journal
from verify.rows import KafkaRecord
from verify.topic_records import ParsedRecord, TopicRecords, read_dead_letters, read_topic

ORDERING, MEDICATION, NOTIFICATION = (
    f"nl.herhaal/{service}" for service in ("ordering", "medication", "notification")
)
_ID_FIELD = re.compile(rb'"(?:order_id|change_id)"\s*:\s*"([0-9a-fA-F-]{36})"')


def _plain(name: str) -> str:
    """The topic of ours beside which a system has its own."""
    return name.rpartition(".")[0] if system_of(name) else name


class Evidence:
    """A history and a dump, indexed. `history` is None when no client wrote one."""

    def __init__(self, history: Sequence[Operation] | None, dump: Dump) -> None:
        self.history = history
        self.dump = dump
        self.by_topic: dict[str, list[KafkaRecord]] = defaultdict(list)
        for record in dump.records:
            self.by_topic[record.topic].append(record)
        self.requests = self._read(topics.ORDERS_REQUESTS)
        self.reviews = self._read(topics.ORDERS_REVIEWS)
        self.changes = self._read(topics.MEDICATION_CHANGES)
        self.events = self._read(topics.ORDERS_EVENTS, ORDERING)
        self.overviews = self._read(topics.MEDICATION_STATUS, MEDICATION)
        self.notifications = self._read(topics.NOTIFICATIONS_EVENTS, NOTIFICATION)
        self.prescriptions = [
            self._read(
                topics.prescriptions(name.removeprefix(topics.PRESCRIPTIONS_PREFIX)), ORDERING
            )
            for name in sorted({partition.topic for partition in dump.partitions})
            if name.startswith(topics.PRESCRIPTIONS_PREFIX)
        ]
        self.dead_letters = {
            service: read_dead_letters(service, self.by_topic[topics.dead_letters(service).name])
            for service in topics.SERVICES
        }

    def _read(self, topic: Topic, writer: str | None = None) -> TopicRecords:
        names = self.names_of(topic)
        records = [record for name in names for record in self.by_topic[name]]
        if len(names) > 1:
            records.sort(key=lambda record: record.timestamp)
        return read_topic(topic, records, writer)

    def names_of(self, topic: Topic) -> list[str]:
        """The names of a topic and of those that systems have beside it, as far as the dump has them."""
        names = {partition.topic for partition in self.dump.partitions} | self.by_topic.keys()
        own = sorted(n for n in names if system_of(n) and _plain(n) == topic.name)
        return [topic.name, *own]

    @property
    def inputs(self) -> dict[str, tuple[TopicRecords, ...]]:
        """The input topics of each service."""
        return {
            "ordering": (self.requests, self.reviews, self.overviews),
            "medication": (self.changes, self.overviews),
            "notification": (self.events,),
            "metrics": (self.events,),
        }

    @property
    def outputs(self) -> tuple[TopicRecords, ...]:
        """The topics that only one service may write."""
        return (self.events, self.overviews, self.notifications, *self.prescriptions)

    @cached_property
    def unverifiable(self) -> set[UUID]:
        """Orders with a foreign or an expired event: the rules skip them."""
        since = self.complete_since(self.events.topic.name)
        expired = {o.order_id for o in self.dump.ordering.orders if o.placed_at <= since}
        return expired | {fact.body.order_id for fact in self.events.foreign_messages}

    @cached_property
    def events_by_order(self) -> dict[UUID, list[ParsedRecord]]:
        """The events that ordering wrote of each order, without repeats, in the order of the topic."""
        by_order: dict[UUID, list[ParsedRecord]] = defaultdict(list)
        for message in self.events.messages:
            if message.body.order_id not in self.unverifiable:
                by_order[message.body.order_id].append(message)
        return by_order

    @cached_property
    def orders(self) -> dict[UUID, ExpectedOrder]:
        """The expected state of each order that ordering has decided."""
        folded = (expected_order(events) for events in self.events_by_order.values())
        return {order.order_id: order for order in folded if order is not None}

    @cached_property
    def journals(self) -> dict[UUID, tuple[Note, ...]]:
        """The notes in the journal of each order; of an unreadable one none."""
        return {row.order_id: _notes(row.journal) for row in self.dump.ordering.orders}

    def known_for(self, order: ExpectedOrder, seq: int) -> Known | None:
        """What the rules knew when they decided the event with this `seq`; None where they were not asked."""
        return known_at(self.journals.get(order.order_id, ()), seq)

    @cached_property
    def _policies(self) -> dict[tuple[str, int], Policy]:
        practices = self._read(topics.DIRECTORY_PRACTICES).messages
        return {(m.key, m.body.version): m.body.policy for m in practices if m.body is not None}

    def policy(self, practice: str, version: int | None) -> Policy | None:
        """A practice's policy of this version of its entry; None when the topic does not have it any more.

        Without a version the practice was not in the directory: the default counted.
        """
        return Policy() if version is None else self._policies.get((practice, version))

    @cached_property
    def orders_of_patients(self) -> dict[str, list[ExpectedOrder]]:
        """The orders of each patient, those decided first first."""
        by_patient: dict[str, list[ExpectedOrder]] = defaultdict(list)
        for order in sorted(self.orders.values(), key=lambda order: order.events[0].offset):
            by_patient[order.first.patient].append(order)
        return by_patient

    @cached_property
    def approvals(self) -> list[Approval]:
        """Every line that a policy approved."""
        found = []
        for order in self.orders.values():
            for message, number in approved_lines(order):
                known = self.known_for(order, message.body.seq)
                policy = self.policy(order.first.practice, known.policy_version) if known else None
                found.append(Approval(order, number, message, known, policy))
        return found

    @cached_property
    def _lines_of_medicines(self) -> dict[tuple[str, str], list[tuple[ExpectedOrder, Line]]]:
        lines: dict[tuple[str, str], list[tuple[ExpectedOrder, Line]]] = defaultdict(list)
        for patient, orders in self.orders_of_patients.items():
            for order in orders:
                for line in order.lines.values():
                    lines[patient, line.prk].append((order, line))
        return lines

    def before(self, approval: Approval) -> Iterator[Before]:
        """The same medicine in the patient's earlier orders: open or approved when this line was approved."""
        own = approval.order
        for order, line in self._lines_of_medicines[own.first.patient, approval.line.prk]:
            if order is own:
                return
            past = line.before(approval.event.offset)
            if past is not None and past.outcome in OPEN:
                yield Before(order, line, past)

    @cached_property
    def place_requests(self) -> dict[UUID, list[ParsedRecord]]:
        """The `order.place` requests of each order, in order."""
        return self._by_order(OrderPlace, self.requests.messages)

    @cached_property
    def cancel_requests(self) -> dict[UUID, list[ParsedRecord]]:
        """The `order.cancel` requests of each order, in order."""
        return self._by_order(OrderCancel, self.requests.messages)

    @cached_property
    def reviews_by_order(self) -> dict[UUID, list[ParsedRecord]]:
        """The reviews and fired timers of each order, in order."""
        return self._by_order(object, self.reviews.messages)

    @cached_property
    def review_by_offset(self) -> dict[tuple[int | None, int | None], ParsedRecord]:
        """The reviews and fired timers by partition and offset."""
        return {(m.partition, m.offset): m for m in self.reviews.messages}

    @cached_property
    def applied_changes(self) -> set[UUID]:
        """The changes that medication has applied."""
        return {row.change_id for row in self.dump.medication.applied}

    @cached_property
    def overviews_by_patient(self) -> dict[str, list[ParsedRecord]]:
        """The messages on medication.status of each patient, foreign ones and tombstones included, in order."""
        by_patient: dict[str, list[ParsedRecord]] = defaultdict(list)
        for message in self.overviews.all_messages():
            by_patient[message.key].append(message)
        return by_patient

    @cached_property
    def overview_records(self) -> dict[bytes | None, list[KafkaRecord]]:
        """The raw records on medication.status of each key, repeats included, in order."""
        by_key: dict[bytes | None, list[KafkaRecord]] = defaultdict(list)
        for record in self.by_topic[self.overviews.topic.name]:
            by_key[record.key].append(record)
        return by_key

    @cached_property
    def dead_letter_ids(self) -> set[UUID]:
        """Ids of orders and changes in dead letters, also in those that cannot be parsed."""
        return {
            id_
            for letters in self.dead_letters.values()
            for letter in letters.by_origin.values()
            for id_ in _ids_in(letter.value)
        }

    def is_dead_letter(self, service: str, record: Any) -> bool:
        """Whether this record is a dead letter of a service."""
        where = (record.topic, record.partition, record.offset)
        return where in self.dead_letters[service].by_origin

    def complete_since(self, topic: str) -> datetime:
        """The time (UTC) after which no record of this topic has expired."""
        return self._oldest_append_times.get(topic, datetime.min.replace(tzinfo=UTC))

    @cached_property
    def _oldest_append_times(self) -> dict[str, datetime]:
        first: dict[tuple[str, int], KafkaRecord] = {}
        for record in self.dump.records:
            first.setdefault((record.topic, record.partition), record)
        oldest_kept: dict[str, datetime] = {}
        for partition in self.dump.partitions:
            if partition.begin > 0:
                oldest = first.get((partition.topic, partition.partition))
                since = append_time(oldest.timestamp) if oldest else self.dump.taken_at
                topic = _plain(partition.topic)
                oldest_kept[topic] = max(since, oldest_kept.get(topic, since))
        return oldest_kept

    @staticmethod
    def _by_order(
        kind: type[object], messages: Iterable[ParsedRecord]
    ) -> dict[UUID, list[ParsedRecord]]:
        by_order: dict[UUID, list[ParsedRecord]] = defaultdict(list)
        for message in messages:
            if isinstance(message.body, kind):
                by_order[message.body.order_id].append(message)  # type: ignore[attr-defined]
        return by_order


def _notes(journal: str) -> tuple[Note, ...]:
    try:
        return read_journal(journal)
    except JournalUnreadable:
        # journal_differs reports that its notes are missing.
        return ()


def _ids_in(value: bytes | None) -> Iterable[UUID]:
    for text in _ID_FIELD.findall(value or b""):
        try:
            yield UUID(text.decode())
        except ValueError:
            # 36 digits and dashes need not be a UUID.
            continue
