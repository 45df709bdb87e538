"""A grant's row and record, when Kafka is away, when two change it at once, and at a child's midnight."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from deploy.local import LocalStack
from runtime.kafka.producer import NotPublished
from runtime.keyring import KeyFile
from runtime.messages.message import Outgoing
from runtime.postgres.connection import Connection
from samples.persons import a_person
from schemas.api.proxies import Consent, ConsentBy, ConsentHow, Proxy, ProxyKind
from schemas.base import Actor, Role
from schemas.times import AMSTERDAM
from services.notification.people.keys import PatientKeys
from services.notification.people.people import People
from services.notification.people.proxies import Proxies
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


@dataclass
class SlowSender(FakeSender):
    """Keeps what was sent, in the order in which it was acknowledged: some wait longer than others."""

    waits: list[float] = field(default_factory=lambda: [0.03, 0.0, 0.02, 0.01])

    async def send(self, record: Outgoing) -> None:
        await asyncio.sleep(self.waits[len(self.sent) % len(self.waits)])
        await super().send(record)


class Desk:
    """Grants and revokes straight on the database, with a sender and a clock of its own."""

    def __init__(self, stack: LocalStack) -> None:
        file = KeyFile(stack.data.people / "keyring.json")
        self._people = People(file, PatientKeys(stack.data.people, file))
        self._dsn = stack.databases["notification"]
        self.sender: FakeSender = FakeSender()
        self.now = datetime.now(UTC)

    @property
    def proxies(self) -> Proxies:
        return Proxies(self._people, self.sender, lambda: self.now)

    async def connect(self) -> Connection:
        return await asyncpg.connect(self._dsn)

    async def names(self, db: Connection, patient: str) -> list[str]:
        """Who stands in for a patient now."""
        return [view.name for view in await self.proxies.of_patient(db, patient)]


@pytest.fixture
def desk(stack: LocalStack) -> Desk:
    """Return a desk."""
    return Desk(stack)


@pytest.fixture
async def db(desk: Desk) -> AsyncIterator[Connection]:
    """Connect as notification."""
    connection = await desk.connect()
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_grant_that_kafka_did_not_take_is_sent_again(
    assistant: Client, desk: Desk, db: Connection
) -> None:
    """Given Kafka away; then the grant is refused for now; when it is sent again, it counts."""
    patient = await assistant.registered(a_person(a_bsn()))
    desk.sender = FakeSender(away=True)
    with pytest.raises(NotPublished):
        await desk.proxies.grant(db, patient, "usr_1", CARLA, GP, unnoted)
    desk.sender = FakeSender()
    await desk.proxies.grant(db, patient, "usr_1", CARLA, GP, unnoted)
    (record,) = desk.sender.sent
    assert (record.topic, record.key) == ("access.proxies", f"{patient}/usr_1".encode())
    assert await desk.names(db, patient) == ["Carla Voorbeeld"]


async def test_a_revocation_that_kafka_did_not_take_changes_nothing(
    assistant: Client, desk: Desk, db: Connection
) -> None:
    patient = await assistant.registered(a_person(a_bsn()))
    await desk.proxies.grant(db, patient, "usr_1", CARLA, GP, unnoted)
    desk.sender = FakeSender(away=True)
    with pytest.raises(NotPublished):
        await desk.proxies.revoke(db, patient, "usr_1", unnoted)
    assert await desk.names(db, patient) == ["Carla Voorbeeld"]


async def test_who_change_a_grant_at_once_leave_row_and_record_alike(
    assistant: Client, desk: Desk
) -> None:
    """Given a slow Kafka; when some grant and some revoke at once; then row and last record agree."""
    patient = await assistant.registered(a_person(a_bsn()))
    desk.sender = SlowSender()

    async def change(number: int) -> None:
        db = await desk.connect()
        try:
            if number % 2:
                await desk.proxies.revoke(db, patient, "usr_1", unnoted)
            else:
                await desk.proxies.grant(db, patient, "usr_1", CARLA, GP, unnoted)
        finally:
            await db.close()

    for _ in range(5):
        await asyncio.gather(*map(change, range(6)))
        db = await desk.connect()
        try:
            granted = bool(await desk.names(db, patient))
        finally:
            await db.close()
        assert granted == (desk.sender.sent[-1].value is not None)


async def test_a_parents_grant_ends_at_the_childs_midnight(
    assistant: Client, desk: Desk, db: Connection
) -> None:
    """Given a child who turns 12 on 1 June 2027; when a parent is granted a second before; then it ends that
    night, in the row as in the record.
    """
    child = a_person(a_bsn(), birth_date=date(2015, 6, 1))
    patient = await assistant.registered(child)
    midnight = datetime(2027, 6, 1, tzinfo=AMSTERDAM)
    desk.now = (midnight - timedelta(seconds=1)).astimezone(UTC)
    consent = Consent(by=ConsentBy.PARENT, how=ConsentHow.WRITTEN, on=date(2027, 5, 31))
    parent = CARLA.model_copy(update={"kind": ProxyKind.PARENT, "consent": consent})
    view = await desk.proxies.grant(db, patient, "usr_1", parent, GP, unnoted)
    assert view.until == midnight
    (record,) = desk.sender.sent
    assert record.value is not None
    assert b'"until":"2027-05-31T22:00:00Z"' in record.value
    assert await desk.names(db, patient) == ["Carla Voorbeeld"]
    assert len(await desk.proxies.of_proxy(db, "usr_1")) >= 1
    desk.now = midnight.astimezone(UTC)
    assert await desk.names(db, patient) == []
    assert patient not in {row.patient for row in await desk.proxies.of_proxy(db, "usr_1")}
