"""Outside systems of the tests, as the directory names them."""

from collections.abc import Iterable, Mapping
from functools import partial

import httpx

from cli.directory.publish import publish_system
from deploy.local import LocalStack
from runtime.kafka.admin import apply_topics
from samples.codes import practice_code
from schemas.access import Party
from schemas.records.directory import System
from schemas.topic_lookup import topics_of_system
from tests.harness.kafka import eventually

TEST_PORTAL = "test-portal"
"""A portal that serves every practice of the tests."""

_PREFIXES = {
    Party.PORTAL: "portal",
    Party.PRACTICE_SYSTEM: "his",
    Party.PHARMACY_SYSTEM: "ais",
}


def system_name(kind: Party, agb: str) -> str:
    """The name of the system of this kind that serves this practice or pharmacy alone."""
    return f"{_PREFIXES[kind]}-{agb[-3:]}"


def serving(kind: Party, agb: str) -> System:
    """A system that serves this practice or pharmacy alone."""
    serves = "pharmacies" if kind is Party.PHARMACY_SYSTEM else "practices"
    return System.model_validate(
        {
            "name": system_name(kind, agb),
            "kind": kind,
            "contact": "Test",
            "version": 1,
            serves: (agb,),
        }
    )


def portal_of_tests() -> System:
    """The portal that serves every practice of the tests."""
    practices = tuple(map(practice_code, (*range(1, 100), *range(880, 1000))))
    fields = {"name": TEST_PORTAL, "kind": Party.PORTAL, "contact": "Test", "version": 1}
    return System.model_validate(fields | {"practices": practices})


async def add_systems(stack: LocalStack, systems: Iterable[System]) -> None:
    """Put systems in the directory, and wait until every service knows the last one."""
    for system in systems:
        await apply_topics(stack.kafka, topics_of_system(system), 1)
        await publish_system(stack.kafka, system)
    await until_known(stack.endpoints, stack.token(system.kind, sub=system.name))


async def until_known(services: Mapping[str, str], token: str) -> None:
    """Wait until the services at these addresses know the system whose token this is."""
    await eventually(
        partial(at_the_door, services, token), lambda said: not {401, 503} & {*said.values()}
    )


async def at_the_door(services: Mapping[str, str], token: str) -> Mapping[str, int]:
    """Ask each service that systems ask with this token; return the status of its answer by service."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http:
        return {
            service: (
                await http.get(f"{services[service]}/patients/pat_nobody01/{path}")
            ).status_code
            for service, path in _PATHS.items()
        }


_PATHS = {"ordering": "orders", "medication": "overview", "notification": "messages"}
"""What systems ask; the answer is 401 to one that the service does not know, 503 while it knows none."""
