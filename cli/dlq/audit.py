"""The audit of what operators do to dead letters: a record each, on Kafka, and a line on the screen."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.console import UserError
from cli.dlq.kafka import Reader, Writer
from cli.dlq.letters import LetterId, Place
from cli.dlq.standing import Result
from runtime.parsing import Parser
from runtime.records import Message, Outgoing, event_id, outgoing
from schemas.operators import OperatorAction
from schemas.topics import OPERATORS_AUDIT

SOURCE = "nl.herhaal/cli"

_AT_A_TIME = 500


@dataclass(frozen=True)
class Signature:
    """Who acts and why, in the operator's own words."""

    by: str
    why: str


def action(
    name: str,
    service: str,
    letter: LetterId,
    signed: Signature,
    result: Result,
    landed: Place | None = None,
) -> OperatorAction:
    """The audit's record of one action, now. Raises UserError for a name or reason that is too long."""
    try:
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
    except ValueError:
        raise UserError(
            "A name (--by) has 1 to 200 characters, a reason at most 2000, and neither U+0000."
        ) from None


async def keep(writer: Writer, actions: Iterable[OperatorAction]) -> list[str]:
    """Write these to the audit; the line of each.

    Raises:
        KafkaError, TimeoutError: Kafka is away or refuses; then the action must not be done.
    """
    done = list(actions)
    for start in range(0, len(done), _AT_A_TIME):
        some = done[start : start + _AT_A_TIME]
        await asyncio.gather(*(writer.send(_record(one)) for one in some))
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
    at = done.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    landed = f" at {done.landed}" if done.landed else ""
    return (
        f"audit: {at} {done.action} {done.service} {done.letter}"
        f" by {done.by} ({done.why or 'no reason given'}): {done.result}{landed}"
    )


def _record(done: OperatorAction) -> Outgoing:
    what = event_id(
        done.TYPE, done.service, done.letter, done.action, done.result, done.at.isoformat()
    )
    return outgoing(
        OPERATORS_AUDIT.name,
        done,
        key=done.service,
        id=what,
        source=SOURCE,
        subject=done.letter,
        at=done.at,
        traceparent=None,
    )
