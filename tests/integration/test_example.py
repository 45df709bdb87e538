"""A new stack is filled with the example, once; then everybody of the login page has something to see."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from cli.directory import read_directory
from cli.example.contents import CARLA, DIRECTORY
from cli.example.fill import Example, fill
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from deploy.local.issuer.people import PEOPLE
from runtime.kafka.global_table import read_table
from schemas.records.directory import Practice
from schemas.records.medicines import NATIONAL, MedicineList
from schemas.topics import DIRECTORY_MEDICINES, DIRECTORY_PRACTICES

ANNA, BRAM, BAS = "pat_example01", "pat_example02", "pat_example03"


@pytest.fixture(scope="module")
async def new(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """Start a stack that is empty."""
    if request.config.getoption("--stack") != "local":
        pytest.skip("only the local stack's own servers are filled")
    async with LocalStack(StackOptions.at(tmp_path_factory.mktemp("new"), free_ports())) as stack:
        await start_everything(stack)
        yield stack


class Somebody:
    """Somebody of the login page."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient, name: str) -> None:
        claims = next(one.claims for one in PEOPLE if one.name == name)
        scope: Any = claims.model_dump(exclude={"role"}, exclude_defaults=True)
        self._bearer = {"authorization": f"Bearer {stack.token(claims.role, **scope)}"}
        self._stack, self._http = stack, http

    async def ask(self, service: str, path: str, **more: Any) -> Any:
        """What a service answers: by GET, or by POST with `json`."""
        url = f"{self._stack.endpoints[service]}{path}"
        method = "POST" if more else "GET"
        answer = await self._http.request(method, url, headers=self._bearer, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_a_new_stack_is_filled_once(new: LocalStack) -> None:
    """Given a stack of which a start was interrupted while it was filled; when it is filled, and again as by
    the next start; then everything is there once, and the second time adds not even an audit entry."""
    assert await read_table(new.kafka, DIRECTORY_PRACTICES, Practice) == {}
    async with httpx.AsyncClient(timeout=40) as http:
        await Example(new, http).people()
        assert await fill(new)
        anna = Somebody(new, http, "Anna Voorbeeld")
        overview = await anna.ask("medication", f"/patients/{ANNA}/overview")
        seen = await anna.ask("notification", f"/patients/{ANNA}/audit")
        assert overview["version"] == 1
        assert len(overview["medications"]) == 10
        assert not await fill(new)
        assert await anna.ask("medication", f"/patients/{ANNA}/overview") == overview
        again = await anna.ask("notification", f"/patients/{ANNA}/audit")
    acts = [entry["action"] for entry in seen["entries"]]
    assert [entry["action"] for entry in again["entries"]] == ["audit.read", *acts]
    lists = await read_table(new.kafka, DIRECTORY_MEDICINES, MedicineList)
    assert [(name, list_.version) for name, list_ in lists.items()] == [(NATIONAL, 1)]
    practices = await read_table(new.kafka, DIRECTORY_PRACTICES, Practice)
    assert set(practices) == {entry.agb for entry in read_directory(DIRECTORY).practices}


async def test_carla_acts_for_her_brothers(new: LocalStack) -> None:
    async with httpx.AsyncClient(timeout=40) as http:
        carla = Somebody(new, http, "Carla Voorbeeld")
        found = await carla.ask("notification", f"/proxies/{CARLA}/patients")
        assert [one["patient"] for one in found["patients"]] == [BRAM, BAS]
        for patient in (BRAM, BAS):
            assert (await carla.ask("medication", f"/patients/{patient}/overview"))["medications"]


async def test_the_twins_are_both_found(new: LocalStack) -> None:
    """Given two brothers with the same initial, name and birth date; then their practice finds both."""
    async with httpx.AsyncClient(timeout=40) as http:
        dirk = Somebody(new, http, "Dirk Linde")
        asked = {"surname": "Voorbeeld", "birth_date": "1958-11-30", "why": "order"}
        found = await dirk.ask("notification", "/people/search", json=asked)
    assert {one["patient"] for one in found["people"]} == {BRAM, BAS}
