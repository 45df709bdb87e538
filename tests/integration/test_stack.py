"""The local stack on real Kafka and PostgreSQL: start, stop, crash, restart."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import LocalStack, PortPlan, StackError, StackOptions, free_ports
from deploy.local.postgres.databases import owner_dsn
from runtime.kafka_address import client_options
from tests.harness.processes import Heard, eventually, tree

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def local(request: pytest.FixtureRequest) -> None:
    """Skip these tests unless `--stack` is `local`."""
    if request.config.getoption("--stack") != "local":
        pytest.skip("this tests the local stack itself, with its own servers")


@asynccontextmanager
async def servers(
    data: Path, ports: PortPlan | None = None, heard: Heard | None = None
) -> AsyncIterator[LocalStack]:
    options = StackOptions.at(data, ports or free_ports())
    async with LocalStack(options, heard or Heard()) as stack:
        await stack.start_servers()
        yield stack


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """Start one set of servers for the tests that leave it unchanged."""
    async with servers(tmp_path_factory.mktemp("shared")) as stack:
        yield stack


async def create_topic(stack: LocalStack, name: str) -> None:
    admin = AIOKafkaAdminClient(**client_options(stack.kafka))
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()


async def topics_of(stack: LocalStack) -> list[str]:
    admin = AIOKafkaAdminClient(**client_options(stack.kafka))
    await admin.start()
    names: list[str] = await admin.list_topics()
    await admin.close()
    return names


async def send(stack: LocalStack, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(**client_options(stack.kafka), acks="all")
    await producer.start()
    await producer.send_and_wait(topic, value)
    await producer.stop()


async def read(stack: LocalStack, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(topic, **client_options(stack.kafka), auto_offset_reset="earliest")
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 20)
    await consumer.stop()
    value: bytes | None = record.value
    return value


async def query(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_data_survives_a_stop_and_a_stop_leaves_no_process(
    shared: LocalStack, tmp_path: Path
) -> None:
    """Given another stack at the same time; then that has none of this one's data."""
    ports = free_ports()
    async with servers(tmp_path, ports) as stack:
        processes = [process for pid in stack.pids.values() for process in tree(pid)]
        await create_topic(stack, "kept")
        assert "kept" not in await topics_of(shared)
        await send(stack, "kept", b"a record")
        await query(
            owner_dsn(stack.postgres, "ordering"), "create table kept as select 42 as answer"
        )
    assert [process for process in processes if process.is_running()] == []

    async with servers(tmp_path, ports) as stack:
        assert await read(stack, "kept") == b"a record"
        assert await query(stack.databases["ordering"], "select answer from kept") == 42


ODD = " \n-zoë😀%41 #$,;:=\\u0041'\"[red]{}!*?~" + os.fsdecode(b"\xff\xfe ")
"""Everything that a configuration file, a list of folders, a shell or a terminal takes for something else."""


async def test_a_folder_may_have_any_name_that_the_file_system_allows(tmp_path: Path) -> None:
    """Given an odd name, and a path longer than PostgreSQL allows its own to be (1024 bytes);
    then data survives a stop, and nothing is written beside the folder."""
    folder = tmp_path.joinpath(*(["x" * 200] * 7), ODD)
    ports = free_ports()
    async with servers(folder, ports) as stack:
        await create_topic(stack, "kept")
        await send(stack, "kept", b"a record")
        await query(
            owner_dsn(stack.postgres, "ordering"), "create table kept as select 42 as answer"
        )
    async with servers(folder, ports) as stack:
        assert await read(stack, "kept") == b"a record"
        assert await query(stack.databases["ordering"], "select answer from kept") == 42
        await stack.note_contents()
        await stack.require_contents()
    assert os.listdir(folder.parent) == [folder.name]


async def test_servers_killed_with_9_come_back_on_their_data(shared: LocalStack) -> None:
    await create_topic(shared, "kept")
    await send(shared, "kept", b"a record")
    await query(owner_dsn(shared.postgres, "metrics"), "create table kept as select 42 as answer")
    for name in ("postgres", "kafka-1"):
        await shared.kill(name)
        assert name not in shared.pids
        await shared.start(name)
    assert await read(shared, "kept") == b"a record"
    assert await query(shared.databases["metrics"], "select answer from kept") == 42


async def test_a_service_cannot_open_the_database_of_another(shared: LocalStack) -> None:
    own = shared.databases["ordering"]
    assert await query(own, "select current_user || ' in ' || current_database()") == (
        "ordering in ordering"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await query(own.removesuffix("ordering") + "metrics", "select 1")


async def test_postgresql_is_of_version_18_and_keeps_what_it_committed(shared: LocalStack) -> None:
    assert str(await query(shared.postgres, "show server_version")).startswith("18")
    assert await query(shared.postgres, "show fsync") == "on"


async def test_a_folder_serves_only_one_stack(shared: LocalStack) -> None:
    with pytest.raises(StackError, match="Another stack is running"):
        async with servers(shared.data.path):
            pass


@pytest.fixture(scope="module")
async def once_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a stopped stack."""
    folder = tmp_path_factory.mktemp("once")
    async with servers(folder):
        return folder


@pytest.fixture
def stopped(once_run: Path, tmp_path: Path) -> Path:
    """Return the folder of a stopped stack, to be damaged."""
    subprocess.run(["cp", "-a", once_run, tmp_path / "stopped"], check=True)
    return tmp_path / "stopped"


@pytest.fixture
def taken() -> Iterator[PortPlan]:
    """Yield a plan whose Kafka port is in use."""
    plan = free_ports()
    with socket.create_server(("127.0.0.1", plan.kafka)):
        yield plan


async def test_a_taken_port_is_named_with_its_option_before_anything_starts(
    tmp_path: Path, taken: PortPlan
) -> None:
    with pytest.raises(StackError, match=rf"Port {taken.kafka} \(for Kafka\).*--kafka-port"):
        async with servers(tmp_path, taken):
            pass
    assert sorted(os.listdir(tmp_path)) == ["lock", "logs", "version.json"]


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        (
            "kafka-1/log/meta.properties",
            "",
            "kafka-1 .*: node ID not found in {folder}/kafka-1/log",
        ),
        (
            "kafka-1/server.properties",
            None,
            "{folder}/kafka-1/server.properties .*: Is a directory",
        ),
        ("logs/postgres.log", None, "{folder}/logs/postgres.log cannot be used: Is a directory"),
        (
            "postgres/PG_VERSION",
            "17\n",
            "postgres .* initialized by PostgreSQL version 17, which is not",
        ),
        (
            "postgres/postgresql.conf",
            "a = = b",
            'postgres .*: syntax error in file "{folder}/postgres',
        ),
    ],
)
async def test_what_keeps_a_server_from_starting_is_told(
    stopped: Path, file: str, content: str | None, why: str
) -> None:
    """Given a stopped stack of which a file is damaged, or a folder; then the message has the cause."""
    spoilt = stopped / file
    spoilt.unlink()
    if content is None:
        spoilt.mkdir()
    else:
        spoilt.write_text(content)
    with pytest.raises(StackError, match=why.format(folder=stopped)):
        async with servers(stopped):
            pass


async def test_a_port_that_is_taken_after_the_check_is_named(tmp_path: Path) -> None:
    async with LocalStack(StackOptions.at(tmp_path, free_ports()), Heard()) as stack:
        with (
            socket.create_server(("127.0.0.1", stack.ports.kafka)),
            pytest.raises(StackError, match=f"{stack.ports.kafka}: Address already in use"),
        ):
            await stack.start_kafka()


async def test_servers_that_were_promised_but_do_not_answer_are_told(
    tmp_path: Path,
) -> None:
    options = StackOptions(
        tmp_path,
        external_kafka="127.0.0.1:1",
        external_postgres="postgres://x",
        external_within_s=0.1,
    )
    async with LocalStack(options, Heard()) as stack:
        with pytest.raises(StackError, match=r"HERHAAL_KAFKA=127\.0\.0\.1:1 does not answer"):
            await stack.start_kafka()


async def test_servers_that_are_there_already_are_used_and_not_started(
    shared: LocalStack, tmp_path: Path
) -> None:
    options = StackOptions(tmp_path, external_kafka=shared.kafka, external_postgres=shared.postgres)
    async with LocalStack(options, Heard()) as other:
        await other.start_servers()
        assert other.pids == {}
        assert other.databases == shared.databases
        assert await other.replication() == 1
    assert len(shared.pids) == 2


ORPHANS = """
import asyncio, sys
from pathlib import Path
from deploy.local import LocalStack, StackOptions, free_ports

async def main():
    async with LocalStack(StackOptions.at(Path(sys.argv[1]), free_ports())) as stack:
        await stack.start_servers()
        print(*stack.pids.values(), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ties lives together")
async def test_nothing_is_left_when_the_supervisor_itself_is_killed_with_9(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ORPHANS, str(tmp_path)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert supervisor.stdout is not None
    pids = await supervisor.stdout.readline()
    processes = [process for pid in pids.split() for process in tree(int(pid))]
    supervisor.kill()
    await supervisor.wait()
    assert len(processes) > 2
    await eventually(lambda: not any(process.is_running() for process in processes))


def up(data: Path, ports: PortPlan) -> subprocess.CompletedProcess[str]:
    options = ["--port-base", str(ports.base), "--kafka-port", str(ports.kafka)]
    return subprocess.run(
        [sys.executable, "-m", "cli", "up", "--data", str(data), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_up_says_in_one_sentence_that_a_port_is_taken(tmp_path: Path, taken: PortPlan) -> None:
    ended = up(tmp_path, taken)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith(f"Port {taken.kafka} (for Kafka) is already")
    assert "Traceback" not in ended.stderr


def test_up_says_in_one_sentence_that_the_folder_is_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text('{"format": 99}')
    ended = up(tmp_path, free_ports())
    assert ended.returncode == 1
    assert "was written by a newer version of herhaal (format 99" in ended.stderr
    assert "Traceback" not in ended.stderr
