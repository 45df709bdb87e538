"""Fills a new stack with the example, through the services' APIs, as those who may."""

import asyncio
from datetime import datetime

import httpx
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from cli.console import UserError
from cli.directory import apply_directory, read_directory
from cli.example.contents import CARLA, DIRECTORY, MEDICINES, PEOPLE, STANDS_IN, grant, overviews
from cli.medicines import apply_list, read_list
from cli.people.csv_file import read_people
from deploy.local import LocalStack
from runtime.kafka.global_table import read_table
from schemas.access import Party
from schemas.api.medication import OverviewRequest
from schemas.records.directory import Practice
from schemas.times import AMSTERDAM
from schemas.topics import DIRECTORY_PRACTICES

APPLIED_S = 10
"""Seconds that medication may take to apply an overview."""

_WITHOUT = "Start again, or without it: ./herhaal up --empty."


async def fill_new(stack: LocalStack) -> None:
    """Fill a stack as `fill`, and say so. Raises UserError."""
    stack.report.status("Filling in the example …")
    try:
        if await fill(stack):
            stack.report.info("A new stack: filled with the made-up region of deploy/example.")
    except (KafkaError, OSError, httpx.TransportError) as error:
        raise UserError(
            f"The example cannot be filled in ({type(error).__name__}). {_WITHOUT}"
        ) from error


async def fill(stack: LocalStack) -> bool:
    """Fill a stack with servers of its own, whose directory has no practice yet. Return whether it was filled.

    The directory comes last: what was interrupted is done again at the next start, without harm.

    Raises:
        UserError: a service does not take what it is sent.
        KafkaError, OSError, httpx.TransportError: a server or a service is unavailable or refuses.
    """
    if stack.options.external_kafka or stack.options.external_postgres:
        return False
    if await read_table(stack.kafka, DIRECTORY_PRACTICES, Practice):
        return False
    async with httpx.AsyncClient(timeout=30) as http:
        example = Example(stack, http)
        await asyncio.gather(example.people(), example.overviews())
    await apply_list(stack.kafka, read_list(MEDICINES))
    await apply_directory(stack.kafka, read_directory(DIRECTORY))
    return True


class Example:
    """Sends the example to the services of a stack; all of it may be sent again."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http
        self._today = datetime.now(AMSTERDAM).date()

    async def people(self) -> None:
        """Register everybody, then let Carla stand in for her brothers."""
        practices = {}
        for request in [line.request for line in read_people(PEOPLE)]:
            assert request.practice is not None, "the file was checked"
            practices[request.patient] = request.practice
            await self._send("POST", "notification", "/people", request.practice, request)
        for patient in STANDS_IN:
            path = f"/patients/{patient}/proxies/{CARLA}"
            await self._send("PUT", "notification", path, practices[patient], grant(self._today))

    async def overviews(self) -> None:
        """Import every overview, and wait until they are applied."""
        for patient, request in overviews(self._today):
            await self._import(patient, request)

    async def overview(self, patient: str) -> None:
        """Import the overview of one of them, and wait until it is applied."""
        await self._import(patient, dict(overviews(self._today))[patient])

    async def _import(self, patient: str, request: OverviewRequest) -> None:
        path = f"/patients/{patient}/overview"
        await self._send("PUT", "medication", path, request.practice, request)

    async def _send(
        self, method: str, service: str, path: str, practice: str, body: BaseModel
    ) -> None:
        answer = await self._http.request(
            method,
            f"{self._stack.endpoints[service]}{path}",
            content=body.model_dump_json(exclude_none=True),
            headers=self._headers(practice),
        )
        if answer.status_code != httpx.codes.OK:
            raise UserError(
                f"The example cannot be filled in: {service} answered {answer.status_code}. {_WITHOUT}"
            )

    def _headers(self, practice: str) -> dict[str, str]:
        token = self._stack.token(Party.GP, practice=practice)
        return {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "prefer": f"wait={APPLIED_S}",
        }
