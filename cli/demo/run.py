"""Runs the demo: a stack in a temporary folder, a region, patients, orders, the proof."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from cli.console import UserError
from cli.demo.browser import ANNA, online_order
from cli.demo.chapters import chapters
from cli.demo.follow import Follower, ReceivedRecord
from cli.demo.look import counted, example, inbox, orders_by_channel
from cli.demo.outcome import Outcome
from cli.demo.portal import Portals
from cli.demo.proof import ANSWER, Proof, prove
from cli.demo.show import Progress
from cli.demo.systems import OutsideSystems, outside_systems
from cli.directory import apply_directory, read_directory
from cli.example.contents import MEDICINES
from cli.example.fill import Example
from cli.medicines import apply_list, read_list
from cli.up import start_everything
from deploy.local import LocalStack, Report, StackOptions
from deploy.local.ports import free_ports
from samples.callers import Permitted
from samples.orders import orders
from samples.people import Patient, overview, patients
from schemas import topics
from schemas.records.medication import MedicationOverview
from schemas.records.notifications import MessageSent
from schemas.records.orders import OrderPlace
from schemas.times import local_date

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"
MOST_PATIENTS = 400
"""The most patients whose overviews are imported; up to so many orders, each is of another patient."""
SETTLE_S = 30.0
"""Seconds to wait for the last answers after the last order."""

FOLLOWED = (
    topics.ORDERS_EVENTS,
    topics.NOTIFICATIONS_EVENTS,
    *(topics.dead_letters(service) for service in topics.SERVICES),
)


async def run(count: int, per_s: float, seed: int, report: Report, progress: Progress) -> Outcome:
    """Run the whole demo and stop everything. Raises StackError or UserError when it fails."""
    with tempfile.TemporaryDirectory(prefix="herhaal-demo-") as folder:
        ports = free_ports()
        began_s = time.monotonic()
        async with LocalStack(StackOptions.at(Path(folder), ports), report) as stack:
            report.status("Starting Kafka, PostgreSQL, the four services and the portal …")
            await start_everything(stack)
            start_s = time.monotonic() - began_s
            report.status("")
            return await _run(stack, count, per_s, seed, start_s, progress)


async def _run(
    stack: LocalStack, count: int, per_s: float, seed: int, start_s: float, progress: Progress
) -> Outcome:
    chance = random.Random(seed)
    directory = read_directory(EXAMPLE)
    await apply_list(stack.kafka, read_list(MEDICINES))
    await apply_directory(stack.kafka, directory)
    agbs = tuple(pharmacy.agb for pharmacy in directory.pharmacies)
    people = patients(
        min(count, MOST_PATIENTS), tuple(p.agb for p in directory.practices), agbs, chance
    )
    # One more is placed by hand, in the portal.
    placed = orders(people, count - 1, chance)
    began_s = time.monotonic()
    async with (
        httpx.AsyncClient(timeout=30, auth=Permitted(stack.token)) as http,
        outside_systems(stack, directory) as systems,
        AsyncExitStack() as following,
    ):
        await _import(stack, http, systems, [p for p in people if not p.late])
        answered: dict[UUID, float] = {}
        followers = [Follower(stack.kafka, FOLLOWED, _note_answers(answered, progress))] + [
            Follower(stack.kafka, [topics.prescriptions(agb)]) for agb in agbs
        ]
        for follower in followers:
            await following.enter_async_context(follower)
        portals = Portals(http, systems, stack.endpoints["ordering"])
        progress.begin(count)
        await Example(stack, http).overview(ANNA)
        await portals.send(placed, per_s, chance)
        placed = [*placed, await online_order(stack.endpoints["portal"])]
        await _import(stack, http, systems, [p for p in people if p.late])
        await _wait_until(lambda: len(answered) == count)
        proof = await _settle(stack, http, placed, followers)
        practices = [practice.agb for practice in directory.practices]
        return Outcome(
            proof=proof,
            refused=portals.refused,
            latency_ms=[
                (answered[order_id] - sent_s) * 1000
                for order_id, sent_s in portals.sent_s.items()
                if order_id in answered
            ],
            start_s=start_s,
            run_s=time.monotonic() - began_s,
            counts={agb: await orders_by_channel(stack, http, agb) for agb in practices},
            example=await example(stack, http, placed),
            chapters=await chapters(stack, http, local_date(datetime.now(UTC))),
        )


def _note_answers(answered: dict[UUID, float], progress: Progress) -> Any:
    def note(record: ReceivedRecord) -> None:
        if record.ce_type == MessageSent.ce_type():
            message = MessageSent.model_validate_json(record.value)
            if message.template.startswith(ANSWER) and message.order_id not in answered:
                answered[message.order_id] = record.at_s
                progress.answered(len(answered))

    return note


async def _import(
    stack: LocalStack, http: httpx.AsyncClient, systems: OutsideSystems, people: Sequence[Patient]
) -> None:
    """Import half of the overviews over HTTP, half over Kafka, and wait until they are published."""
    today = local_date(datetime.now(UTC))
    for number, patient in enumerate(people):
        command = overview(patient, today)
        if number % 2:
            await systems.send_overview(command)
            continue
        answer = await http.put(
            f"{stack.endpoints['medication']}/patients/{patient.id}/overview",
            content=command.model_dump_json(),
            headers={"content-type": "application/json", "prefer": "wait=10"},
        )
        if answer.status_code not in (200, 202):
            raise UserError(f"medication answered {answer.status_code} to an import.")
    await _wait_for_overviews(stack, people)


async def _wait_for_overviews(stack: LocalStack, people: Sequence[Patient]) -> None:
    """Wait until every overview is on its topic, SETTLE_S at most."""
    wanted = {patient.id for patient in people}
    async with Follower(stack.kafka, [topics.MEDICATION_STATUS]) as follower:
        await _wait_until(lambda: wanted <= {_patient(record) for record in follower.records})


async def _wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, SETTLE_S at most."""
    deadline_s = time.monotonic() + SETTLE_S
    while not condition() and time.monotonic() < deadline_s:
        await asyncio.sleep(0.05)


def _patient(record: ReceivedRecord) -> str:
    return MedicationOverview.model_validate_json(record.value).patient


async def _settle(
    stack: LocalStack,
    http: httpx.AsyncClient,
    placed: Sequence[OrderPlace],
    followers: Sequence[Follower],
) -> Proof:
    """Prove again until the proof holds or SETTLE_S is over; return the last proof."""
    deadline_s = time.monotonic() + SETTLE_S
    while True:
        received = [record for follower in followers for record in follower.records]
        proof = prove(
            placed, received, await counted(stack, http, placed), await inbox(stack, http, placed)
        )
        if proof.holds or proof.dead_letters or time.monotonic() > deadline_s:
            return proof
        await asyncio.sleep(0.5)
