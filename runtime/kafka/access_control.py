"""Kafka's access lists and users: compares them with what is wanted, and changes them.

With librdkafka's admin client, as aiokafka's has no requests for either. For the command line, which connects
as a superuser; a service never needs it.
"""

import asyncio
from collections.abc import Collection, Iterable, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from runtime.errors import CannotRun
from runtime.kafka_address import librdkafka_options
from schemas.grants import Grant, Operation, Resource

TIMEOUT_S = 10.0
ITERATIONS = 4096
"""Of SCRAM, the fewest that Kafka takes: our passwords are random, so guessing is hopeless anyway."""

T = TypeVar("T")


class AccessControlFailed(CannotRun):
    """Kafka does not answer, or refuses to show or change who may do what."""


@dataclass(frozen=True)
class AccessPlan:
    """Access lists to add, and those that nothing asks for: kept until somebody says to remove them."""

    add: Collection[Grant] = ()
    left_over: Collection[str] = ()

    @property
    def empty(self) -> bool:
        """Whether the access lists are as wanted."""
        return not (self.add or self.left_over)


async def plan_access(kafka: str, wanted: Collection[Grant]) -> AccessPlan:
    """Compare the access lists with those wanted. Raises AccessControlFailed."""
    return _compared(await _bindings(_admin(kafka)), wanted)


async def apply_access(kafka: str, wanted: Collection[Grant], *, prune: bool) -> AccessPlan:
    """Add what is missing, and with `prune` remove what is left over; return the plan.

    Raises:
        AccessControlFailed: Kafka does not answer or refuses; earlier changes are not undone.
    """
    admin = _admin(kafka)
    present = await _bindings(admin)
    plan = _compared(present, wanted)
    if plan.add:
        await _all(admin.create_acls([_binding(grant) for grant in plan.add]).values())
    if prune:
        await _remove(admin, present - {_binding(grant) for grant in wanted})
    return plan


def _compared(present: Set[AclBinding], wanted: Collection[Grant]) -> AccessPlan:
    needed = {_binding(grant): grant for grant in wanted}
    return AccessPlan(
        sorted(grant for binding, grant in needed.items() if binding not in present),
        sorted(_described(binding) for binding in present - needed.keys()),
    )


async def revoke(kafka: str, principal: str, keep: Collection[Grant] = ()) -> None:
    """Take away a principal's access lists but these; what is connected has lost them too.

    Raises:
        AccessControlFailed: Kafka does not answer or refuses; run it again.
    """
    admin = _admin(kafka)
    own = {b for b in await _bindings(admin) if b.principal == f"User:{principal}"}
    await _remove(admin, own - {_binding(grant) for grant in keep})


async def remove_user(kafka: str, user: str) -> None:
    """Take away a user's password. Raises AccessControlFailed."""
    admin = _admin(kafka)
    if user in await _users(admin):
        deletion = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)
        await _all(admin.alter_user_scram_credentials([deletion]).values())


async def set_password(kafka: str, user: str, password: str) -> None:
    """Make a user, or give it another password. Raises AccessControlFailed."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    upsertion = UserScramCredentialUpsertion(user, info, password.encode())
    admin = _admin(kafka)
    await _all(admin.alter_user_scram_credentials([upsertion]).values())


async def users(kafka: str) -> set[str]:
    """List the users that have a password. Raises AccessControlFailed."""
    return await _users(_admin(kafka))


async def _users(admin: AdminClient) -> set[str]:
    described: dict[str, Any] = await _result(admin.describe_user_scram_credentials())
    return set(described)


def _admin(kafka: str) -> AdminClient:
    """Make a client. Keep it while it works: one that is dropped ends its requests."""
    options = librdkafka_options(kafka) | {
        "socket.timeout.ms": int(TIMEOUT_S * 1000),
        # It would print each failed attempt.
        "log_level": 0,
    }
    return AdminClient(options)


async def _bindings(admin: AdminClient) -> set[AclBinding]:
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,
        ResourcePatternType.ANY,
        None,
        None,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return set(await _result(admin.describe_acls(everything)))


async def _remove(admin: AdminClient, bindings: Iterable[AclBinding]) -> None:
    filters = [
        AclBindingFilter(
            b.restype,
            b.name,
            b.resource_pattern_type,
            b.principal,
            b.host,
            b.operation,
            b.permission_type,
        )
        for b in bindings
    ]
    if filters:
        await _all(admin.delete_acls(filters).values())


def _binding(grant: Grant) -> AclBinding:
    return AclBinding(
        {Resource.TOPIC: ResourceType.TOPIC, Resource.GROUP: ResourceType.GROUP}[grant.resource],
        grant.name,
        ResourcePatternType.PREFIXED if grant.prefix else ResourcePatternType.LITERAL,
        f"User:{grant.principal}",
        "*",
        {Operation.READ: AclOperation.READ, Operation.WRITE: AclOperation.WRITE}[grant.operation],
        AclPermissionType.ALLOW,
    )


def described(grant: Grant) -> str:
    """Describe an access list in words: `user:ordering: allow read topic orders.requests`."""
    return _described(_binding(grant))


def _described(binding: AclBinding) -> str:
    what = f"{binding.permission_type.name} {binding.operation.name} {binding.restype.name}"
    prefix = "*" if binding.resource_pattern_type is ResourcePatternType.PREFIXED else ""
    return f"{binding.principal}: {what} {binding.name}{prefix}".lower()


async def _all(futures: "Iterable[Future[Any]]") -> None:
    for future in futures:
        await _result(future)


async def _result(future: "Future[T]") -> T:
    try:
        async with asyncio.timeout(2 * TIMEOUT_S):
            return await asyncio.wrap_future(future)
    except (KafkaException, TimeoutError) as error:
        why = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
        raise AccessControlFailed(f"Kafka's access lists: {why}") from error
