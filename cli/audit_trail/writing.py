"""The keys of the audit trail, and the entries of operators' commands."""

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from cli.console import UserError
from runtime.audit.chain import AuditKey
from runtime.audit.entry import Channel, Entry, Outcome
from runtime.audit_log import seal
from runtime.kafka.producer import Producer
from runtime.postgres import audit
from runtime.postgres.audit import ChainWriter
from runtime.postgres.connection import Connection
from schemas.access import Party


def audit_keys(given: Path | None, of_stack: Path) -> tuple[AuditKey, ...]:
    """Read the keys from the given file, else from the environment, else from the stack's. Raises UserError."""
    file = given or of_stack
    text = None if given else os.environ.get("HERHAAL_AUDIT_KEY")
    try:
        keys = tuple(AuditKey.read(each) for each in (text or file.read_text()).split())
    except OSError as error:
        raise UserError(
            f"The audit key {file} cannot be read ({error.strerror}): name one with --key-file, or set"
            " HERHAAL_AUDIT_KEY."
        ) from error
    except ValueError as error:
        raise UserError(f"The audit key cannot be used: {error}.") from None
    if not keys:
        raise UserError(f"{file} holds no audit key.")
    return keys


async def write_announced(
    db: Connection, producer: Producer, service: str, key: AuditKey, entry: Entry
) -> None:
    """Write an entry into a service's trail, as a chain of its own, and say on Kafka that it is there.

    Raises NotPublished when Kafka does not take it: the entry is there, and may be written once more.
    """
    chain = ChainWriter(uuid4(), key)
    async with db.transaction():
        await chain.append(db, [entry])
    head = await audit.announce(db, chain.writer)
    assert head is not None, "a chain that was just begun has grown"
    await producer.send(seal(service, chain.writer, head))


def by_operator(
    by: str, action: str, patient: str | None, why: str, practice: str | None = None
) -> Entry:
    """The entry of a command, now; `why` are the operator's own words."""
    return Entry(
        at=datetime.now(UTC),
        role=Party.OPERATOR,
        actor=by[:100],
        patient=patient,
        practice=practice,
        action=action,
        channel=Channel.CLI,
        outcome=Outcome.ALLOWED,
        purpose=why[:200] or None,
    )
