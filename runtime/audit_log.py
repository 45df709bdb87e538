"""The audit trail of one process: writes entries, and announces to Kafka how far it has come."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog

from runtime.audit.chain import AuditKey, Head
from runtime.audit.entry import Entry
from runtime.errors import is_transient
from runtime.http.query_batching import QueryBatcher
from runtime.kafka.producer import NotPublished
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.message import Outgoing
from runtime.postgres import audit
from runtime.postgres.audit import ChainWriter
from runtime.postgres.connection import Connection
from schemas.records.audit import AuditSealed
from schemas.topics import AUDIT_SEALS

log = structlog.get_logger()


class Connections(Protocol):
    """A connection pool."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """Acquire a connection."""


class Sender(Protocol):
    """Publishes records."""

    async def send(self, record: Outgoing) -> None:
        """Publish a record. Raises NotPublished."""


class AuditLog:
    """Writes entries to this process's chain.

    Entries that arrive while others are written share a transaction.
    """

    def __init__(self, service: str, key: AuditKey, connections: Callable[[], Connections]) -> None:
        self.chain = ChainWriter(uuid4(), key)
        self._service = service
        self._connections = connections
        self._batcher: QueryBatcher[Sequence[Entry], None] = QueryBatcher(self._write)
        self._unannounced: Head | None = None

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write entries; they are on the disk when this returns. Raises what the database raises."""
        if entries:
            await self._batcher.run(entries)

    async def append(self, db: Connection, entries: Sequence[Entry]) -> None:
        """Append entries in the transaction of the caller, with what it writes, as its last statement."""
        if entries:
            await self.chain.append(db, entries)

    async def announce(self, connections: Connections, sender: Sender) -> None:
        """Publish the end of the chain if it has grown: rows up to there cannot be taken away unnoticed.

        Without Kafka or the database it is left for the next time.
        """
        try:
            async with connections.acquire() as db:
                # This transaction waits for the disk, and so for the rows before it.
                grown = await audit.announce(db, self.chain.writer)
            self._unannounced = grown or self._unannounced
            if self._unannounced is not None:
                await sender.send(seal(self._service, self.chain.writer, self._unannounced))
                self._unannounced = None
        except Exception as error:
            if not (is_transient(error) or isinstance(error, NotPublished)):
                raise
            log.warning("audit not announced", error=type(error).__name__)

    async def _write(self, groups: Sequence[Sequence[Entry]]) -> list[None]:
        async with self._connections().acquire() as db, db.transaction():
            await self.chain.append(db, [entry for group in groups for entry in group])
        return [None] * len(groups)


def seal(service: str, writer: UUID, head: Head) -> Outgoing:
    """The record that says on Kafka where a writer's chain ends."""
    name = str(writer)
    return outgoing(
        AUDIT_SEALS.name,
        AuditSealed(writer=name, service=service, seq=head.seq, mac=head.mac.hex()),
        key=name,
        id=event_id(AuditSealed.TYPE, name, head.seq),
        source=f"nl.herhaal/{service}",
        subject=name,
        at=datetime.now(UTC),
        traceparent=None,
    )
