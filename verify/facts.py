"""Everything the rules look at, worked out once from a history and a dump."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from runtime.messages.message import append_time
from schemas import topics
from schemas.records.orders import OrderCancel, OrderPlace
from schemas.topics import Topic
from verify.dump import Dump
from verify.fold import Folded, fold
from verify.history import Operation
from verify.read import Fact, TopicRecords, read, read_letters
from verify.rows import Rec

ORDERING, MEDICATION, NOTIFICATION = (
    f"nl.herhaal/{service}" for service in ("ordering", "medication", "notification")
)
_NAMED = re.compile(rb'"(?:order_id|change_id)"\s*:\s*"([0-9a-fA-F-]{36})"')


class Facts:
    """A dump and a history, indexed. `history` is None when nobody wrote one."""

    def __init__(self, history: Sequence[Operation] | None, dump: Dump) -> None:
        self.history = history
        self.dump = dump
        self.by_topic: dict[str, list[Rec]] = defaultdict(list)
        for record in dump.records:
            self.by_topic[record.topic].append(record)
        self.requests = self._read(topics.ORDERS_REQUESTS)
        self.reviews = self._read(topics.ORDERS_REVIEWS)
        self.changes = self._read(topics.MEDICATION_CHANGES)
        self.events = self._read(topics.ORDERS_EVENTS, ORDERING)
        self.overviews = self._read(topics.MEDICATION_STATUS, MEDICATION)
        self.told = self._read(topics.NOTIFICATIONS_EVENTS, NOTIFICATION)
        self.prescriptions = [
            self._read(
                topics.prescriptions(name.removeprefix(topics.PRESCRIPTIONS_PREFIX)), ORDERING
            )
            for name in sorted({span.topic for span in dump.spans})
            if name.startswith(topics.PRESCRIPTIONS_PREFIX)
        ]
        self.letters = {
            service: read_letters(service, self.by_topic[topics.dead_letters(service).name])
            for service in topics.SERVICES
        }

    def _read(self, topic: Topic, writer: str | None = None) -> TopicRecords:
        return read(topic, self.by_topic[topic.name], writer)

    @property
    def inputs(self) -> dict[str, tuple[TopicRecords, ...]]:
        """What each service reads."""
        return {
            "ordering": (self.requests, self.reviews, self.overviews),
            "medication": (self.changes, self.overviews),
            "notification": (self.events,),
            "metrics": (self.events,),
        }

    @property
    def outputs(self) -> tuple[TopicRecords, ...]:
        """The topics that one service alone writes."""
        return (self.events, self.overviews, self.told, *self.prescriptions)

    @cached_property
    def unjudged(self) -> set[UUID]:
        """Orders of which not all events are ordering's own, or still there: nothing can be told of them."""
        since = self.known_since(self.events.topic.name)
        expired = {o.order_id for o in self.dump.ordering.orders if o.placed_at <= since}
        return expired | {fact.body.order_id for fact in self.events.foreign_messages}

    @cached_property
    def events_by_order(self) -> dict[UUID, list[Fact]]:
        """ordering's events of each order, first occurrences, as they are on the topic."""
        found: dict[UUID, list[Fact]] = defaultdict(list)
        for message in self.events.messages:
            if message.body.order_id not in self.unjudged:
                found[message.body.order_id].append(message)
        return found

    @cached_property
    def orders(self) -> dict[UUID, Folded]:
        """Every order that its events tell of."""
        folded = (fold(events) for events in self.events_by_order.values())
        return {order.order_id: order for order in folded if order is not None}

    @cached_property
    def placed(self) -> dict[UUID, list[Fact]]:
        """The requests that place each order, in order."""
        return self._by_order(OrderPlace, self.requests.messages)

    @cached_property
    def cancellations(self) -> dict[UUID, list[Fact]]:
        """The requests that cancel each order, in order."""
        return self._by_order(OrderCancel, self.requests.messages)

    @cached_property
    def reviewed(self) -> dict[UUID, list[Fact]]:
        """The reviews and due times of each order, in order."""
        return self._by_order(object, self.reviews.messages)

    @cached_property
    def review_at(self) -> dict[tuple[int | None, int | None], Fact]:
        """The reviews and due times by partition and offset."""
        return {(m.partition, m.offset): m for m in self.reviews.messages}

    @cached_property
    def applied(self) -> set[UUID]:
        """The changes that medication has carried out."""
        return {row.change_id for row in self.dump.medication.applied}

    @cached_property
    def overviews_of(self) -> dict[str, list[Fact]]:
        """What is on medication.status of each patient, foreign and null ones too, in order."""
        found: dict[str, list[Fact]] = defaultdict(list)
        for message in self.overviews.everything():
            found[message.key].append(message)
        return found

    @cached_property
    def overview_records(self) -> dict[bytes | None, list[Rec]]:
        """All that is on medication.status of each key, repeats too, in order."""
        found: dict[bytes | None, list[Rec]] = defaultdict(list)
        for record in self.by_topic[self.overviews.topic.name]:
            found[record.key].append(record)
        return found

    @cached_property
    def buried(self) -> set[UUID]:
        """Orders and changes that a dead letter names, however unreadable it is."""
        return {
            named
            for letters in self.letters.values()
            for letter in letters.by_origin.values()
            for named in _named(letter.value)
        }

    def is_buried(self, service: str, record: Any) -> bool:
        """Whether a service has put this record among its dead letters."""
        where = (record.topic, record.partition, record.offset)
        return where in self.letters[service].by_origin

    def known_since(self, topic: str) -> datetime:
        """Since when (UTC) this topic still has everything; what is older may have expired."""
        return self._horizons.get(topic, datetime.min.replace(tzinfo=UTC))

    @cached_property
    def _horizons(self) -> dict[str, datetime]:
        first: dict[tuple[str, int], Rec] = {}
        for record in self.dump.records:
            first.setdefault((record.topic, record.partition), record)
        found: dict[str, datetime] = {}
        for span in self.dump.spans:
            if span.begin > 0:
                oldest = first.get((span.topic, span.partition))
                since = append_time(oldest.timestamp) if oldest else self.dump.taken_at
                found[span.topic] = max(since, found.get(span.topic, since))
        return found

    @staticmethod
    def _by_order(kind: type[object], messages: Iterable[Fact]) -> dict[UUID, list[Fact]]:
        found: dict[UUID, list[Fact]] = defaultdict(list)
        for message in messages:
            if isinstance(message.body, kind):
                found[message.body.order_id].append(message)  # type: ignore[attr-defined]
        return found


def _named(value: bytes | None) -> Iterable[UUID]:
    for text in _NAMED.findall(value or b""):
        try:
            yield UUID(text.decode())
        except ValueError:
            # 36 digits and dashes that are no UUID name nothing.
            continue
