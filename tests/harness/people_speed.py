"""How long a register, a look-up and a search of a person take, beside a request that does nearly nothing.

`python -m tests.harness.people_speed [--people N] [--requests N]` on a stack of its own, one request at a time,
in turn with a page of an empty inbox: token, one query, no keys. Prints medians and 99th percentiles in ms, and
the ratio of the medians; then how many people a rotation takes in a second.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from runtime.keyring import KeyFile
from samples.persons import persons
from schemas.access import Party
from schemas.api.people import Person
from services.notification.people.keys import PatientKeys
from services.notification.people.rotate import Rotation
from tests.harness.made import PRACTICE, as_json

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"

Request = Callable[[], Awaitable[httpx.Response]]


class Asked:
    """Requests of an assistant about people who are registered."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient) -> None:
        self._address = stack.endpoints["notification"]
        self._http = http
        token = stack.token(Party.ASSISTANT, practice=PRACTICE)
        self._headers = {"authorization": f"Bearer {token}"}
        self.people: list[tuple[str, Person]] = []

    async def register(self, person: Person) -> httpx.Response:
        """Register a person."""
        return await self._ask("POST", "/people", as_json(person))

    def kinds(self) -> Mapping[str, Request]:
        """The requests that are measured, each about somebody at random."""
        return {
            "empty inbox": lambda: self._ask("GET", f"/patients/{self._one[0]}/messages"),
            "register (known BSN)": lambda: self.register(self._one[1]),
            "look-up": lambda: self._ask("GET", f"/patients/{self._one[0]}/person"),
            "search by BSN": lambda: self._find(bsn=self._one[1].bsn),
            "search by name": lambda: self._find_named(self._one[1]),
        }

    @property
    def _one(self) -> tuple[str, Person]:
        return random.choice(self.people)

    async def _find(self, **by: Any) -> httpx.Response:
        return await self._ask("POST", "/people/search", by | {"why": "order"})

    async def _find_named(self, person: Person) -> httpx.Response:
        born = person.birth_date.isoformat()
        return await self._find(surname=person.surname, birth_date=born)

    async def _ask(self, method: str, path: str, json: Any = None) -> httpx.Response:
        url = self._address + path
        answer = await self._http.request(method, url, json=json, headers=self._headers)
        return answer.raise_for_status()


async def measure(
    folder: Path, count: int, requests: int
) -> tuple[Mapping[str, list[float]], float]:
    """Measure with so many people: ms of each request, by kind; people per second of a rotation."""
    async with LocalStack(StackOptions.at(folder, free_ports())) as stack:
        await start_everything(stack)
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        async with httpx.AsyncClient(timeout=60) as http:
            asked = Asked(stack, http)
            taken: dict[str, list[float]] = {"register (new)": []}
            for person in persons(count, random.Random(1)):
                began_s = time.perf_counter()
                answer = await asked.register(person)
                taken["register (new)"].append((time.perf_counter() - began_s) * 1000)
                asked.people.append((answer.json()["patient"], person))
            for _ in range(requests):
                for kind, request in asked.kinds().items():
                    began_s = time.perf_counter()
                    await request()
                    taken.setdefault(kind, []).append((time.perf_counter() - began_s) * 1000)
        return taken, count / await _rotation_s(stack)


async def _rotation_s(stack: LocalStack) -> float:
    file = KeyFile(stack.data.people / "keyring.json")
    db = await asyncpg.connect(stack.databases["notification"])
    try:
        began_s = time.perf_counter()
        await Rotation(file, PatientKeys(stack.data.people, file), lambda _: None).run(db)
        return time.perf_counter() - began_s
    finally:
        await db.close()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken, per_s = asyncio.run(measure(Path(folder), options.people, options.requests))
    base = statistics.median(taken["empty inbox"])
    for kind, ms in taken.items():
        median, high = statistics.median(ms), statistics.quantiles(ms, n=100)[98]
        sys.stdout.write(f"| {kind} | {median:.1f} | {high:.1f} | {median / base:.1f} |\n")
    sys.stdout.write(f"rotation: {per_s:.0f} people/s\n")


if __name__ == "__main__":
    main()
