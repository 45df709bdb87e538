"""Who looked at a patient's records, and who changed them: asked of running services (NEN 7513)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from schemas import topics
from schemas.access import Party
from schemas.topic_lookup import of_system
from tests.harness.database import connected
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order, as_json
from tests.integration.access.door import Door
from tests.integration.access.places import OTHER_PHARMACY, OTHER_PRACTICE, Maker, Place, bearer
from tests.integration.access.test_kafka import added
from tests.integration.operator import Said, herhaal

Json = dict[str, Any]


class Trail:
    """One patient's trail in the services, and people who look at the patient's records."""

    def __init__(self, door: Door, place: Place) -> None:
        self._door, self.place = door, place

    def of(self, role: Party, **scope: Any) -> Mapping[str, str]:
        """The header of somebody in this role."""
        return bearer(self._door.stack, role, **scope)

    async def get(self, service: str, path: str, headers: Mapping[str, str]) -> int:
        """Ask a service; return the status."""
        url = self._door.stack.endpoints[service] + path
        return (await self._door.http.get(url, headers=headers)).status_code

    async def read(
        self, service: str, headers: Mapping[str, str], query: str = ""
    ) -> Sequence[Json]:
        """A service's page of the trail, newest first."""
        url = f"{self._door.stack.endpoints[service]}/patients/{self.place.patient}/audit{query}"
        answer = await self._door.http.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        entries: Sequence[Json] = answer.json()["entries"]
        return entries


@pytest.fixture
async def trail(door: Door, maker: Maker) -> Trail:
    """The trail of a new patient, whose overview a practice system sent and whose order a portal placed."""
    return Trail(door, await maker.place(PRACTICE, PHARMACY))


def what(entries: Sequence[Json], *names: str) -> list[tuple[Any, ...]]:
    """These fields of each entry, oldest first."""
    return [tuple(entry[name] for name in names) for entry in reversed(entries)]


async def test_a_patient_sees_who_looked_and_who_acted(trail: Trail) -> None:
    """Given a patient who listens to events, an order that a portal placed for them, an assistant who reads it,
    a GP of another practice who tries to, and the pharmacy that reads its feed; then the patient sees each,
    with the outcome.
    """
    place = trail.place
    order = f"/orders/{place.order_id}"
    assistant = trail.of(Party.ASSISTANT, sub="assistant-7", practice=PRACTICE)
    stranger = trail.of(Party.GP, sub="gp-elsewhere", practice=OTHER_PRACTICE)
    pharmacist = trail.of(Party.PHARMACIST, sub="pharmacist-3", pharmacy=PHARMACY)
    assert await trail.get("ordering", order, assistant) == 200
    assert await trail.get("ordering", order, stranger) == 404
    assert await trail.get("ordering", f"/patients/{place.patient}/orders", stranger) == 200

    patient = trail.of(Party.PATIENT, sub=place.patient, patients=(place.patient,))
    seen = what(
        await trail.read("ordering", patient), "action", "role", "actor", "organisation", "outcome"
    )
    portal = seen[1][2]
    assert seen == [
        ("orders.read", "patient", place.patient, None, "allowed"),
        ("orders.place", "portal", portal, None, "allowed"),
        ("orders.read", "assistant", "assistant-7", PRACTICE, "allowed"),
        ("orders.read", "gp", "gp-elsewhere", OTHER_PRACTICE, "refused"),
        ("orders.read", "gp", "gp-elsewhere", OTHER_PRACTICE, "nothing"),
    ]
    (placed, *_) = await trail.read("ordering", patient, "?limit=1000")
    assert placed["action"] == "audit.read"
    order_placed = (await trail.read("ordering", patient))[-2]
    assert (order_placed["for_role"], order_placed["thing"]) == ("patient", str(place.order_id))
    assert order_placed["practice"] == PRACTICE

    assert await trail.get(
        "ordering", f"/pharmacies/{PHARMACY}/prescriptions?limit=1000", pharmacist
    )
    fed = [e for e in await trail.read("ordering", patient) if e["role"] == "pharmacist"]
    assert [(e["action"], e["organisation"], e["thing"]) for e in fed] == [
        ("prescriptions.read", PHARMACY, PHARMACY)
    ]


async def test_a_practice_sees_its_own_and_somebody_else_nothing(trail: Trail) -> None:
    """Given a trail; when the patient's practice reads it, it sees what was done to its records; another
    practice and another patient see nothing, as of whom never was.
    """
    place = trail.place
    order = f"/orders/{place.order_id}"
    stranger = trail.of(Party.GP, sub="gp-elsewhere", practice=OTHER_PRACTICE)
    assert await trail.get("ordering", order, stranger) == 404

    gp = trail.of(Party.GP, sub="gp-own", practice=PRACTICE)
    assert await trail.get("ordering", f"/patients/{place.patient}/orders", gp) == 200
    own = await trail.read("ordering", gp)
    assert {e["practice"] for e in own} == {PRACTICE}
    assert what(own, "action", "actor", "outcome")[1:] == [
        ("orders.read", "gp-elsewhere", "refused"),
        ("orders.read", "gp-own", "allowed"),
    ]
    assert not await trail.read("ordering", stranger)
    other = a_patient()
    nobody = trail.of(Party.PATIENT, sub=other, patients=(other,))
    assert not await trail.read("ordering", nobody)


async def test_changes_and_looks_at_overviews_and_messages_are_there_too(trail: Trail) -> None:
    place = trail.place
    patient = trail.of(Party.PATIENT, sub=place.patient, patients=(place.patient,))
    assert await trail.get("medication", f"/patients/{place.patient}/overview", patient) == 200
    assert await trail.get("notification", f"/patients/{place.patient}/messages", patient) == 200
    overview = await trail.read("medication", patient)
    assert what(overview, "action", "role", "for_role") == [
        ("overview.import", "practice-system", "gp"),
        ("overview.read", "patient", None),
    ]
    messages = await trail.read("notification", patient)
    assert ("messages.read", "patient", "allowed") in what(messages, "action", "role", "outcome")


async def test_what_a_system_asks_over_kafka_is_there_with_for_whom(
    stack: LocalStack, trail: Trail
) -> None:
    """Given a portal with a topic of its own; when it sends an order for a practice that it serves, and one for
    a practice that it does not; then both are in the trail, the second as refused.
    """
    name, patient = f"p-{uuid4().hex[:12]}", trail.place.patient
    kafka = await added(stack, name, "--kind", "portal", "--practice", PRACTICE)
    topic = of_system(topics.ORDERS_REQUESTS, name).name
    orders = [an_order(patient), an_order(patient, practice=OTHER_PRACTICE)]
    await send(kafka, [sent(topic, order) for order in orders])

    reader = trail.of(Party.PATIENT, sub=patient, patients=(patient,))

    async def of_portal() -> list[Json]:
        return [e for e in await trail.read("ordering", reader) if e["actor"] == name]

    found = await eventually(of_portal, lambda entries: len(entries) == 2)
    assert what(found, "role", "channel", "thing", "outcome", "reason") == [
        ("portal", "kafka", str(orders[0].order_id), "allowed", None),
        ("portal", "kafka", str(orders[1].order_id), "refused", "not_served"),
    ]
    assert what(found, "for_role", "for_id")[0] == (
        orders[0].placed_by.role,
        orders[0].placed_by.id,
    )


async def test_another_order_with_an_id_that_is_taken_is_refused_once(trail: Trail) -> None:
    """Given an order; when another is placed under its id; then its one entry says so."""
    place = trail.place
    caller = trail.of(Party.PATIENT, sub=place.patient, patients=(place.patient,))
    order = as_json(an_order(place.patient, pharmacy=OTHER_PHARMACY)) | {
        "order_id": str(place.order_id)
    }
    del order["placed_by"]
    url = f"{trail._door.stack.endpoints['ordering']}/orders"
    answer = await trail._door.http.post(url, json=order, headers=caller)
    assert answer.status_code == 409
    mine = [e for e in await trail.read("ordering", caller) if e["role"] == "patient"]
    placed = [e for e in mine if e["action"] == "orders.place"]
    assert what(placed, "action", "outcome", "reason") == [
        ("orders.place", "refused", "order-conflict")
    ]


async def audit(stack: LocalStack, *arguments: str) -> Said:
    """Run a command of `herhaal audit` against the stack."""
    return await herhaal(stack, "audit", *arguments, "--data", str(stack.data.path))


async def test_the_command_finds_the_trails_whole_and_says_where_one_is_not(
    stack: LocalStack, trail: Trail
) -> None:
    """Given running services; when the owner of ordering's tables changes a row; then `verify` names it, and
    all is well again when the row is as it was.
    """

    async def ordering_is_announced() -> str:
        said = await audit(stack, "verify")
        assert (said.code, "are whole" in said.text) == (0, True), said
        return said.text

    known = r"ordering: \d+ rows in \d+ chains, [1-9]\d* known to Kafka"
    await eventually(ordering_is_announced, lambda text: re.search(known, text) is not None)
    patient = trail.place.patient
    async with connected(owner_dsn(stack.postgres, "ordering")) as db:
        seq = await db.fetchval(
            "update audit set actor = actor || 'x' where patient = $1 returning seq", patient
        )
        broken = await audit(stack, "verify")
        await db.execute(
            "update audit set actor = left(actor, -1) where patient = $1 and right(actor, 1) = 'x'",
            patient,
        )
    assert broken.code == 1
    assert f"row {seq} was changed" in broken.text
    assert patient not in broken.text
    assert (await audit(stack, "verify")).code == 0


async def test_a_patients_trail_is_exported_and_the_export_is_in_it(
    stack: LocalStack, trail: Trail, tmp_path: Path
) -> None:
    place = trail.place
    for kind in ("csv", "jsonl"):
        file = tmp_path / f"trail.{kind}"
        said = await audit(
            stack, "export", place.patient, str(file), "--by", "op-1", "--why", "asked"
        )
        assert said.code == 0, said
        assert "overview.import" in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
    lines = (tmp_path / "trail.jsonl").read_text().splitlines()
    assert any("audit.export" in line and '"purpose":"asked"' in line for line in lines)

    async def trails() -> str:
        return (await audit(stack, "verify")).text

    # Also the chains that these commands wrote are known to Kafka; a process announces its own soon.
    every = r"metrics: \d+ rows in (\d+) chains, \1 known to Kafka"
    await eventually(trails, lambda text: re.search(every, text) is not None)
    again = await audit(stack, "export", place.patient, str(tmp_path / "trail.csv"))
    assert again.code == 2
    elsewhen = tmp_path / "earlier.csv"
    said = await audit(stack, "export", place.patient, str(elsewhen), "--to", "2020-01-01")
    assert said.code == 0
    assert len(elsewhen.read_text().splitlines()) == 1
