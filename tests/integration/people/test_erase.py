"""An interrupted erasure is completed by the next, and nothing that runs beside it brings the key back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import asyncpg
import pytest

from deploy.local import LocalStack
from runtime.kafka.producer import NotPublished
from runtime.keyring import KeyFile
from runtime.postgres.connection import Connection
from samples.persons import a_person
from schemas.access import Party
from schemas.api.proxies import Consent, ConsentBy, ConsentHow, Proxy, ProxyKind
from schemas.base import Actor, Role
from services.notification.people import proxy_store, store
from services.notification.people.erase import erase, is_known
from services.notification.people.keys import PatientKeys
from services.notification.people.people import People
from services.notification.people.proxies import Proxies
from services.notification.people.rotate import Rotation
from tests.harness.made import a_patient, as_json
from tests.integration.people.client import Client, a_bsn
from tests.unit.served import FakeSender

GP = Actor(role=Role.GP, id="gp-1")


async def unnoted(_: Connection) -> None:
    """Write no audit entry: these tests are about the row and the record."""


CARLA = Proxy(
    kind=ProxyKind.AUTHORISED,
    name="Carla Voorbeeld",
    consent=Consent(by=ConsentBy.PATIENT, how=ConsentHow.PHONE, on=date(2026, 11, 2)),
)


@pytest.fixture
def file(stack: LocalStack) -> KeyFile:
    """The stack's keyring."""
    return KeyFile(stack.data.people / "keyring.json")


@pytest.fixture
def keys(stack: LocalStack, file: KeyFile) -> PatientKeys:
    """The stack's patients' keys."""
    return PatientKeys(stack.data.people, file)


async def connect(stack: LocalStack) -> Connection:
    return await asyncpg.connect(stack.databases["notification"])


@pytest.fixture
async def db(stack: LocalStack) -> AsyncIterator[Connection]:
    """Connect as notification."""
    connection = await connect(stack)
    try:
        yield connection
    finally:
        await connection.close()


async def test_an_erasure_that_kafka_interrupts_is_completed_by_the_next(
    assistant: Client, db: Connection, file: KeyFile, keys: PatientKeys
) -> None:
    """Given a person with a proxy, and a record of a proxy that the database does not know; when Kafka is away;
    then the person is unreadable already; when it is done again; then both proxies are taken back.
    """
    patient = await assistant.registered(a_person(a_bsn()))
    await Proxies(People(file, keys), FakeSender()).grant(db, patient, "usr_1", CARLA, GP, unnoted)
    now = datetime.now(UTC)
    with pytest.raises(NotPublished):
        await erase(db, FakeSender(away=True), keys, patient, ["usr_2"], now)
    assert (await assistant.show(patient)).status_code == 404
    assert keys.open(patient) is None
    assert await proxy_store.all_of_patient(db, patient) == {"usr_1"}

    kafka = FakeSender()
    await erase(db, kafka, keys, patient, ["usr_2"], datetime.now(UTC))
    taken_back = [(record.key, record.value) for record in kafka.sent]
    assert taken_back == [(f"{patient}/{proxy}".encode(), None) for proxy in ("usr_1", "usr_2")]
    assert await proxy_store.all_of_patient(db, patient) == set()
    row = await store.person(db, patient)
    assert row is not None
    assert (row.sealed, row.practice, row.erased_at) == (None, None, now)


async def test_only_who_was_ever_known_can_be_erased(
    assistant: Client, db: Connection, keys: PatientKeys
) -> None:
    patient = await assistant.registered(a_person(a_bsn()))
    assert await is_known(db, keys, patient)
    await erase(db, FakeSender(), keys, patient, [], datetime.now(UTC))
    assert await is_known(db, keys, patient)
    assert not await is_known(db, keys, a_patient())


async def test_nothing_that_is_their_own_is_written_after_an_erasure(
    assistant: Client, db: Connection, keys: PatientKeys
) -> None:
    patient = await assistant.registered(a_person(a_bsn()))
    mine = assistant.as_(Party.PATIENT, patients=(patient,))
    path, wanted = f"/patients/{patient}/preferences", {"language": "nl"}
    assert (await mine.ask("PUT", path, wanted)).status_code == 200
    await erase(db, FakeSender(), keys, patient, [], datetime.now(UTC))
    assert (await mine.ask("PUT", path, wanted)).status_code == 404
    assert (await mine.ask("GET", path)).json() == {"language": None, "pharmacy": None}


async def test_neither_a_rotation_nor_a_writer_brings_an_erased_key_back(
    assistant: Client, stack: LocalStack, file: KeyFile, keys: PatientKeys
) -> None:
    """Given rotations and changes that go on; when people are erased meanwhile; no key is left."""
    person = a_person()
    patients = [await assistant.registered(person, patient=a_patient()) for _ in range(30)]
    stopped = asyncio.Event()

    async def rotate() -> None:
        db = await connect(stack)
        try:
            while not stopped.is_set():
                await Rotation(file, keys, lambda _: None).run(db)
        finally:
            await db.close()

    async def change() -> None:
        while not stopped.is_set():
            for patient in patients:
                path = f"/patients/{patient}/person"
                answer = await assistant.ask("PUT", path, as_json(person))
                assert answer.status_code in (200, 404), answer.text

    work = [asyncio.create_task(rotate()), asyncio.create_task(change())]
    db = await connect(stack)
    try:
        for patient in patients:
            await erase(db, FakeSender(), keys, patient, [], datetime.now(UTC))
            await asyncio.sleep(0.05)
    finally:
        await db.close()
        stopped.set()
    await asyncio.gather(*work)
    assert [patient for patient in patients if keys.open(patient) is not None] == []
    assert not list(stack.data.people.rglob("*.new"))
    for patient in patients[:3]:
        assert (await assistant.show(patient)).status_code == 404
