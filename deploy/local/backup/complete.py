"""Compares the files of a backup with what Kafka and PostgreSQL held when they last ran.

A backup of less would look like any other, and be missed only when it is needed.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.local.contents import KAFKA, POSTGRES, Contents, read_contents, some_of
from deploy.local.data import DataFolder, Identity
from deploy.local.errors import StackError
from deploy.local.kafka.server import LOG

_METADATA = "__cluster_metadata-0"
"""The partition in which Kafka keeps what it knows of all others."""


def require_complete(data: DataFolder, identity: Identity, paths: Iterable[Path]) -> None:
    """Require that these files are all that the stack has. Raises StackError that names what is missing."""
    held = read_contents(data)
    _require_same_servers(data, identity, held)
    filled = {str(path.parent.relative_to(data.path)) for path in paths if path.is_file()}
    expected = [*_always(identity), *(name for one in held.values() for name in one.folders)]
    missing = [name for name in expected if name not in filled]
    if missing:
        raise StackError(
            f"No backup is made, as it would not be complete: {data.path} has nothing in"
            f" {some_of(missing)}, which the stack had when it last ran."
        )


def _always(identity: Identity) -> Iterator[str]:
    """List the folders without which a server does not start."""
    for node in range(1, identity.brokers + 1):
        yield f"kafka-{node}/{LOG}/{_METADATA}"
    yield "postgres/global"


def _require_same_servers(data: DataFolder, identity: Identity, held: dict[str, Contents]) -> None:
    for node in range(1, identity.brokers + 1):
        _require_id(data, f"Kafka's node {node}", identity.kafka_cluster, _cluster_id(data, node))
    if KAFKA in held:
        _require_id(data, "Kafka", held[KAFKA].id, identity.kafka_cluster)
    if POSTGRES in held:
        _require_id(data, "PostgreSQL", held[POSTGRES].id, _system_id(data))


def _require_id(data: DataFolder, server: str, expected: str, found: str | None) -> None:
    if found != expected:
        raise StackError(
            f"No backup is made, as it would not be complete: {server} of this stack is {expected},"
            f" and in {data.path} is {found or 'none'}. A server of your own (HERHAAL_KAFKA,"
            " HERHAAL_POSTGRES) is backed up with its own tools."
        )


def _cluster_id(data: DataFolder, node: int) -> str | None:
    """Read the id of the cluster that a node's log belongs to; None without a log."""
    try:
        lines = (data.kafka(node) / LOG / "meta.properties").read_text().splitlines()
    except FileNotFoundError:
        return None
    return dict(line.partition("=")[::2] for line in lines).get("cluster.id")


def _system_id(data: DataFolder) -> str | None:
    """Read the system identifier, with which `pg_control` begins; None without that file."""
    try:
        with (data.postgres / "global" / "pg_control").open("rb") as file:
            (system,) = struct.unpack("=Q", file.read(8))
    except (FileNotFoundError, struct.error):
        return None
    return str(system)
