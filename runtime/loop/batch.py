"""Processes one batch: records to messages, messages to outputs and timers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import structlog

from runtime.audit.entry import Entry
from runtime.loop.audited import audited
from runtime.loop.handler import Decider, Rejected, W
from runtime.messages.dead_letters import dead_letter
from runtime.messages.message import Message, Outgoing, Record, Timer
from runtime.messages.parser import Misplaced, Parser, Unreadable
from schemas.topic_lookup import max_bytes
from schemas.topics import DEFAULT_MAX_BYTES

log = structlog.get_logger()

Where = tuple[str, int, int]

_LARGE = DEFAULT_MAX_BYTES // 2


class HandlerFailed(Exception):
    """A service's `handle` raised for one record; `kind` is the exception's type name."""

    reason = "handler_failed"

    def __init__(self, where: Where, kind: str) -> None:
        super().__init__(kind)
        self.where = where
        self.kind = kind


class ResultTooLarge(HandlerFailed):
    """An output is larger than its topic allows; `kind` is that topic."""

    reason = "result_too_large"


class SavingFailed(Exception):
    """A service's `save` raised for the batch; `kind` is the exception's type name."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class BatchResult:
    """Results of a batch, saved together; outputs and timers by input partition."""

    outputs: dict[int, list[Outgoing]] = field(default_factory=dict)
    timers: list[tuple[int, Timer]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    audited: list[Entry] = field(default_factory=list)

    def output(self, partition: int, records: Iterable[Outgoing]) -> None:
        """Append outputs of an input record of `partition`."""
        self.outputs.setdefault(partition, []).extend(records)


class BatchProcessor(Generic[W]):
    """Runs a service's parser and handler over the records of a batch."""

    def __init__(self, service: str, parser: Parser, handler: Decider[W]) -> None:
        self._service = service
        self._parser = parser
        self._handler = handler

    def parse(
        self, records: Sequence[Record], poison: Mapping[Where, Unreadable], batch: BatchResult
    ) -> list[Message[Any]]:
        """Parse records. Unreadable records and those in `poison` become dead letters in `batch`."""
        messages: list[Message[Any]] = []
        for record in records:
            refused = poison.get(where_of(record)) if poison else None
            parsed = refused or self._read(record)
            match parsed:
                case Message():
                    messages.append(parsed)
                case Misplaced():
                    self._move(record, batch)
                case Unreadable():
                    self._dead_letter(record, parsed, batch)
        return messages

    def _move(self, record: Record, batch: BatchResult) -> None:
        """Republish a misplaced record unchanged, so that the partitioner sends it to its key's partition.

        On a topic that this service may not write, it becomes a dead letter.
        """
        if self._service in self._parser.topic(record.topic).writers:
            moved = Outgoing(record.topic, record.key, record.value, list(record.headers))
            batch.output(record.partition, (moved,))
        else:
            self._dead_letter(record, Unreadable("wrong_partition"), batch)

    def _read(self, record: Record) -> Message[Any] | Unreadable | Misplaced:
        try:
            return self._parser.parse(record)
        except Exception as error:
            # A bug in a model must cost one record, not the batch.
            log.error("parser failed", exc_info=error)
            return Unreadable("parser_failed", kind_of(error))

    def handle(self, messages: list[Message[Any]], work: W, batch: BatchResult) -> None:
        """Handle messages in order and add the results to `batch`. Empties the list.

        Raises:
            HandlerFailed: the handler raised, or an output is too large.
        """
        handle = self._handler.handle
        # Popped, so that each message is freed right after use.
        messages.reverse()
        while messages:
            message = messages.pop()
            try:
                handled = handle(message, work)
            except Exception as error:
                raise HandlerFailed(where_of(message.record), kind_of(error)) from error
            if (entry := audited(message, handled)) is not None:
                batch.audited.append(entry)
            if isinstance(handled, Rejected):
                self._dead_letter(message.record, Unreadable(handled.reason, handled.detail), batch)
                continue
            partition = message.partition
            if handled.records:
                _refuse_oversize(handled.records, message)
                batch.output(partition, handled.records)
            if handled.timers:
                batch.timers.extend((partition, timer) for timer in handled.timers)
            if handled.cancelled:
                batch.cancelled.extend(handled.cancelled)

    def _dead_letter(self, record: Record, why: Unreadable, batch: BatchResult) -> None:
        batch.output(record.partition, (dead_letter(self._service, record, why),))
        batch.dead.append(why.reason)


def _refuse_oversize(records: Iterable[Outgoing], message: Message[Any]) -> None:
    for record in records:
        # `size` is costly; most records are far below the limit.
        if record.value and len(record.value) > _LARGE and record.size > max_bytes(record.topic):
            raise ResultTooLarge(where_of(message.record), record.topic)


def where_of(record: Record) -> Where:
    """Topic, partition and offset of a record."""
    return (record.topic, record.partition, record.offset)


def kind_of(error: BaseException) -> str:
    """The type name of an error, which is safe to log."""
    # An exception's message may contain patient data: a database error quotes the row.
    if isinstance(error, HandlerFailed | SavingFailed):
        return error.kind
    return type(error).__name__
