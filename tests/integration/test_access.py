"""The door of the running services: each role reads its own; what is others' answers as what is not there."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from schemas.access import Party
from tests.harness.kafka import eventually
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order, as_json
from tests.integration.ordering_api import OrderingClient

WAIT_S = 20

OWN: dict[Party, dict[str, Any]] = {
    Party.ASSISTANT: {"practice": PRACTICE},
    Party.GP: {"practice": PRACTICE},
    Party.MANAGER: {"practice": PRACTICE},
    Party.PHARMACIST: {"pharmacy": PHARMACY},
    Party.REGION: {"region": "Lindewaard"},
    Party.PORTAL: {"serves": (PRACTICE,)},
    Party.PRACTICE_SYSTEM: {"serves": (PRACTICE,)},
    Party.PHARMACY_SYSTEM: {"serves": (PHARMACY,)},
    Party.OPERATOR: {},
}
OTHER: dict[Party, dict[str, Any]] = {
    Party.ASSISTANT: {"practice": "01999002"},
    Party.GP: {"practice": "01999002"},
    Party.MANAGER: {"practice": "01999002"},
    Party.PHARMACIST: {"pharmacy": "02999002"},
    Party.REGION: {"region": "Elders"},
    Party.PORTAL: {"serves": ("01999002",)},
    Party.PRACTICE_SYSTEM: {"serves": ("01999002",)},
    Party.PHARMACY_SYSTEM: {"serves": ("02999002",)},
}
PEOPLE = (Party.PATIENT, Party.PROXY)


@dataclass(frozen=True)
class Placed:
    """A decided order of a patient, and where its traces are read."""

    patient: str
    order_id: str

    def reads(self) -> dict[str, tuple[str, str, set[Party]]]:
        """By name: the service, the path, and the roles that may read it."""
        care = {Party.ASSISTANT, Party.GP}
        seen = {*PEOPLE, *care, Party.PORTAL}
        pharmacy = {Party.PHARMACIST, Party.PHARMACY_SYSTEM}
        own = f"/patients/{self.patient}"
        return {
            "order": ("ordering", f"/orders/{self.order_id}", seen | pharmacy),
            "orders": ("ordering", f"{own}/orders", seen | pharmacy),
            "overview": ("medication", f"{own}/overview", seen | {Party.PRACTICE_SYSTEM}),
            "messages": ("notification", f"{own}/messages", seen),
            "feed": ("ordering", f"/pharmacies/{PHARMACY}/prescriptions", pharmacy),
            "report": (
                "metrics",
                f"/practices/{PRACTICE}/orders",
                care | {Party.MANAGER, Party.REGION},
            ),
        }


@pytest.fixture
async def placed(stack: LocalStack, http: httpx.AsyncClient) -> Placed:
    """Return an approved order of which the patient has been told."""
    ordering = OrderingClient(stack, http)
    order = an_order(await ordering.patient())
    await ordering.place(order, wait=WAIT_S)
    made = Placed(order.patient, str(order.order_id))

    async def messages() -> list[Any]:
        url = stack.endpoints["notification"] + made.reads()["messages"][1]
        found: list[Any] = (await http.get(url)).json()["messages"]
        return found

    await eventually(messages, bool)
    return made


def bearer(stack: LocalStack, role: Party, **scope: Any) -> dict[str, str]:
    """The header with a token of this role."""
    return {"authorization": f"Bearer {stack.token(role, **scope)}"}


def answered(answer: httpx.Response) -> int:
    """The status; 404 for an empty list, as for a patient whom one may not know."""
    lists = ("orders", "messages")
    empty = answer.status_code == 200 and any(answer.json().get(name) == [] for name in lists)
    return 404 if empty else answer.status_code


@pytest.mark.parametrize("what", ["order", "orders", "overview", "messages", "feed", "report"])
async def test_each_role_reads_its_own_and_nothing_of_others(
    stack: LocalStack, http: httpx.AsyncClient, placed: Placed, what: str
) -> None:
    service, path, may_read = placed.reads()[what]
    url = stack.endpoints[service] + path
    bare = httpx.AsyncClient(timeout=40)
    got: dict[tuple[Party, str], int] = {}
    expected: dict[tuple[Party, str], int] = {}
    own = OWN | {role: {"patients": (placed.patient,)} for role in PEOPLE}
    other = OTHER | {role: {"patients": (a_patient(),)} for role in PEOPLE}
    async with bare:
        assert (await bare.get(url)).status_code == 401
        for scopes, name, allowed in ((own, "own", 200), (other, "other", 404)):
            for role, scope in scopes.items():
                answer = await bare.get(url, headers=bearer(stack, role, **scope))
                got[role, name] = answered(answer)
                expected[role, name] = allowed if role in may_read else 403
    assert got == expected


async def test_who_acts_is_what_the_token_says(
    stack: LocalStack, http: httpx.AsyncClient, placed: Placed
) -> None:
    """Given a patient's token; then an order in another's name is refused, one for another is not there."""
    url = f"{stack.endpoints['ordering']}/orders"
    own = bearer(stack, Party.PATIENT, sub=placed.patient, patients=(placed.patient,))
    mine = as_json(an_order(placed.patient))
    assert (await http.post(url, json=mine, headers=own)).status_code == 202
    forged = mine | {"placed_by": {"role": "assistant", "id": "assistant-1"}}
    refused = await http.post(url, json=forged, headers=own)
    assert (refused.status_code, refused.json()["type"]) == (
        *(403, "urn:herhaal:problem:another-actor"),
    )
    other = as_json(an_order(a_patient()))
    assert (await http.post(url, json=other, headers=own)).status_code == 404
