"""Wait until every service is steady after a fault: ready, with one member in its group."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

from deploy.local import LocalStack
from deploy.local.processes.services import readyz_probe
from deploy.local.processes.supervisor import Probe
from runtime.kafka.clients import admin
from runtime.kafka.group_members import members
from schemas.topics import SERVICES


async def until_steady(
    stack: LocalStack, within_s: float = 90.0, probes: Mapping[str, Probe] | None = None
) -> float:
    """Wait until each service is ready and its group has one member; return the seconds that it took.

    `probes` are for services that listen elsewhere than the stack's own. Fails with the remaining problems
    after `within_s` seconds.
    """
    asked = probes or {name: readyz_probe(stack.ports.services[name]) for name in SERVICES}
    began_s = time.monotonic()
    while problems := await _problems(stack.kafka, asked):
        assert time.monotonic() - began_s < within_s, problems
        await asyncio.sleep(0.5)
    return time.monotonic() - began_s


async def _problems(kafka: str, probes: Mapping[str, Probe]) -> list[str]:
    found = [f"{name}: {why}" for name, probe in probes.items() if (why := await probe())]
    async with admin(kafka) as client:
        counts = Counter(member.service for member in await members(client, SERVICES))
    return found + [f"{name}: {counts[name]} members" for name in SERVICES if counts[name] != 1]
