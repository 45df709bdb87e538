"""The audit of rebuilds: a record on the operators' topic and a line on the screen for each."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.audit import Signature, accountable, line_of, record_of
from cli.dead_letters.kafka import Writer
from runtime.rebuild.declaration import Difference
from schemas.records.operators import OperatorRebuild

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
    """Write an audit record; return its line.

    Raises:
        UserError: the name or the reason is too long.
        KafkaError, TimeoutError: Kafka is unavailable or refuses.
    """
    done = _action(service, signed, result, accept_loss, differences)
    async with Writer.open(kafka) as writer:
        await writer.send(record_of(done))
    return line_of(done, f"rebuild {done.service}")


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
    with accountable():
        return OperatorRebuild(
            service=service,
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result,
            accept_loss=accept_loss,
            **(rows or {}),
        )
