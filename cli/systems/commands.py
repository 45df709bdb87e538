"""What `herhaal systems` does: entries in the directory, topics, access lists, credentials."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.table import Table

from cli.console import UserError, print_plain, stdout
from cli.directory.publish import publish_system
from cli.entries.publishing import COPIES
from cli.kafka import ask
from cli.systems.grants import asks_who_connects, grant, revoke_left_over
from cli.systems.rules import wrong_system
from cli.up import DEFAULT_DATA
from deploy.local.data import DataFolder
from deploy.local.issuer.systems import issue_secret, withdraw_secret
from runtime.kafka.access_control import remove_user, set_password, users
from runtime.kafka.admin import apply_topics, count_brokers
from runtime.kafka.global_table import read_table
from runtime.kafka_address import MECHANISM, servers_of
from schemas.records.directory import System
from schemas.topic_lookup import topics_of_system
from schemas.topics import DIRECTORY_SYSTEMS


@dataclass(frozen=True)
class Wanted:
    """The system to add, as it was typed; without a `kind` it is in the directory already."""

    name: str
    kind: str | None
    practices: list[str]
    regions: list[str]
    pharmacies: list[str]
    contact: str


@dataclass(frozen=True)
class Credentials:
    """What a system logs in with. `kafka` is None where Kafka asks nobody; `http` where no issuer is ours."""

    name: str
    kafka: str | None = field(repr=False)
    http: str | None = field(repr=False)


def run_add(kafka: str, data: Path | None, wanted: Wanted) -> None:
    """Add a system and print its credentials.

    Raises:
        UserError: it is there already, was removed, or Kafka is unavailable or refuses.
        typer.BadParameter: a name, kind or code is none.
    """
    system, credentials = ask(kafka, _add(kafka, data, wanted))
    _show(kafka, system, credentials)


def run_rotate(kafka: str, data: Path | None, name: str) -> None:
    """Give a system new credentials and print them. Raises UserError when there is no such system."""
    system, credentials = ask(kafka, _rotate(kafka, data, name))
    _show(kafka, system, credentials)


def run_remove(kafka: str, data: Path | None, name: str) -> None:
    """Remove a system. Raises UserError when there is no such system."""
    ask(kafka, _remove(kafka, data, name))
    print_plain(
        stdout(), f"{name} is removed: it may do nothing from now on. Its name stays taken."
    )


def run_list(kafka: str) -> None:
    """Print all systems. Raises UserError when Kafka is unavailable or refuses."""
    systems, with_password = ask(kafka, _list(kafka))
    table = Table()
    for title in ("name", "kind", "serves", "contact", "state"):
        table.add_column(title, overflow="fold")
    for name, system in sorted(systems.items()):
        serves = [*system.regions, *system.practices, *system.pharmacies]
        state = "no credentials yet" if name not in with_password else "active"
        if system.removed_at is not None:
            state = f"removed on {system.removed_at:%Y-%m-%d}"
        table.add_row(name, system.kind, ", ".join(serves), system.contact, state)
    stdout().print(table)


async def _add(kafka: str, data: Path | None, wanted: Wanted) -> tuple[System, Credentials]:
    known = (await _systems(kafka)).get(wanted.name)
    if known is None:
        system = _new(wanted)
        await _publish(kafka, system)
    else:
        system = _active(known)
        if wanted.kind is not None:
            raise UserError(
                f"{system.name} is in the directory already: leave out what it serves to give it"
                " credentials, or change the directory file and apply it."
            )
    if asks_who_connects(kafka) and system.name in await users(kafka):
        raise UserError(f"{system.name} has credentials already; `systems rotate` makes new ones.")
    return system, await _credentials(kafka, data, system)


async def _rotate(kafka: str, data: Path | None, name: str) -> tuple[System, Credentials]:
    system = await _existing(kafka, name)
    return system, await _credentials(kafka, data, system)


async def _remove(kafka: str, data: Path | None, name: str) -> None:
    system = await _existing(kafka, name)
    removed = system.model_copy(
        update={"version": system.version + 1, "removed_at": datetime.now(UTC)}
    )
    # First for our services, which then refuse it over HTTP; then in Kafka, where its connections lose all
    # that they may do.
    await publish_system(kafka, removed)
    await revoke_left_over(kafka, removed)
    if asks_who_connects(kafka):
        await remove_user(kafka, name)
    if issuer := _local_issuer(data):
        withdraw_secret(issuer, name)


async def _list(kafka: str) -> tuple[Mapping[str, System], set[str]]:
    systems = await _systems(kafka)
    return systems, await users(kafka) if asks_who_connects(kafka) else {*systems}


async def _systems(kafka: str) -> dict[str, System]:
    return await read_table(kafka, DIRECTORY_SYSTEMS, System)


async def _existing(kafka: str, name: str) -> System:
    system = (await _systems(kafka)).get(name)
    if system is None:
        raise UserError(f"There is no system {name}; `systems list` shows them.")
    return _active(system)


def _active(system: System) -> System:
    if system.removed_at is not None:
        raise UserError(
            f"{system.name} was removed on {system.removed_at:%Y-%m-%d}, and its name stays taken:"
            " its records may still be judged by what it served."
        )
    return system


def _new(wanted: Wanted) -> System:
    """Make the first version of an entry. Raises UserError or typer.BadParameter for what is none."""
    if wanted.kind is None:
        raise UserError(
            f"There is no system {wanted.name} in the directory: say its --kind and whom it serves."
        )
    fields = {
        "name": wanted.name,
        "kind": wanted.kind,
        "contact": wanted.contact,
        "practices": tuple(wanted.practices),
        "regions": tuple(wanted.regions),
        "pharmacies": tuple(wanted.pharmacies),
    }
    try:
        system = System.model_validate(fields | {"version": 1}, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise typer.BadParameter(
            f"{first['input']!r}: {first['msg']}.", param_hint=str(first["loc"][0])
        ) from None
    if wrong := wrong_system(system):
        raise UserError(f"{wrong[:1].upper()}{wrong[1:]}.")
    return system


async def _publish(kafka: str, system: System) -> None:
    """Make the system's topics and access lists, then its entry: services read its topics from then on."""
    copies = min(COPIES, await count_brokers(kafka))
    await apply_topics(kafka, topics_of_system(system), copies)
    await grant(kafka, system)
    await publish_system(kafka, system)


async def _credentials(kafka: str, data: Path | None, system: System) -> Credentials:
    password = None
    if asks_who_connects(kafka):
        password = secrets.token_urlsafe(32)
        await set_password(kafka, system.name, password)
    issuer = _local_issuer(data)
    secret = issue_secret(issuer, system.name, system.kind) if issuer else None
    return Credentials(system.name, password, secret)


def _local_issuer(data: Path | None) -> Path | None:
    """The folder of the local stack's issuer; None where the issuer is somebody else's."""
    folder = DataFolder(data or DEFAULT_DATA).issuer
    return folder if folder.exists() else None


def _show(kafka: str, system: System, credentials: Credentials) -> None:
    lines = [f"{system.name}: keep this now, it is not shown again."]
    if credentials.kafka:
        topics = ", ".join(topic.name for topic in topics_of_system(system))
        lines += [
            f"  Kafka     {servers_of(kafka)}, {MECHANISM}",
            f"  user      {system.name}",
            f"  password  {credentials.kafka}",
            f"  writes    {topics}",
        ]
        if system.pharmacies:
            lines.append(f"  groups    must begin with {system.name}.")
    if credentials.http:
        lines += [
            "  HTTP      client credentials at the local issuer",
            f"  client    {system.name}",
            f"  secret    {credentials.http}",
        ]
    else:
        lines.append(
            f"  HTTP      register a client at your issuer whose tokens say sub {system.name} and"
            f" role {system.kind}"
        )
    print_plain(stdout(), "\n".join(lines))
