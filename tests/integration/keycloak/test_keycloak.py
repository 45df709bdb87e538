"""Tokens of a real Keycloak at a running service: access tokens are accepted, and nothing else."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import LocalStack, free_ports
from deploy.local.processes.services import ServiceAddresses, readyz_probe, service_program, url
from deploy.local.processes.supervisor import Child
from tests.harness.kafka import eventually
from tests.harness.made import PHARMACY, PRACTICE
from tests.harness.systems import add_systems
from tests.integration.access.places import SYSTEMS, Maker, Place
from tests.integration.keycloak.keycloak import Keycloak
from tests.integration.keycloak.program import ensure_keycloak, running
from tests.integration.keycloak.realm import GP, OTHER, PATIENT, PORTAL, REGION, STRANGER, realm

pytestmark = pytest.mark.timeout(600)  # the first run downloads and builds

NEW_KEY_S = 20.0


@pytest.fixture(scope="module")
async def bare() -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(timeout=40) as client:
        yield client


@pytest.fixture(scope="module")
async def placed(stack: LocalStack, bare: httpx.AsyncClient) -> Place:
    """A patient with an order at the practice."""
    await add_systems(stack, SYSTEMS)
    return await Maker(stack, bare).place(PRACTICE, PHARMACY)


@pytest.fixture(scope="module")
async def keycloak(
    stack: LocalStack, placed: Place, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Keycloak]:
    """A Keycloak with the realm."""
    home = await ensure_keycloak(stack.report)
    log: Path = tmp_path_factory.mktemp("keycloak") / "keycloak.log"
    port = free_ports().issuer
    async with (
        running(home, port, log, stack.report) as address,
        httpx.AsyncClient(base_url=address, timeout=60) as http,
    ):
        made = Keycloak(http)
        await made.make(realm(placed.patient, "pat_stranger01"))
        yield made


@pytest.fixture(scope="module")
async def ordering(stack: LocalStack, keycloak: Keycloak) -> AsyncIterator[str]:
    """The address of ordering's API with this Keycloak as its only issuer."""
    port = free_ports().services["ordering"]
    issuers = json.dumps([keycloak.issuer])
    servers = ServiceAddresses(
        stack.kafka_as("ordering"), stack.databases["ordering"], "json", issuers
    )
    program = service_program("ordering", "ordering-keycloak", port, "api", servers, stack.data)
    child = Child(program, readyz_probe(port), stack.report)
    await child.start()
    try:
        await child.ready(40)
        yield url(port)
    finally:
        await child.stop(8)


class Asking:
    """Asks ordering for the order."""

    def __init__(self, http: httpx.AsyncClient, address: str, placed: Place) -> None:
        self._http = http
        self._url = f"{address}/orders/{placed.order_id}"

    async def read(self, token: str) -> httpx.Response:
        """Read the order with this token."""
        return await self._http.get(self._url, headers={"authorization": f"Bearer {token}"})

    async def cancel(self, token: str, role: str, id: str) -> httpx.Response:
        """Cancel the order in the name of somebody."""
        body: dict[str, Any] = {"cancelled_by": {"role": role, "id": id}}
        headers = {"authorization": f"Bearer {token}"}
        return await self._http.post(f"{self._url}/cancel", json=body, headers=headers)


@pytest.fixture(scope="module")
def asking(bare: httpx.AsyncClient, ordering: str, placed: Place) -> Asking:
    """Who asks for the order."""
    return Asking(bare, ordering, placed)


@pytest.mark.parametrize(
    ("person", "status"), [(PATIENT, 200), (GP, 200), (STRANGER, 404), (REGION, 403)]
)
async def test_claims_of_protocol_mappers_say_who_may_do_what(
    keycloak: Keycloak, asking: Asking, person: str, status: int
) -> None:
    token = (await keycloak.tokens(person, PORTAL))["access_token"]
    assert (await asking.read(token)).status_code == status


async def test_the_users_id_is_who_acts(keycloak: Keycloak, asking: Asking, placed: Place) -> None:
    token = (await keycloak.tokens(PATIENT, PORTAL))["access_token"]
    assert (await asking.cancel(token, "patient", "pat_stranger01")).status_code == 403
    assert (await asking.cancel(token, "patient", placed.patient)).status_code == 202


async def test_a_system_is_accepted_with_its_client_credentials(
    keycloak: Keycloak, asking: Asking
) -> None:
    assert (await asking.read(await keycloak.of_system())).status_code == 200


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
async def test_another_token_of_the_same_login_is_refused(
    keycloak: Keycloak, asking: Asking, kind: str
) -> None:
    token = (await keycloak.tokens(GP, PORTAL))[kind]
    assert (await asking.read(token)).status_code == 401


async def test_a_token_for_another_client_is_refused(keycloak: Keycloak, asking: Asking) -> None:
    refused = await asking.read((await keycloak.tokens(GP, OTHER))["access_token"])
    assert refused.status_code == 401
    assert 'error_description="audience"' in refused.headers["www-authenticate"]


async def test_a_new_key_is_taken_and_tokens_of_the_old_one_stay_valid(
    keycloak: Keycloak, asking: Asking
) -> None:
    older = (await keycloak.tokens(GP, PORTAL))["access_token"]
    not_remembered = (await keycloak.tokens(GP, PORTAL))["access_token"]
    assert (await asking.read(older)).status_code == 200
    await keycloak.replace_key()
    newer = (await keycloak.tokens(GP, PORTAL))["access_token"]
    assert _header(newer) != _header(older)
    await eventually(
        lambda: asking.read(newer), lambda answer: answer.status_code == 200, NEW_KEY_S
    )
    assert (await asking.read(not_remembered)).status_code == 200


def _header(token: str) -> str:
    """The header of a token, which names its key."""
    return token.partition(".")[0]
