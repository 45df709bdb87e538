"""What the commands of `herhaal audit` do."""

import getpass
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import typer

from cli.audit_trail.checking import Checked, Keys, check_trail
from cli.audit_trail.export import Wanted, write
from cli.audit_trail.writing import audit_keys, by_operator, write_announced
from cli.console import UserError, print_plain, stdout
from cli.dead_letters.kafka import reader
from cli.kafka import ask_both
from cli.progress.look import database
from cli.publish import publisher
from cli.verify.command import addresses
from deploy.local.data import DataFolder
from runtime.audit.chain import AuditKey
from runtime.audit.entry import Entry
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from runtime.postgres import audit
from runtime.postgres.connection import Connection
from schemas.records.audit import AuditSealed
from schemas.topics import AUDIT_SEALS, SERVICES

_WORST = 20
"""How many findings are printed for a service."""


@dataclass(frozen=True)
class Trails:
    """The servers that hold the trails, and the keys, newest first; `postgres` is an administrator's DSN."""

    kafka: str = field(repr=False)
    postgres: str = field(repr=False)
    keys: tuple[AuditKey, ...]

    @classmethod
    def of_stack(
        cls, data: Path | None, kafka: str | None, postgres: str | None, key_file: Path | None
    ) -> Self:
        """Take the given servers and keys, else those of the stack on a data folder. Raises UserError."""
        from cli.up import DEFAULT_DATA

        folder = data or DEFAULT_DATA
        servers = addresses(folder, kafka, postgres)
        return cls(*servers, audit_keys(key_file, DataFolder(folder).audit_key))

    @property
    def by_id(self) -> Keys:
        """The keys by their ids."""
        return {key.id: key for key in self.keys}


def run_verify(at: Trails) -> bool:
    """Check the trails of all services and print what is wrong. Return whether nothing is."""
    checked = ask_both(at.kafka, _verify(at))
    for one in checked:
        print_plain(stdout(), _line(one))
        for finding in one.wrong[:_WORST]:
            print_plain(stdout(), f"  {finding}")
        if len(one.wrong) > _WORST:
            print_plain(stdout(), f"  and {len(one.wrong) - _WORST} more")
    whole = not any(one.wrong for one in checked)
    print_plain(
        stdout(), "The audit trails are whole." if whole else "The audit trails are NOT whole."
    )
    return whole


def _line(one: Checked) -> str:
    return f"{one.service}: {one.rows} rows in {one.chains} chains, {one.announced} known to Kafka"


def run_export(at: Trails, wanted: Wanted, by: str | None, why: str) -> None:
    """Write a patient's trail to a file and say so. Raises UserError when it cannot be written."""
    entries = ask_both(at.kafka, _export(at, wanted, by or getpass.getuser(), why))
    try:
        write(wanted.file, entries)
    except OSError as error:
        raise UserError(f"{wanted.file} cannot be written: {error.strerror}.") from error
    print_plain(stdout(), f"{wanted.file} has {len(entries)} rows.")


def run_expire(at: Trails, years: int, by: str | None, yes: bool) -> None:
    """Delete rows older than so many years."""
    now = datetime.now(UTC)
    # 29 February has no anniversary in most years.
    before = now.replace(year=now.year - years, day=min(now.day, 28))
    if not yes:
        typer.confirm(f"Delete what is older than {before:%Y-%m-%d}?", abort=True)
    for service, rows in ask_both(at.kafka, _expire(at, before, by or getpass.getuser())).items():
        print_plain(stdout(), f"{service}: {rows} rows deleted")


async def _verify(at: Trails) -> list[Checked]:
    # First, so that the databases have at least what was announced.
    seals = await _seals(at.kafka)
    checked = []
    for service in SERVICES:
        async with database(at.postgres, service) as db:
            checked.append(await check_trail(db, service, at.by_id, seals))
    return checked


async def _seals(kafka: str) -> list[AuditSealed]:
    parser, topic = Parser.of([AUDIT_SEALS]), AUDIT_SEALS.name
    newest: dict[str, AuditSealed] = {}
    async with reader(kafka) as source:
        async for record in source.read(topic, await source.ends(topic)):
            message = parser.parse(record)
            if not isinstance(message, Message):
                raise UserError(f"A record on {topic} cannot be read: it is not one of ours.")
            if isinstance(message.body, AuditSealed):
                newest[message.key] = message.body
    return list(newest.values())


async def _export(at: Trails, wanted: Wanted, by: str, why: str) -> list[tuple[str, Entry]]:
    asked = by_operator(by, "audit.export", wanted.patient, why)
    found = []
    async with publisher(at.kafka) as producer:
        for service in SERVICES:
            async with database(at.postgres, service) as db:
                rows = await audit.export(db, wanted.patient, wanted.since, wanted.until)
                await write_announced(db, producer, service, at.keys[0], asked)
            found += [(service, entry) for entry in rows]
    return sorted(found, key=lambda each: each[1].at)


async def _expire(at: Trails, before: datetime, by: str) -> dict[str, int]:
    deleted: dict[str, int] = {}
    done = by_operator(by, "audit.expire", None, "")
    async with publisher(at.kafka) as producer:
        for service in SERVICES:
            async with database(at.postgres, service) as db:
                await write_announced(db, producer, service, at.keys[0], done)
                async with db.transaction():
                    deleted[service] = await _delete(db, at.by_id, before)
    return deleted


async def _delete(db: Connection, keys: Keys, before: datetime) -> int:
    deleted = 0
    for chain in await audit.chains(db):
        key = keys.get(chain.key_id)
        if key is not None:
            deleted += await audit.expire(db, chain, key, before)
    return deleted
