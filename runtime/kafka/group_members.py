"""The members of each service's consumer group, with their client ids."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from runtime.kafka.group_coordinator import retry_without_coordinator

_CLIENT_ID = re.compile(r"herhaal-[a-z]+-(?P<host>.+)-\d+-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a service's consumer group; `client_id` is unique per process."""

    service: str
    client_id: str

    @property
    def host(self) -> str:
        """The host name in the client id; the whole client id if the member is not a worker of ours."""
        match = _CLIENT_ID.fullmatch(self.client_id)
        return match["host"] if match else self.client_id


async def members(client: AIOKafkaAdminClient, services: Iterable[str]) -> tuple[Member, ...]:
    """The members of these services' groups, sorted. Raises KafkaError when Kafka is away or refuses."""
    unsorted: list[Member] = []
    for service in services:
        unsorted += await retry_without_coordinator(partial(_described, client, service))
    return tuple(sorted(unsorted, key=lambda member: (member.service, member.client_id)))


def duplicate_processes(members: Iterable[Member]) -> list[Member]:
    """The processes that are in their group more than once, as one member each."""
    return [member for member, count in Counter(members).items() if count > 1]


def count_by_host(members: Iterable[Member]) -> dict[str, int]:
    """Count the members per host."""
    return dict(sorted(Counter(member.host for member in members).items()))


async def _described(client: AIOKafkaAdminClient, service: str) -> list[Member]:
    # One group per request: from DescribeGroups version 3 on, aiokafka 0.14 decodes several wrongly.
    (response,) = await client.describe_consumer_groups([service])
    (group,) = response.to_object()["groups"]
    if group["error_code"]:
        raise for_code(group["error_code"])(service)
    return [Member(service, member["client_id"]) for member in group["members"]]
