"""Apache Kafka in KRaft mode: one or three nodes, each both broker and controller."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.data import DataFolder
from deploy.local.kafka.program import BROKER, STORAGE_TOOL, KafkaInstall
from deploy.local.ports import LOOPBACK, PortPlan, free_ports
from deploy.local.processes.process import HERE, Program, run
from deploy.local.processes.supervisor import Child, Probe
from deploy.local.report import PlainReport
from runtime.kafka.clients import closed

START_S = 60.0

PROPERTIES = "server.properties"
LOG = "log"
"""In the folder of a node: its configuration, and the folder of its records."""

TRAIN_S = 180.0
"""A training run is slow, and happens once for a version of Kafka and Java."""


def server_properties(plan: PortPlan, node: int, extra: Mapping[str, str] | None = None) -> str:
    """Make the configuration of one node, counted from 1; `extra` overrides ours.

    The node runs in its own folder and keeps its log below it.
    """
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
        "log.dirs": f"{HERE}/{LOG}",
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
        # The default of 128 MiB would be a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": 16 << 20,
        # Two files of this size are preallocated for each partition. 1 MiB of index holds some 350 MB of
        # records; then the next segment begins.
        "log.index.size.max.bytes": 1 << 20,
        # A broker that is killed and restarted may register again after this, instead of after 9 s.
        "broker.heartbeat.interval.ms": 1000,
        "broker.session.timeout.ms": 4000,
    }
    settings |= extra or {}
    return "".join(f"{name}={value}\n" for name, value in settings.items())


async def format_node(install: KafkaInstall, folder: Path, cluster: str) -> None:
    """Format the storage of a node. Raises StackError when Kafka refuses."""
    arguments = ["format", "-t", cluster, "-c", f"{HERE}/{PROPERTIES}"]
    argv = install.command(STORAGE_TOOL, arguments)
    # The tool runs for half a second, too short for the optimising compiler.
    argv.insert(1, "-XX:TieredStopAtLevel=1")
    program = install.program("kafka format", argv, folder / "format.log", folder)
    await run(program, "Formatting Kafka's storage")


async def kafka_node(
    install: KafkaInstall,
    plan: PortPlan,
    data: DataFolder,
    node: int,
    cluster: str,
    extra: Mapping[str, str] | None = None,
) -> Program:
    """Make the program of one node; format its storage when that does not exist yet."""
    folder = data.kafka(node)
    folder.mkdir(exist_ok=True)
    (folder / PROPERTIES).write_text(server_properties(plan, node, extra))
    if not (folder / LOG / "bootstrap.checkpoint").exists():
        await format_node(install, folder, cluster)
    name = f"kafka-{node}"
    argv = install.command(BROKER, [f"{HERE}/{PROPERTIES}"])
    return install.program(name, argv, data.logs / f"{name}.log", folder)


async def train(install: KafkaInstall, folder: Path, options: tuple[str, ...]) -> None:
    """Start a temporary broker with these options, wait until it is ready, and stop it."""
    plan = free_ports()
    (folder / PROPERTIES).write_text(server_properties(plan, 1))
    await format_node(install, folder, "herhaal-ahead-of-time1")
    argv = install.command(BROKER, [f"{HERE}/{PROPERTIES}"], options)
    program = install.program("kafka", argv, folder / "broker.log", folder)
    broker = Child(program, kafka_probe(plan.bootstrap), PlainReport())
    await broker.start()
    try:
        await broker.ready(TRAIN_S)
    finally:
        await broker.stop(TRAIN_S)


def kafka_probe(bootstrap: str, brokers: int = 1) -> Probe:
    """Make a probe: the first of these addresses answers, and the cluster has this many brokers."""
    address = bootstrap.split(",")[0]

    async def probe() -> str | None:
        if not await _listens(address):
            return f"nothing listens on {address}"
        try:
            registered = await count_brokers(address)
        except (KafkaError, OSError) as error:
            return f"Kafka does not answer ({error!r})"
        return None if registered >= brokers else f"{registered} of {brokers} brokers are ready"

    return probe


async def count_brokers(bootstrap: str) -> int:
    """Count the brokers of a cluster. Raises KafkaError when none answers."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers())
    finally:
        await closed(client.close())


async def _listens(address: str) -> bool:
    """Whether the port is open. Checked first, as the Kafka client logs an error for each failed attempt."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    writer.close()
    return True
