"""Apache Kafka in KRaft mode, one or three nodes, each broker and controller in one."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.data import DataFolder
from deploy.local.kafka.program import BROKER, STORAGE_TOOL, KafkaInstall
from deploy.local.ports import LOOPBACK, PortPlan, free_ports
from deploy.local.processes.process import Program, run
from deploy.local.processes.supervisor import Child, Probe
from deploy.local.report import PlainReport
from runtime.kafka.clients import closed

START_S = 60.0

LEARN_S = 180.0
"""A start to learn from is a slow one, and happens once for a version of Kafka and Java."""


def server_properties(
    plan: PortPlan, node: int, logs: Path, extra: Mapping[str, str] | None = None
) -> str:
    """The configuration of one node; nodes count from 1, and what is `extra` goes before ours."""
    replicas = plan.brokers
    voters = ",".join(f"{n}@{LOOPBACK}:{port}" for n, port in enumerate(plan.controller_ports, 1))
    broker = f"{LOOPBACK}:{plan.broker_ports[node - 1]}"
    controller = f"{LOOPBACK}:{plan.controller_ports[node - 1]}"
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": logs,
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": min(2, replicas),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": min(2, replicas),
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": min(2, replicas),
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        # Of the default of 128 MiB a quarter of the heap would go to keys to compact.
        "log.cleaner.dedupe.buffer.size": 16 << 20,
        # A partition's first record touches two files of this size, and a kernel may fill them whole for it.
        # 1 MiB of index is some 350 MB of records, after which another segment begins.
        "log.index.size.max.bytes": 1 << 20,
        # One that is killed and started again is taken back after this, not after 9 s.
        "broker.heartbeat.interval.ms": 1000,
        "broker.session.timeout.ms": 4000,
    }
    settings |= extra or {}
    return "".join(f"{name}={value}\n" for name, value in settings.items())


async def format_node(install: KafkaInstall, folder: Path, properties: Path, cluster: str) -> None:
    """Makes the storage of a node. Raises StackError when Kafka refuses."""
    arguments = ["format", "-t", cluster, "-c", str(properties)]
    argv = install.command(STORAGE_TOOL, arguments)
    # The tool runs for half a second: the optimising compiler would cost more than it gains.
    argv.insert(1, "-XX:TieredStopAtLevel=1")
    await run(Program("kafka format", argv, folder / "format.log"), "Formatting Kafka's storage")


async def kafka_node(
    install: KafkaInstall,
    plan: PortPlan,
    data: DataFolder,
    node: int,
    cluster: str,
    extra: Mapping[str, str] | None = None,
) -> Program:
    """One node, ready to start; its storage is made when the folder has none yet."""
    folder = data.kafka(node)
    folder.mkdir(exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(server_properties(plan, node, folder / "log", extra))
    if not (folder / "log" / "bootstrap.checkpoint").exists():
        await format_node(install, folder, properties, cluster)
    name = f"kafka-{node}"
    argv = install.command(BROKER, [str(properties)])
    return Program(name, argv, data.logs / f"{name}.log")


async def learn(install: KafkaInstall, folder: Path, options: tuple[str, ...]) -> None:
    """Starts a throw-away broker with these options, lets it answer, and stops it."""
    plan = free_ports()
    properties = folder / "server.properties"
    properties.write_text(server_properties(plan, 1, folder / "log"))
    await format_node(install, folder, properties, "herhaal-ahead-of-time1")
    argv = install.command(BROKER, [str(properties)], options)
    broker = Child(
        Program("kafka", argv, folder / "broker.log"), answers(plan.bootstrap), PlainReport()
    )
    await broker.start()
    try:
        await broker.ready(LEARN_S)
    finally:
        await broker.stop(LEARN_S)


def answers(bootstrap: str, brokers: int = 1) -> Probe:
    """A probe: Kafka answers at the first of these addresses and knows this many brokers."""
    address = bootstrap.split(",")[0]

    async def probe() -> str | None:
        if not await _listens(address):
            return f"nothing listens on {address}"
        try:
            known = await brokers_known(address)
        except (KafkaError, OSError) as error:
            return f"Kafka does not answer ({error!r})"
        return None if known >= brokers else f"{known} of {brokers} brokers are there"

    return probe


async def brokers_known(bootstrap: str) -> int:
    """How many brokers the cluster has. Raises KafkaError when none answers."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers())
    finally:
        await closed(client.close())


async def _listens(address: str) -> bool:
    """Asked first, as the Kafka client logs an error for every attempt that finds nobody."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    writer.close()
    return True
