"""What `herhaal revoke` does: a record that every service reads."""

from datetime import UTC, datetime, timedelta

import typer
from pydantic import ValidationError

from cli.console import print_plain, stdout
from cli.kafka import ask
from cli.publish import publisher, record_of
from schemas.records.access import AccessRevoked, WhyRevoked
from schemas.topics import ACCESS_REVOCATIONS


def run_revoke(kafka: str, sub: str, why: str) -> None:
    """Revoke somebody's tokens and say so.

    Raises:
        typer.BadParameter: `sub` is none.
        UserError: Kafka is unavailable or refuses.
    """
    try:
        revoked = AccessRevoked(
            sub=sub, not_before=rounded_up(datetime.now(UTC)), why=WhyRevoked(why)
        )
    except ValidationError:
        raise typer.BadParameter("SUB has 1 to 100 characters, and one that people see.") from None
    ask(kafka, _publish(kafka, revoked))
    until = revoked.not_before.isoformat().replace("+00:00", "Z")
    print_plain(stdout(), f"Tokens of {sub} that were issued until {until} are refused.")


def rounded_up(at: datetime) -> datetime:
    """The next whole second, or this one: a token says in whole seconds when it was issued."""
    return (at + timedelta(seconds=1) - timedelta(microseconds=1)).replace(microsecond=0)


async def _publish(kafka: str, revoked: AccessRevoked) -> None:
    record = record_of(ACCESS_REVOCATIONS, revoked, revoked.not_before.isoformat())
    async with publisher(kafka) as producer:
        await producer.send(record)
