"""A policy tried on what really happened: later facts do not count, also after a rebuild."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from deploy.local import LocalStack
from schemas.access import Party
from schemas.base import Role
from schemas.records.medication import Authorisation
from schemas.topics import MEDICATION_CHANGES
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import METFORMINE, a_patient, an_import, an_order, entry
from tests.integration.ordering_api import OrderingClient
from tests.integration.rebuilding.command import rebuild

LATER, SHORTENED = date(2099, 3, 1), date(2026, 5, 31)
ALL_BY_GP = {"approver": "gp"}


class Practice:
    """A practice that is in no directory: the default policy decides, and no other test orders there."""

    def __init__(self, stack: LocalStack, http: httpx.AsyncClient, agb: str) -> None:
        self.stack, self.agb = stack, agb
        self.ordering = OrderingClient(stack, http)
        token = stack.token(Party.GP, practice=agb)
        self.headers = {"authorization": f"Bearer {token}"}

    async def overview(self, patient: str, until: date, version: int) -> None:
        """Import an overview with metformine authorised until this day, and wait until ordering has it."""
        given = Authorisation(by=Role.GP, on=date(2026, 1, 5), until=until)
        change = an_import(patient, entry(authorisation=given), practice=self.agb)
        await send(self.stack.kafka, [sent(MEDICATION_CHANGES.name, change)])

        async def look() -> int:
            return await self.ordering.count(
                "overviews", "patient || version", f"{patient}{version}"
            )

        await eventually(look, lambda count: count == 1)

    async def order(self, patient: str, quantity: int = 90) -> Any:
        """Order metformine; the decided order."""
        order = an_order(patient, METFORMINE, practice=self.agb, quantity=quantity)
        answer = await self.ordering.place(order, 20, **self._of(patient))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approve(self, order: Any, quantity: int) -> None:
        """Approve its line with another quantity."""
        answer = await self.ordering.http.put(
            self.ordering.url(f"/orders/{order['order_id']}/lines/1/review"),
            json={"outcome": "approved", "quantity": quantity},
            headers=self.headers | {"prefer": "wait=20"},
        )
        assert answer.status_code == 200, answer.text

    async def tried(self, **policy: Any) -> Any:
        """Try a policy; what was found."""
        path = f"/practices/{self.agb}/policy-trials"
        body = {"policy": policy, "months": 12}
        answer = await self.ordering.post(path, body, 0, **self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _of(self, patient: str) -> dict[str, str]:
        token = self.stack.token(Party.PATIENT, patients=(patient,))
        return {"authorization": f"Bearer {token}"}


@pytest.fixture
async def practice(stack: LocalStack, http: httpx.AsyncClient) -> Practice:
    """A practice of this test."""
    return Practice(stack, http, "01999787")


def outcomes(found: Any) -> Sequence[tuple[str, str, int]]:
    """(decided, tried, lines)."""
    return [(each["decided"], each["tried"], each["lines"]) for each in found["outcomes"]]


async def test_h21_the_policy_that_decided_changes_nothing_whatever_came_after(
    practice: Practice, tmp_path: Path
) -> None:
    """Given an authorisation that is shortened, a quantity made smaller, a second order; rebuilt afterwards."""
    plain, much = a_patient(), a_patient()
    for patient in (plain, much):
        await practice.overview(patient, LATER, 1)
    assert (await practice.order(plain))["state"] == "approved"
    assert (await practice.order(plain))["state"] == "refused"
    await practice.approve(await practice.order(much, quantity=400), quantity=90)
    for patient in (plain, much):
        await practice.overview(patient, SHORTENED, 2)

    same = await practice.tried()
    assert (same["orders"], same["judged"], same["changed"], same["examples"]) == (3, 3, 0, [])
    assert [each["lines"] for each in same["not_judged"]] == [0, 0]
    assert await practice.tried() == same
    rebuilt = await rebuild(practice.stack, "ordering", tmp_path)
    assert rebuilt.said.code in (0, 2), rebuilt.said
    assert await practice.tried() == same

    other = await practice.tried(**ALL_BY_GP)
    assert outcomes(other) == [
        ("approved", "review", 1),
        ("refused", "refused", 1),
        ("review", "review", 1),
    ]
    await _by_command(practice, tmp_path, [plain, much])


async def _by_command(practice: Practice, folder: Path, patients: Sequence[str]) -> None:
    """The operator's command finds the same, and names nobody."""
    file = folder / "policy.yaml"
    file.write_text("approver: gp\n", encoding="utf-8")
    said = await _command(practice, file, practice.agb)
    assert said.exit_code == 0, said.output
    assert "+1 in review, +0 refused, -1 approved" in said.output
    assert not any(word in said.output for word in (*patients, METFORMINE[1]))
    nobody = await _command(practice, file, "01999788")
    assert "has no orders since" in f"{nobody.exception}"


async def _command(practice: Practice, file: Path, agb: str) -> Result:
    where = ["--practice", agb, "--postgres", practice.stack.postgres]
    return await asyncio.to_thread(CliRunner().invoke, app, ["policy", "try", str(file), *where])


async def test_another_practice_and_who_may_not_are_refused(practice: Practice) -> None:
    here = f"/practices/{practice.agb}/policy-trials"
    body = {"policy": {}, "months": 1}
    elsewhere = await practice.ordering.post(
        "/practices/01999789/policy-trials", body, 0, **practice.headers
    )
    assert elsewhere.status_code == 404
    token = practice.stack.token(Party.ASSISTANT, practice=practice.agb)
    refused = await practice.ordering.post(here, body, authorization=f"Bearer {token}")
    assert refused.status_code == 403
