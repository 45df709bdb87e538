"""A policy over HTTP: who sees what of it, what is noted, and that one is tried at a time."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from runtime.messages.encoding import encode_parts
from samples.callers import Permitted
from schemas.access import Party
from schemas.records.directory import Policy, Practice
from services.ordering.app import SERVICE
from services.ordering.trials import store
from tests.harness.made import PRACTICE, an_order
from tests.unit.ordering.story import ANNA, given, overview, practice
from tests.unit.served import Served, claimed

PATH = f"/practices/{PRACTICE}/policy-trials"
BY_GP = {"policy": {"approver": "gp"}, "months": 12}


@dataclass
class Desk:
    """ordering with one past order, and somebody of the practice."""

    served: Served

    async def ask(self, method: str, path: str, role: Party, body: Any = None) -> httpx.Response:
        """Ask as somebody in this role."""
        headers = {"authorization": f"Bearer {claimed(role, practice=PRACTICE, sub='usr_1')}"}
        return await self.served.ask(method, path, json=body, headers=headers)

    async def try_it(self, role: Party, body: Any = BY_GP) -> httpx.Response:
        """Try a policy."""
        return await self.ask("POST", PATH, role, body)


def rows(*_: Any) -> list[dict[str, Any]]:
    """One order that the policy approved."""
    story = given(overview()).when(an_order(ANNA))
    ((order_id, notes),) = story.work.notes.items()
    return [
        {
            "order_id": order_id,
            "placed_at": story.order.placed_at,
            "body": encode_parts(story.order),
            "journal": b"\n".join(encode_parts(note) for note in notes),
        }
    ]


class _Row(dict[str, Any]):
    """A row that is also read by place, as those of the database."""

    def __iter__(self) -> Any:
        return iter(self.values())


def desk() -> Desk:
    """A practice of the directory with one order."""
    made = Served(SERVICE, tokens=Permitted(claimed))
    made.api.answers[store._PAGE] = lambda *_: [_Row(row) for row in rows()]
    tables: Any = made.resources.tables
    tables[Practice].rows[PRACTICE] = practice(Policy(too_early_days=7))
    return Desk(made)


async def test_a_practice_sees_its_policy() -> None:
    found = await desk().ask("GET", f"/practices/{PRACTICE}/policy", Party.ASSISTANT)
    assert found.json()["too_early_days"] == 7
    assert found.json()["most_times_usual"] == 1


async def test_another_practice_is_not_found() -> None:
    here = desk()
    for method, path, body in (
        ("GET", "/practices/01999002/policy", None),
        ("POST", "/practices/01999002/policy-trials", BY_GP),
    ):
        assert (await here.ask(method, path, Party.MANAGER, body)).status_code == 404


async def test_a_gp_sees_which_orders_the_examples_are_and_the_audit_names_their_patients() -> None:
    here = desk()
    found = (await here.try_it(Party.GP)).json()
    assert (found["lines"], found["changed"]) == (1, 1)
    (example,) = found["examples"]
    assert example["order_id"] is not None
    (entry,) = here.served.audit.entries
    assert (entry.patient, entry.practice, entry.action) == (ANNA, PRACTICE, "policy.try")


async def test_a_manager_sees_examples_of_nobody_and_that_is_noted_too() -> None:
    here = desk()
    answer = await here.try_it(Party.MANAGER)
    (example,) = answer.json()["examples"]
    assert example["order_id"] is None
    assert ANNA not in answer.text
    (entry,) = here.served.audit.entries
    assert (entry.patient, entry.practice, entry.role) == (None, PRACTICE, "manager")


async def test_one_policy_is_tried_at_a_time() -> None:
    """Given a trial that waits for the database; then another is sent away, and after it one may again."""
    here = desk()
    waits, goes_on = asyncio.Event(), asyncio.Event()
    acquire = here.served.api.fetch

    async def slow(statement: str, *arguments: Any) -> Any:
        if statement == store._PAGE:
            waits.set()
            await goes_on.wait()
        return await acquire(statement, *arguments)

    here.served.api.fetch = slow  # type: ignore[method-assign]
    first = asyncio.create_task(here.try_it(Party.GP))
    await waits.wait()
    second = await here.try_it(Party.MANAGER)
    assert (second.status_code, second.headers["retry-after"]) == (503, "2")
    goes_on.set()
    assert (await first).status_code == 200
    assert (await here.try_it(Party.MANAGER)).status_code == 200


async def test_more_than_two_years_are_not_tried() -> None:
    assert (await desk().try_it(Party.GP, BY_GP | {"months": 25})).status_code == 422
