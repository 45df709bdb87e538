"""A list is the caller's part of it, page by page: what is not theirs takes no place in it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas.access import Party
from tests.harness.made import PHARMACY, PRACTICE
from tests.harness.systems import system_name
from tests.integration.access.places import (
    OTHER_PHARMACY,
    OTHER_PRACTICE,
    Maker,
    Place,
    bearer,
)


@dataclass(frozen=True)
class Moved:
    """A patient who moved to another practice and pharmacy, with an order from before and one from after."""

    before: Place
    after: Place


@pytest.fixture(scope="module")
async def moved(maker: Maker) -> Moved:
    """Return a patient who moved."""
    before = await maker.place(PRACTICE, PHARMACY)
    return Moved(before, await maker.place(OTHER_PRACTICE, OTHER_PHARMACY, before.patient))


CALLERS: Mapping[str, tuple[Party, dict[str, Any]]] = {
    "gp": (Party.GP, {"practice": PRACTICE}),
    "portal": (Party.PORTAL, {"sub": system_name(Party.PORTAL, PRACTICE)}),
    "pharmacist": (Party.PHARMACIST, {"pharmacy": PHARMACY}),
    "pharmacy-system": (
        Party.PHARMACY_SYSTEM,
        {"sub": system_name(Party.PHARMACY_SYSTEM, PHARMACY)},
    ),
}


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_page_of_orders_is_filled_with_what_the_caller_may_see(
    stack: LocalStack, bare: httpx.AsyncClient, moved: Moved, caller: str
) -> None:
    role, scope = CALLERS[caller]
    for limit in (1, 2):
        answer = await bare.get(
            f"{stack.endpoints['ordering']}/patients/{moved.before.patient}/orders",
            params={"limit": limit},
            headers=bearer(stack, role, **scope),
        )
        ids = [order["order_id"] for order in answer.json()["orders"]]
        assert ids == [str(moved.before.order_id)], limit


async def _inbox(
    stack: LocalStack, bare: httpx.AsyncClient, moved: Moved, role: Party, **request: Any
) -> httpx.Response:
    scope = {"patients": (moved.before.patient,)} if role is Party.PATIENT else CALLERS[role][1]
    return await bare.get(
        f"{stack.endpoints['notification']}/patients/{moved.before.patient}/messages",
        params=request,
        headers=bearer(stack, role, **scope),
    )


@pytest.mark.parametrize("role", [Party.GP, Party.PORTAL])
async def test_a_page_of_messages_is_filled_with_what_the_caller_may_see(
    stack: LocalStack, bare: httpx.AsyncClient, moved: Moved, role: Party
) -> None:
    for limit in (1, 2):
        answer = await _inbox(stack, bare, moved, role, limit=limit)
        ids = [message["order_id"] for message in answer.json()["messages"]]
        assert ids == [str(moved.before.order_id)], limit


async def test_another_practices_message_is_no_page_mark(
    stack: LocalStack, bare: httpx.AsyncClient, moved: Moved
) -> None:
    """It answers as a message that never was."""
    every = (await _inbox(stack, bare, moved, Party.PATIENT)).json()["messages"]
    newest, oldest = every
    assert newest["order_id"] == str(moved.after.order_id)
    hidden, unknown = await asyncio.gather(
        _inbox(stack, bare, moved, Party.GP, before=newest["message_id"]),
        _inbox(stack, bare, moved, Party.GP, before=str(uuid4())),
    )
    assert hidden.status_code == 422
    assert hidden.json() == unknown.json()
    own = await _inbox(stack, bare, moved, Party.GP, before=oldest["message_id"])
    assert own.json()["messages"] == []
