"""One batch: from records to messages, and from messages to outputs and timers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import structlog

from runtime.loop.handler import Decider, Rejected, W
from runtime.messages.dead_letters import dead_letter
from runtime.messages.message import Message, Outgoing, Record, Timer
from runtime.messages.parser import Misplaced, Parser, Unreadable
from schemas.topics import DEFAULT_MAX_BYTES, max_bytes

log = structlog.get_logger()

Where = tuple[str, int, int]

_LARGE = DEFAULT_MAX_BYTES // 2


class HandlerFailed(Exception):
    """A service's `handle` raised on one record; `kind` is the type of what it raised."""

    reason = "handler_failed"

    def __init__(self, where: Where, kind: str) -> None:
        super().__init__(kind)
        self.where = where
        self.kind = kind


class ResultTooLarge(HandlerFailed):
    """An output is larger than its topic takes; `kind` is that topic."""

    reason = "result_too_large"


class SavingFailed(Exception):
    """A service's `save` raised on a record of the batch; `kind` is the type of what it raised."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class Batch:
    """What was decided and is saved together: outputs and timers by partition of the input."""

    outputs: dict[int, list[Outgoing]] = field(default_factory=dict)
    timers: list[tuple[int, Timer]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    def output(self, partition: int, records: Iterable[Outgoing]) -> None:
        """Publish these for an input of `partition`, after the outputs before them."""
        self.outputs.setdefault(partition, []).extend(records)


class Deciding(Generic[W]):
    """A service's parser and handler over the records of a batch."""

    def __init__(self, service: str, parser: Parser, handler: Decider[W]) -> None:
        self._service = service
        self._parser = parser
        self._handler = handler

    def parse(
        self, records: Sequence[Record], poison: Mapping[Where, Unreadable], batch: Batch
    ) -> list[Message[Any]]:
        """Parse records; for those that are no message, or `poison`, the batch gets dead letters."""
        messages: list[Message[Any]] = []
        for record in records:
            refused = poison.get(where_of(record)) if poison else None
            parsed = refused or self._read(record)
            match parsed:
                case Message():
                    messages.append(parsed)
                case Misplaced():
                    # Its key belongs to another partition: send it there unchanged.
                    moved = Outgoing(record.topic, record.key, record.value, list(record.headers))
                    batch.output(record.partition, (moved,))
                case Unreadable():
                    self._bury(record, parsed, batch)
        return messages

    def _read(self, record: Record) -> Message[Any] | Unreadable | Misplaced:
        try:
            return self._parser.parse(record)
        except Exception as error:
            # A model that raises instead of refusing is our mistake, and costs one record, not the batch.
            log.error("parser failed", exc_info=error)
            return Unreadable("parser_failed", kind_of(error))

    def handle(self, messages: list[Message[Any]], work: W, batch: Batch) -> None:
        """Handle messages in order and add what follows to `batch`; empties the list.

        Raises:
            HandlerFailed: the handler raised.
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
            if isinstance(handled, Rejected):
                self._bury(message.record, Unreadable(handled.reason, handled.detail), batch)
                continue
            partition = message.partition
            if handled.records:
                _refuse_oversize(handled.records, message)
                batch.output(partition, handled.records)
            if handled.timers:
                batch.timers.extend((partition, timer) for timer in handled.timers)
            if handled.cancelled:
                batch.cancelled.extend(handled.cancelled)

    def _bury(self, record: Record, why: Unreadable, batch: Batch) -> None:
        batch.output(record.partition, (dead_letter(self._service, record, why),))
        batch.dead.append(why.reason)


def _refuse_oversize(records: Iterable[Outgoing], message: Message[Any]) -> None:
    for record in records:
        # Most records are far smaller; only the others are measured exactly.
        if record.value and len(record.value) > _LARGE and record.size > max_bytes(record.topic):
            raise ResultTooLarge(where_of(message.record), record.topic)


def where_of(record: Record) -> Where:
    """Where a record is: topic, partition, offset."""
    return (record.topic, record.partition, record.offset)


def kind_of(error: BaseException) -> str:
    """The name of an error's type, which is all of it that may be shown."""
    # Never the message of an exception: a database error quotes the row, which is patient data.
    if isinstance(error, HandlerFailed | SavingFailed):
        return error.kind
    return type(error).__name__
