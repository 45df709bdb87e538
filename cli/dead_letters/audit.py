"""The audit of actions on dead letters: a record on Kafka and a line on the screen for each."""

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

_IN_FLIGHT = 500
"""Audit records that are sent before the first acknowledgement is awaited."""


def action(
    name: str,
    service: str,
    letter: LetterId,
    signed: Signature,
    result: Result,
    landed: Place | None = None,
) -> OperatorAction:
    """Make the audit body of one action, now. Raises UserError for a name or reason that is too long."""
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
    """Write actions to the audit; return the screen line of each.

    Raises:
        KafkaError, TimeoutError: Kafka is unavailable or refuses; then the action must not be done.
    """
    done = list(actions)
    for start in range(0, len(done), _IN_FLIGHT):
        part = done[start : start + _IN_FLIGHT]
        await asyncio.gather(*(writer.send(record_of(one, one.letter, one.action)) for one in part))
    return [line(one) for one in done]


async def history(reader: Reader, service: str) -> tuple[list[OperatorAction], int]:
    """Read the actions on a service's letters, in order, and count the unreadable audit records."""
    parser = Parser.of([OPERATORS_AUDIT])
    actions: list[OperatorAction] = []
    unreadable = 0
    topic = OPERATORS_AUDIT.name
    async for record in reader.read(topic, await reader.ends(topic)):
        message = parser.parse(record)
        if not isinstance(message, Message):
            unreadable += 1
        elif isinstance(message.body, OperatorAction) and message.body.service == service:
            actions.append(message.body)
    return actions, unreadable


def line(done: OperatorAction) -> str:
    """Format an action for the screen: who did what to which letter, why, and the result."""
    what = f"{done.action} {done.service} {done.letter}"
    return line_of(done, what, f" at {done.landed}" if done.landed else "")
