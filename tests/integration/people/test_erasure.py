"""An erased person is unreadable: in rows, in every backup with the current keys, and in every topic.

Beside her somebody stays, who is readable in all of these: so a key that is lost for all is noticed.
"""

import asyncio
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from cli.directory import apply_directory, read_directory
from cli.up import start_everything
from deploy.local import LocalStack, PlainReport, StackOptions, free_ports
from deploy.local.backup.cold import back_up, restore
from deploy.local.backup.dumps import dump_databases, restore_databases
from deploy.local.data import DataFolder
from runtime.kafka_address import client_options
from runtime.keyring import KeyFile
from runtime.postgres.connection import Connection
from samples.persons import a_person
from schemas import topics
from schemas.access import Party
from schemas.api.people import Person
from schemas.records.access import grant_key
from schemas.records.operators import OperatorErasure
from services.notification.people import store
from services.notification.people.keys import PatientKeys
from services.notification.people.people import People
from services.notification.people.sealed import unseal
from tests.harness.kafka import read_all, records_of, send, sent
from tests.harness.made import PHARMACY, PRACTICE, an_import, an_order
from tests.integration.access.places import proxy_json
from tests.integration.conftest import EXAMPLE
from tests.integration.operator import Said
from tests.integration.people.client import Client, a_bsn
from tests.integration.people.command import people

REPORT = PlainReport()
CANARIES = (b"Kanariewit", b"kanariewit", b"Kanarielaan", b"0123-450001", b"kanarie@example.org")


@dataclass
class Erased:
    """What was made with a stack, and its folder now that somebody is erased."""

    folder: Path
    anna: str
    bert: str
    bsn: str
    key: bytes
    """Anna's key, which a test keeps and nobody else does."""
    said: tuple[Said, Said]
    records: list[tuple[str, bytes]]
    """Every record of every topic, after the erasure: its topic, and its key, headers and value."""

    @property
    def data(self) -> Path:
        return self.folder / "data"


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[LocalStack]:
    """Run a whole stack on this folder, on free ports."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await start_everything(stack)
        yield stack


def a_canary(bsn: str) -> Person:
    return a_person(
        bsn,
        surname="Kanariewit",
        street="Kanarielaan",
        phones=("0123-450001",),
        email="kanarie@example.org",
    )


async def every_record(kafka: str) -> list[tuple[str, bytes]]:
    """All topics, read from their start."""
    consumer = AIOKafkaConsumer(**client_options(kafka))
    await consumer.start()
    try:
        names = sorted(name for name in await consumer.topics() if not name.startswith("__"))
    finally:
        await consumer.stop()
    assert {topic.name for topic in topics.ALL} <= {*names}
    found = []
    for name in names:
        for record in await read_all(kafka, name):
            headers = b"".join(n.encode() + (v or b"") for n, v in record.headers)
            found.append((name, (record.key or b"") + headers + (record.value or b"")))
    return found


async def set_and_read(client: Client, patient: str) -> None:
    """As the patient: prefer something, and read every message."""
    wanted = {"language": "nl", "pharmacy": PHARMACY}
    assert (await client.ask("PUT", f"/patients/{patient}/preferences", wanted)).status_code == 200
    inbox = (await client.ask("GET", f"/patients/{patient}/messages")).json()
    assert inbox["unread"] == len(inbox["messages"]) > 0
    for message in inbox["messages"]:
        path = f"/patients/{patient}/messages/{message['message_id']}/read"
        assert (await client.ask("PUT", path)).status_code == 204


async def use(client: Client, bsn: str) -> str:
    """Register somebody, order for them, let a proxy stand in, and find them."""
    kafka = client.stack.kafka
    patient = await client.registered(a_canary(bsn))
    await send(kafka, [sent(topics.MEDICATION_CHANGES.name, an_import(patient))])
    await records_of(kafka, topics.MEDICATION_STATUS.name, [patient], at_least=1)
    await send(kafka, [sent(topics.ORDERS_REQUESTS.name, an_order(patient))])
    await records_of(kafka, topics.NOTIFICATIONS_EVENTS.name, [patient], at_least=2)
    proxy = proxy_json() | {"name": "Kanariewit", "phone": "0123-450001"}
    granted = await client.ask("PUT", f"/patients/{patient}/proxies/usr_1", proxy)
    assert granted.status_code == 200, granted.text
    (found,) = await client.find(bsn=bsn)
    assert found["patient"] == patient
    await set_and_read(client.as_(Party.PATIENT, patients=(patient,)), patient)
    return patient


@pytest.fixture(scope="module")
async def erased(tmp_path_factory: pytest.TempPathFactory) -> Erased:
    """Register and use two people, back up in both forms, and erase one."""
    folder, bsn = tmp_path_factory.mktemp("erasure"), a_bsn()
    data = folder / "data"
    keys = PatientKeys(data / "people", KeyFile(data / "people" / "keyring.json"))
    async with running(data) as stack, httpx.AsyncClient(timeout=40) as http:
        await apply_directory(stack.kafka, read_directory(EXAMPLE))
        client = Client(stack, http)
        anna, bert = await use(client, bsn), await use(client, a_bsn())
        key = keys.open(anna)
        assert key is not None
        await dump_databases(DataFolder(data), stack.postgres, folder / "databases.tar.gz", REPORT)
    await asyncio.to_thread(back_up, DataFolder(data), folder / "stack.tar.gz", REPORT)
    async with running(data) as stack:
        arguments = ("erase", anna, "--by", "op-1", "--reason-text", "asked by letter")
        said = (await people(stack, *arguments), await people(stack, *arguments))
        records = await every_record(stack.kafka)
    return Erased(folder, anna, bert, bsn, key, said, records)


@asynccontextmanager
async def postgres_of(data: Path) -> AsyncIterator[Connection]:
    """Start the PostgreSQL of a stopped stack; connect to notification's database."""
    async with LocalStack(StackOptions.at(data, free_ports())) as stack:
        await stack.start_postgres()
        db = await asyncpg.connect(stack.databases["notification"])
        try:
            yield db
        finally:
            await db.close()


async def is_readable(db: Connection, data: Path, patient: str) -> bool:
    """Tell whether a row opens with the keys that there are now."""
    file = KeyFile(data / "people" / "keyring.json")
    row = await store.person(db, patient)
    assert row is not None
    return await People(file, PatientKeys(data / "people", file)).open(row) is not None


async def test_the_command_says_what_it_did_and_can_be_repeated(erased: Erased) -> None:
    for said in erased.said:
        assert said.code == 0, said
        asked, done = said.text.splitlines()
        line = f"erase {erased.anna} by op-1 (asked by letter)"
        assert asked.endswith(f"{line}: asked")
        assert done.endswith(f"{line}: erased")
    audited = [
        record
        for topic, record in erased.records
        if topic == topics.OPERATORS_AUDIT.name and OperatorErasure.TYPE.encode() in record
    ]
    assert len(audited) == 4


async def test_the_rows_hold_nothing_and_the_other_person_is_readable(erased: Erased) -> None:
    async with postgres_of(erased.data) as db:
        row = await store.person(db, erased.anna)
        assert row is not None
        assert (row.practice, row.sealed, row.erased_at is None) == (None, None, False)
        for table in ("people_hashes", "proxies", "message_reads", "preferences"):
            left = await db.fetchval(
                f"select count(*) from {table} where patient = $1", erased.anna
            )
            assert left == 0
            of_bert = f"select count(*) from {table} where patient = $1"
            assert await db.fetchval(of_bert, erased.bert) > 0
        assert await is_readable(db, erased.data, erased.bert)


async def test_a_backup_of_the_whole_stack_does_not_bring_the_person_back(erased: Erased) -> None:
    """Given a backup from before; when it is restored beside the current keys; then the row is there, sealed,
    and only the key that was deleted opens it.
    """
    back = erased.folder / "back"
    await asyncio.to_thread(restore, erased.folder / "stack.tar.gz", DataFolder(back), REPORT)
    assert not (back / "people").exists()
    copytree(erased.data / "people", back / "people")
    async with postgres_of(back) as db:
        row = await store.person(db, erased.anna)
        assert row is not None
        assert row.sealed is not None
        assert b"Kanariewit" in unseal(erased.key, row.sealed, f"person\0{erased.anna}")
        assert not await is_readable(db, back, erased.anna)
        assert await is_readable(db, back, erased.bert)
    assert_clean(*(file for file in back.rglob("*") if file.is_file()))


def test_neither_backup_has_a_key_or_a_readable_word(erased: Erased, tmp_path: Path) -> None:
    for name in ("stack.tar.gz", "databases.tar.gz"):
        with tarfile.open(erased.folder / name) as tar:
            assert not [
                entry for entry in tar.getnames() if "people" in entry or "keyring" in entry
            ]
            tar.extractall(tmp_path / name, filter="data")
        assert_clean(*(file for file in (tmp_path / name).rglob("*") if file.is_file()))


def test_no_topic_holds_anything_of_a_person(erased: Erased) -> None:
    assert len(erased.records) > 10
    for topic, record in erased.records:
        for canary in (*CANARIES, erased.bsn.encode(), b"1949-03-01", erased.key):
            assert canary not in record, topic


def test_the_proxies_are_taken_back_on_their_topic(erased: Erased) -> None:
    records = [r for topic, r in erased.records if topic == topics.ACCESS_PROXIES.name]
    for patient, values in ((erased.anna, [True, False]), (erased.bert, [True])):
        key = grant_key(patient, "usr_1").encode()
        found = [b'"grant":' in record for record in records if record.startswith(key)]
        assert found == values


def test_the_folder_of_keys_says_that_somebody_was_erased_and_not_who(erased: Erased) -> None:
    names = [path.name for path in (erased.data / "people").rglob("*") if path.is_file()]
    assert len([name for name in names if name.endswith(".erased")]) == 1
    assert not [name for name in names if erased.anna in name]


async def test_a_backup_of_the_databases_does_not_bring_the_person_back(erased: Erased) -> None:
    """The last one, as it changes the stack. Given older databases that are put into it; then the person is
    unreadable, and not registered again under the pseudonym; after another erasure she gets a new one by BSN.
    """
    file, data = erased.folder / "databases.tar.gz", erased.data
    await restore_databases(file, DataFolder(data), REPORT)
    async with postgres_of(data) as db:
        assert not await is_readable(db, data, erased.anna)
        assert await is_readable(db, data, erased.bert)
    async with running(data) as stack, httpx.AsyncClient(timeout=40) as http:
        client = Client(stack, http)
        patient = client.as_(Party.PATIENT, patients=(erased.anna,), sub=erased.anna)
        assert (await patient.show(erased.anna)).status_code == 404
        assert await client.find(bsn=erased.bsn) == []
        for attempt in (a_canary(erased.bsn), a_canary(a_bsn())):
            again = await client.register(attempt, patient=erased.anna)
            assert again.json()["type"] == "urn:herhaal:problem:erased"
        csv = erased.folder / "people.csv"
        write_csv(csv, erased.anna)
        assert (await people(stack, "import", str(csv))).code == 2
        # The database is older than the erasure: it is done again, and completed.
        assert (await people(stack, "erase", erased.anna, "--by", "op-1")).code == 0
        new = await client.registered(a_canary(erased.bsn))
        assert new != erased.anna
        assert (await client.show(new)).status_code == 200


def write_csv(file: Path, patient: str) -> None:
    header = "practice,patient,initials,surname,birth_date,street,house_number,postcode,city"
    file.write_text(f"{header}\n{PRACTICE},{patient},A.,X,1949-03-01,Weg,1,1234 AB,Oord\n")


def assert_clean(*files: Path) -> None:
    """Check that no file has a word of the person."""
    assert len(files) > 3
    for file, content in _contents(files):
        for canary in CANARIES:
            assert canary not in content, file


def _contents(files: tuple[Path, ...]) -> Iterator[tuple[Path, bytes]]:
    for file in files:
        yield file, file.read_bytes()
