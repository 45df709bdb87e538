"""Whom a request can concern: a patient with an order, of one's own or of somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import httpx

from cli.directory import apply_directory, read_directory
from deploy.local import LocalStack
from samples.codes import pharmacy_code, practice_code
from schemas.access import Party
from schemas.records.directory import Directory
from tests.harness.kafka import eventually
from tests.harness.made import GP, PHARMACY, PRACTICE, a_patient, an_order, as_json, entry
from tests.integration.conftest import EXAMPLE

REGION = "Lindewaard"
OTHER_PRACTICE = practice_code(900)
OTHER_PHARMACY = pharmacy_code(2)
OTHER_REGION = "Elders"

WAIT = {"prefer": "wait=20"}


class Asked(StrEnum):
    """Whose it is that is asked for: `none` is one's own, with a token that names nothing."""

    OWN = "own"
    OTHER_PRACTICE = "other-practice"
    """Of another practice, in another region, with another pharmacy."""
    OTHER_PATIENT = "other-patient"
    """Of another patient, with the same practice and pharmacy."""
    NONE = "none"


@dataclass(frozen=True)
class Place:
    """A patient with an order, at a practice and a pharmacy."""

    patient: str
    practice: str
    pharmacy: str
    order_id: UUID


Places = Mapping[Asked, Place]


def nowhere() -> Place:
    """What never was: no such patient, practice, pharmacy or order."""
    return Place(a_patient(), practice_code(998), pharmacy_code(998), uuid4())


async def made_places(stack: LocalStack, bare: httpx.AsyncClient) -> Places:
    """Make the places: each patient has an overview, an approved order and a message about it."""
    await _other_practice_is_in_its_region(stack, bare)
    own = await _made(stack, bare, PRACTICE, PHARMACY)
    return {
        Asked.OWN: own,
        Asked.NONE: own,
        Asked.OTHER_PATIENT: await _made(stack, bare, PRACTICE, PHARMACY),
        Asked.OTHER_PRACTICE: await _made(stack, bare, OTHER_PRACTICE, OTHER_PHARMACY),
    }


async def _made(stack: LocalStack, bare: httpx.AsyncClient, practice: str, pharmacy: str) -> Place:
    order = an_order(a_patient(), practice=practice, pharmacy=pharmacy)
    own = f"/patients/{order.patient}"
    ordering, medication = stack.endpoints["ordering"], stack.endpoints["medication"]
    portal = _bearer(stack, Party.PORTAL, serves=(practice,))
    system = _bearer(stack, Party.PRACTICE_SYSTEM, serves=(practice,))
    overview = {"practice": practice, "medications": [as_json(entry())], "by": as_json(GP)}
    imported = await bare.put(
        f"{medication}{own}/overview", json=overview, headers={**system, **WAIT}
    )
    assert imported.status_code == 200, imported.text
    placed = await bare.post(f"{ordering}/orders", json=as_json(order), headers={**portal, **WAIT})
    assert placed.status_code == 200, placed.text

    async def state() -> Any:
        url = f"{ordering}/orders/{order.order_id}"
        return (await bare.get(url, headers=portal)).json()["state"]

    async def messages() -> Any:
        url = f"{stack.endpoints['notification']}{own}/messages"
        return (await bare.get(url, headers=portal)).json()["messages"]

    await eventually(state, lambda seen: seen == "approved")
    await eventually(messages, bool)
    return Place(order.patient, practice, pharmacy, order.order_id)


async def _other_practice_is_in_its_region(stack: LocalStack, bare: httpx.AsyncClient) -> None:
    """Put the other practice in the directory, and wait until metrics knows its region."""
    like = read_directory(EXAMPLE).practices[0]
    other = like.model_copy(update={"agb": OTHER_PRACTICE, "region": OTHER_REGION})
    await apply_directory(stack.kafka, Directory(practices=(other,), pharmacies=()))
    url = f"{stack.endpoints['metrics']}/practices/{OTHER_PRACTICE}/orders"
    region = _bearer(stack, Party.REGION, region=OTHER_REGION)
    await eventually(
        lambda: bare.get(url, headers=region), lambda answer: answer.status_code == 200
    )


def _bearer(stack: LocalStack, role: Party, **scope: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {stack.token(role, **scope)}"}
