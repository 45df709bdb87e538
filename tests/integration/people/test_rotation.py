"""`herhaal people rotate` while services read and write, and killed in the middle."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from deploy.local import LocalStack
from runtime.keyring import FixedKeys, KeyFile
from samples.persons import a_person
from schemas.api.people import Person
from services.notification.people.keys import FOLDERS, LostMaster, PatientKeys
from tests.harness.kafka import eventually
from tests.harness.made import as_json
from tests.integration.people.client import Client, a_bsn
from tests.integration.people.command import people, started

_births = (date(1890, 1, 1) + timedelta(days=day) for day in count())
"""So few people have the same name and birth date."""


def keyring(stack: LocalStack) -> KeyFile:
    return KeyFile(stack.data.people / "keyring.json")


class Load:
    """Two who read and find, and two who register and change, until they are stopped."""

    def __init__(self, client: Client, known: dict[str, Person]) -> None:
        self.known = known
        self.reads = self.writes = 0
        self._client = client
        self._stopped = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run them."""
        tasks = [asyncio.create_task(work()) for work in (self._read, self._write) * 2]
        try:
            yield
        finally:
            self._stopped = True
            await asyncio.gather(*tasks)

    async def check(self, patient: str, person: Person) -> None:
        """Read a person, and find them by BSN and by name."""
        shown = await self._client.show(patient)
        assert shown.status_code == 200, shown.text
        assert as_json(person).items() <= shown.json().items()
        (found,) = await self._client.find(bsn=person.bsn)
        assert found["patient"] == patient
        born = person.birth_date.isoformat()
        named = await self._client.find(surname="dangelo muller", birth_date=born)
        assert patient in {each["patient"] for each in named}

    async def _read(self) -> None:
        while not self._stopped:
            patient = random.choice([*self.known])
            await self.check(patient, self.known[patient])
            self.reads += 1

    async def _write(self) -> None:
        while not self._stopped:
            person = a_person(a_bsn(), birth_date=next(_births))
            patient = await self._client.registered(person)
            assert await self._client.registered(person) == patient
            self.known[patient] = person
            self.writes += 1


async def versions(stack: LocalStack) -> set[int]:
    """The versions of the lookup key by which people are found."""
    db = await asyncpg.connect(stack.databases["notification"])
    try:
        rows = await db.fetch("select distinct key_version from people_hashes")
        return {row["key_version"] for row in rows}
    finally:
        await db.close()


@pytest.fixture
async def load(assistant: Client) -> Load:
    """Return a load about some people who are registered."""
    known: dict[str, Person] = {}
    for _ in range(20):
        person = a_person(a_bsn(), birth_date=next(_births))
        known[await assistant.registered(person)] = person
    return Load(assistant, known)


async def test_services_go_on_while_the_keys_are_rotated(assistant: Client, load: Load) -> None:
    """Given readers and writers; when the keys are rotated three times; then nobody is refused or lost, and the
    older keyring opens and finds nothing.
    """
    stack = assistant.stack
    before = keyring(stack).read()
    async with load.running():
        for _ in range(3):
            writes, reads = load.writes, load.reads
            said = await people(stack, "rotate")
            assert said.code == 0, said
            while load.writes - writes < 4 or load.reads - reads < 4:
                await asyncio.sleep(0.05)
    for patient, person in load.known.items():
        await load.check(patient, person)
    after = keyring(stack).read()
    assert [pair.version for pair in after.pairs] == [before.newest.version + 3]
    assert await versions(stack) == {after.newest.version}
    older = PatientKeys(stack.data.people, FixedKeys(before))
    for patient in load.known:
        with pytest.raises(LostMaster):
            older.open(patient)


async def test_a_rotation_that_is_killed_loses_nobody_and_is_completed(
    assistant: Client, load: Load
) -> None:
    """Given readers and writers; when rotations are killed at several moments; then everybody goes on being
    read and found, and the next one completes each.
    """
    stack = assistant.stack
    interrupted = 0
    async with load.running():
        for _ in range(5):
            rotation = await started(stack, "rotate")
            while len(keyring(stack).read().pairs) == 1 and rotation.returncode is None:
                await asyncio.sleep(0.005)
            await asyncio.sleep(random.uniform(0, 0.1))
            if rotation.returncode is None:
                rotation.kill()
            await rotation.wait()
            begun = len(keyring(stack).read().pairs) == 2
            # PostgreSQL holds a killed process's lock until it notices.
            said = await eventually(
                partial(people, stack, "rotate"), lambda said: "Another" not in str(said.error)
            )
            assert (said.code, "interrupted" in said.text) == (0, begun), said
            interrupted += begun
    assert interrupted
    for patient, person in load.known.items():
        await load.check(patient, person)
    newest = keyring(stack).read().newest.version
    assert await versions(stack) == {newest}
    assert wrapped_by(stack.data.people) == {newest}


def wrapped_by(folder: Path) -> set[int]:
    """The versions of the master key that wrap patients' keys."""
    keys = PatientKeys(folder, KeyFile(folder / "keyring.json"))
    files = [file for name in FOLDERS for file in keys.files(name)]
    assert files
    return {int.from_bytes(file.read_bytes()[:4], "big") for file in files}


async def test_a_keyring_that_lost_a_pair_removes_nothing(
    assistant: Client, load: Load, stack: LocalStack
) -> None:
    """Given a keyring whose older pair is gone too early; then rotate refuses, and nothing is removed."""
    file = keyring(stack)
    whole = file.read()
    file.replace(whole.with_new_pair().newest_alone())
    try:
        said = await people(stack, "rotate")
        assert said.code == 1
        assert "No key is removed" in str(said.error)
    finally:
        file.replace(whole)
    for patient, person in load.known.items():
        await load.check(patient, person)
