"""The audit of rebuilds: a record each on the operators' topic, and a line on the screen."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.console import UserError
from cli.dlq.audit import SOURCE, Signature
from cli.dlq.kafka import Writer
from runtime.rebuild.declared import Difference
from runtime.records import Outgoing, event_id, outgoing
from schemas.operators import OperatorRebuild
from schemas.topics import OPERATORS_AUDIT

ASKED = "asked"
SWITCHED = "switched"
REFUSED = "refused"


async def keep(
    kafka: str,
    service: str,
    signed: Signature,
    result: str,
    *,
    accept_loss: bool,
    differences: Sequence[Difference] | None = None,
) -> str:
    """Write this to the audit; its line.

    Raises:
        UserError: the name or the reason is too long.
        KafkaError, TimeoutError: Kafka is away or refuses.
    """
    done = _action(service, signed, result, accept_loss, differences)
    async with Writer.open(kafka) as writer:
        await writer.send(_record(done))
    at = done.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    why = done.why or "no reason given"
    return f"audit: {at} rebuild {done.service} by {done.by} ({why}): {done.result}"


def _action(
    service: str,
    signed: Signature,
    result: str,
    accept_loss: bool,
    differences: Sequence[Difference] | None,
) -> OperatorRebuild:
    rows = differences and {
        "added": sum(d.added for d in differences),
        "changed": sum(d.changed for d in differences),
        "gone": sum(d.gone for d in differences),
    }
    try:
        return OperatorRebuild(
            service=service,
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result,
            accept_loss=accept_loss,
            **(rows or {}),
        )
    except ValueError:
        raise UserError(
            "A name (--by) has 1 to 200 characters, a reason at most 2000, and neither U+0000."
        ) from None


def _record(done: OperatorRebuild) -> Outgoing:
    return outgoing(
        OPERATORS_AUDIT.name,
        done,
        key=done.service,
        id=event_id(done.TYPE, done.service, done.result, done.at.isoformat()),
        source=SOURCE,
        subject=done.service,
        at=done.at,
        traceparent=None,
    )
