"""Who is in each service's consumer group: its members, by the names that their processes give themselves."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, for_code

_ATTEMPTS = 20
_AGAIN_S = 0.25
_LOADING = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError)

_CLIENT_ID = re.compile(r"herhaal-[a-z]+-(?P<host>.+)-\d+-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a service's group; `client_id` is what its process calls itself, unique per process."""

    service: str
    client_id: str

    @property
    def host(self) -> str:
        """The host that the client id names; the whole client id when it is not one of our workers'."""
        match = _CLIENT_ID.fullmatch(self.client_id)
        return match["host"] if match else self.client_id


async def members(client: AIOKafkaAdminClient, services: Iterable[str]) -> tuple[Member, ...]:
    """The members of these services' groups, in order. Raises KafkaError when Kafka is away or refuses."""
    found = [member for service in services for member in await _of(client, service)]
    return tuple(sorted(found, key=lambda member: (member.service, member.client_id)))


def processes_twice(found: Iterable[Member]) -> list[Member]:
    """One member for each process that is in its group more than once."""
    return [member for member, count in Counter(found).items() if count > 1]


def by_host(found: Iterable[Member]) -> dict[str, int]:
    """How many members each host has; several are what several workers on a host look like."""
    return dict(sorted(Counter(member.host for member in found).items()))


async def _of(client: AIOKafkaAdminClient, service: str) -> list[Member]:
    for _ in range(_ATTEMPTS):
        try:
            return await _described(client, service)
        except _LOADING:
            await asyncio.sleep(_AGAIN_S)
    return await _described(client, service)


async def _described(client: AIOKafkaAdminClient, service: str) -> list[Member]:
    # One group a request: aiokafka 0.14 decodes an answer on several wrongly, from version 3 on.
    (response,) = await client.describe_consumer_groups([service])
    (group,) = response.to_object()["groups"]
    if group["error_code"]:
        raise for_code(group["error_code"])(service)
    return [Member(service, member["client_id"]) for member in group["members"]]
