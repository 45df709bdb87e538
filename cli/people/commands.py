"""What `herhaal people` does: straight in notification's database and the folder of keys."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import typer
from pydantic import TypeAdapter, ValidationError

from cli.audit import Signature, accountable, line_of, record_of
from cli.audit_trail.writing import audit_keys, by_operator, write_announced
from cli.console import ConsoleReport, UserError, print_plain, stdout
from cli.kafka import ask
from cli.people.csv_file import Line, read_people
from cli.postgres import safe_dsn
from cli.publish import publisher
from cli.up import DEFAULT_DATA
from deploy.local.data import DataFolder
from runtime.audit.chain import AuditKey
from runtime.dsn import database_dsn
from runtime.kafka.global_table import read_table
from runtime.kafka.producer import NotPublished, Producer
from runtime.keyring import KeyFile, NoKeyring
from runtime.postgres.audit import ChainWriter
from runtime.postgres.connection import Connection
from runtime.postgres.sessions import OPERATOR_SESSION
from schemas.access import Action
from schemas.base import PatientId
from schemas.records.access import ProxyGrant
from schemas.records.operators import OperatorErasure
from schemas.topics import ACCESS_PROXIES
from services.notification.people.erase import erase, is_known
from services.notification.people.keys import Erased, LostMaster, PatientKeys
from services.notification.people.people import OtherPerson, OtherPractice, People
from services.notification.people.rotate import Rotation

T = TypeVar("T")

_ROTATING = 7_016_002
"""The advisory lock of the one rotation that runs."""

_WHY = {
    OtherPerson: "this BSN is known under another pseudonym",
    OtherPractice: "this pseudonym is of another practice's patient",
    Erased: "this person was erased",
}


@dataclass(frozen=True)
class Place:
    """Where people are kept: notification's database, the folder of keys, and the keyring."""

    folder: DataFolder
    postgres: str = field(repr=False)
    keys: Path
    keyring: Path
    audit_keys: tuple[AuditKey, ...]

    @classmethod
    def of(
        cls, data: Path | None, postgres: str | None, keys: Path | None, keyring: Path | None
    ) -> "Place":
        """Take the given ones, else those of the stack that runs on a data folder. Raises UserError."""
        folder = DataFolder(data or DEFAULT_DATA)
        at = keys or folder.people
        if postgres is None:
            postgres = _endpoint(folder, "postgres", "--postgres and --keys")
        audit = audit_keys(None, folder.audit_key)
        return cls(folder, safe_dsn(postgres), at, keyring or at / "keyring.json", audit)

    def kafka(self, given: str | None) -> str:
        """Kafka's address: the given one, else that of the stack. Raises UserError."""
        return given or _endpoint(self.folder, "kafka", "--kafka")

    @property
    def key_file(self) -> KeyFile:
        """The keyring's file. Raises UserError when it cannot be used."""
        file = KeyFile(self.keyring)
        try:
            file.read()
        except NoKeyring as error:
            raise UserError(str(error)) from None
        return file

    @property
    def trail(self) -> ChainWriter:
        """A new chain in notification's audit trail."""
        return ChainWriter(uuid4(), self.audit_keys[0])

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Connection]:
        """Connect to notification's database."""
        dsn = database_dsn(self.postgres, "notification")
        db = await asyncpg.connect(dsn, timeout=10, server_settings=OPERATOR_SESSION)
        try:
            yield db
        finally:
            await db.close()


def run_import(file: Path, place: Place) -> bool:
    """Import a file; print what was done. Return whether nobody was refused. Raises UserError."""
    lines = read_people(file)
    key_file = place.key_file
    people = People(key_file, PatientKeys(place.keys, key_file))
    refused = _ask_postgres(_import(place, people, lines))
    for line, why in refused:
        print_plain(stdout(), f"line {line}: {why}")
    print_plain(stdout(), f"{len(lines) - len(refused)} registered, {len(refused)} refused.")
    return not refused


async def _import(place: Place, people: People, lines: list[Line]) -> list[tuple[int, str]]:
    refused, trail, by = [], place.trail, getpass.getuser()
    with ConsoleReport() as report:
        async with place.database() as db:
            for done, line in enumerate(lines):
                request = line.request
                assert request.practice is not None, "the file was checked"
                try:
                    async with db.transaction():
                        patient = await people.register(
                            db, request.practice, request.person(), request.patient
                        )
                        entry = by_operator(
                            by, Action.PEOPLE_WRITE, patient, "import", request.practice
                        )
                        await trail.append(db, [entry])
                except (OtherPerson, OtherPractice, Erased) as error:
                    refused.append((line.number, _WHY[type(error)]))
                if done % 1000 == 999:
                    report.status(f"Importing: {done + 1} of {len(lines)} …")
    return refused


def run_erase(patient: str, place: Place, kafka: str, signed: Signature) -> None:
    """Erase a person, with an audit record before and after.

    Raises:
        typer.BadParameter: it is no pseudonym.
        UserError: nobody has it, or a server does not answer.
    """
    try:
        TypeAdapter(PatientId).validate_python(patient)
    except ValidationError:
        raise typer.BadParameter("A pseudonym is pat_ and 4 to 64 letters and digits.") from None
    keys = PatientKeys(place.keys, place.key_file)
    try:
        _ask_postgres(_require_known(place, keys, patient))
        granted = ask(kafka, _granted(kafka, patient))
        ask(kafka, _erase(place, kafka, keys, patient, granted, signed))
    except NotPublished:
        raise UserError("Kafka did not take all records: run the command again.") from None


async def _require_known(place: Place, keys: PatientKeys, patient: str) -> None:
    async with place.database() as db:
        if not await is_known(db, keys, patient):
            raise UserError("Nobody is registered under this pseudonym.")


async def _granted(kafka: str, patient: str) -> list[str]:
    grants = await read_table(kafka, ACCESS_PROXIES, ProxyGrant)
    return [grant.proxy for grant in grants.values() if grant.patient == patient]


async def _erase(
    place: Place,
    kafka: str,
    keys: PatientKeys,
    patient: str,
    granted: list[str],
    signed: Signature,
) -> None:
    async with publisher(kafka) as producer, place.database() as db:
        await _keep(producer, patient, signed, "asked")
        entry = by_operator(signed.by, "people.erase", patient, signed.why)
        key = place.audit_keys[0]
        await write_announced(db, producer, "notification", key, entry)
        await erase(db, producer, keys, patient, granted, datetime.now(UTC))
        await _keep(producer, patient, signed, "erased")


async def _keep(producer: Producer, patient: str, signed: Signature, result: str) -> None:
    with accountable():
        done = OperatorErasure(
            service="notification",
            patient=patient,
            by=signed.by,
            why=signed.why,
            at=datetime.now(UTC),
            result=result,
        )
    await producer.send(record_of(done, patient))
    print_plain(stdout(), line_of(done, f"erase {patient}"))


def run_rotate(place: Place) -> None:
    """Rotate the keys; print what was done. Raises UserError."""
    file = place.key_file
    with ConsoleReport() as report:
        rotation = Rotation(file, PatientKeys(place.keys, file), report.status)
        try:
            done = _ask_postgres(_rotate(place, rotation))
        except LostMaster:
            raise UserError(
                "A patient's key is wrapped by a master key that is not in the keyring: bring that"
                " keyring back. No key is removed."
            ) from None
    version = file.read().newest.version
    text = f"Version {version}: {done.keys} keys wrapped, {done.people} people hashed anew."
    if done.resumed:
        text = f"An interrupted rotation is completed. {text}"
    if done.unreadable:
        text += f" {done.unreadable} people have no key: was the folder of keys restored?"
    print_plain(stdout(), text)


async def _rotate(place: Place, rotation: Rotation) -> Any:
    async with place.database() as db:
        if not await db.fetchval("select pg_try_advisory_lock($1)", _ROTATING):
            raise UserError("Another rotation is running.")
        return await rotation.run(db)


def _endpoint(folder: DataFolder, name: str, options: str) -> str:
    endpoints = folder.running_endpoints()
    if endpoints is None:
        raise UserError(
            f"No stack runs on {folder.path}: start one with ./herhaal up, name another folder with"
            f" --data, or give {options}."
        )
    return endpoints[name]


def _ask_postgres(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. Raises UserError when PostgreSQL or the folder of keys fails."""
    try:
        return asyncio.run(work)
    except asyncpg.PostgresError as error:
        raise UserError(f"PostgreSQL refuses: {type(error).__name__}.") from None
    except OSError as error:
        raise UserError(
            f"PostgreSQL or the folder of keys cannot be used: {error.strerror}."
        ) from None
