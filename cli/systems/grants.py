"""What a system may do in Kafka: given before its directory entry is published, taken away after."""

from runtime.kafka.access_control import apply_access, revoke
from runtime.kafka_address import Address
from schemas.grants import system_grants
from schemas.records.directory import System


def asks_who_connects(kafka: str) -> bool:
    """Whether this Kafka asks who connects, so that it has access lists."""
    return Address.parse(kafka).user is not None


async def grant(kafka: str, system: System) -> None:
    """Give a system the access lists that it should have. Raises AccessControlFailed."""
    if asks_who_connects(kafka):
        await apply_access(kafka, {*system_grants(system)}, prune=False)


async def revoke_left_over(kafka: str, system: System) -> None:
    """Take away the access lists that a system should not have any more. Raises AccessControlFailed."""
    if asks_who_connects(kafka):
        await revoke(kafka, system.name, keep={*system_grants(system)})
