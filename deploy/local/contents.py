"""What the servers hold, as they say themselves while they run: a backup is compared with it later."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import asyncpg

from deploy.local.data import DataFolder, write_atomically
from deploy.local.errors import StackError
from deploy.local.kafka.server import LOG
from runtime.kafka.clients import admin
from runtime.postgres.sessions import SESSION

KAFKA = "kafka"
POSTGRES = "postgres"

_DATABASES = "select oid from pg_database order by oid"
_SYSTEM = "select system_identifier::text from pg_control_system()"


@dataclass(frozen=True)
class Contents:
    """One server's identity (Kafka's cluster id, PostgreSQL's system identifier), and its folders.

    The folders are relative to the data folder; none for a server that is not ours.
    """

    id: str
    folders: tuple[str, ...] = ()


async def kafka_contents(bootstrap: str) -> Contents:
    """Ask Kafka for its cluster id and the folder of each partition on each of its brokers.

    Raises KafkaError when Kafka is unavailable.
    """
    async with admin(bootstrap) as client:
        cluster = (await client.describe_cluster())["cluster_id"]
        topics = await client.describe_topics()
    folders = {
        f"kafka-{node}/{LOG}/{topic['topic']}-{partition['partition']}"
        for topic in topics
        for partition in topic["partitions"]
        for node in partition["replicas"]
    }
    return Contents(cluster, tuple(sorted(folders)))


async def postgres_contents(dsn: str) -> Contents:
    """Ask PostgreSQL for its system identifier and the folder of each database.

    Raises OSError or asyncpg.PostgresError when it is unavailable or refuses.
    """
    connection = await asyncpg.connect(dsn, server_settings=SESSION)
    try:
        system: str = await connection.fetchval(_SYSTEM)
        rows = await connection.fetch(_DATABASES)
    finally:
        await connection.close()
    return Contents(system, tuple(f"postgres/base/{row['oid']}" for row in rows))


async def require_contents(data: DataFolder, within_s: float) -> None:
    """Require in the data folder what the running servers hold.

    A broker makes a partition's folder some time after the controller tells of the partition.

    Raises StackError when a folder is still missing after `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while missing := missing_folders(data):
        if time.monotonic() > deadline:
            raise StackError(
                f"Kafka or PostgreSQL keeps its data elsewhere than in {data.path}: it has"
                f" {some_of(missing)}, which is not there."
            )
        await asyncio.sleep(0.1)


def missing_folders(data: DataFolder) -> list[str]:
    """List what the servers hold, by the last note, and the data folder has not."""
    noted = read_contents(data).values()
    names = [name for contents in noted for name in contents.folders]
    return [name for name in names if not (data.path / name).is_dir()]


def some_of(names: Iterable[str]) -> str:
    """Name the first, and the number of the others."""
    first, *others = names
    return f"{first} and {len(others)} more" if others else first


def write_contents(data: DataFolder, contents: Mapping[str, Contents]) -> None:
    """Write what these servers hold; what is known of another server stays."""
    known = {server: asdict(held) for server, held in read_contents(data).items()}
    write_atomically(data.contents, known | {name: asdict(held) for name, held in contents.items()})


def read_contents(data: DataFolder) -> dict[str, Contents]:
    """Read what each server held when it last ran; empty when the stack was never ready.

    Raises StackError when the file is damaged.
    """
    try:
        content = json.loads(data.contents.read_text())
        return {
            name: Contents(held["id"], tuple(held["folders"])) for name, held in content.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(
            f"{data.contents} is damaged ({error!r}); `herhaal up` writes it again."
        ) from error
