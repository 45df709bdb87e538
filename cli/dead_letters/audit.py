"""The audit of what operators do to dead letters: a record each, on Kafka, and a line on the screen."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from cli.audit import Signature, accountable, line_of, record_of
from cli.dead_letters.kafka import Reader, Writer
from cli.dead_letters.letters import LetterId, Place
from cli.dead_letters.status import Result
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from schemas.records.operators import OperatorAction
from schemas.topics import OPERATORS_AUDIT

_AT_A_TIME = 500


def action(
    name: str,
    service: str,
    letter: LetterId,
    signed: Signature,
    result: Result,
    landed: Place | None = None,
) -> OperatorAction:
    """The audit's record of one action, now. Raises UserError for a name or reason that is too long."""
    with accountable():
        return OperatorAction(
            action=name,
            service=service,
            letter=str(letter),
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result.value,
            landed=None if landed is None else str(landed),
        )


async def keep(writer: Writer, actions: Iterable[OperatorAction]) -> list[str]:
    """Write these to the audit; the line of each.

    Raises:
        KafkaError, TimeoutError: Kafka is away or refuses; then the action must not be done.
    """
    done = list(actions)
    for start in range(0, len(done), _AT_A_TIME):
        some = done[start : start + _AT_A_TIME]
        await asyncio.gather(*(writer.send(record_of(one, one.letter, one.action)) for one in some))
    return [line(one) for one in done]


async def history(reader: Reader, service: str) -> tuple[list[OperatorAction], int]:
    """What was done to a service's letters, in order, and how many records could not be read."""
    parser = Parser.of([OPERATORS_AUDIT])
    found: list[OperatorAction] = []
    unreadable = 0
    topic = OPERATORS_AUDIT.name
    async for record in reader.read(topic, await reader.ends(topic)):
        message = parser.parse(record)
        if not isinstance(message, Message):
            unreadable += 1
        elif isinstance(message.body, OperatorAction) and message.body.service == service:
            found.append(message.body)
    return found, unreadable


def line(done: OperatorAction) -> str:
    """What the screen says of an action: who did what to which letter, why, and how it ended."""
    what = f"{done.action} {done.service} {done.letter}"
    return line_of(done, what, f" at {done.landed}" if done.landed else "")
