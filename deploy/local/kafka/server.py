"""Apache Kafka in KRaft mode: one or three nodes, each both broker and controller."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.data import DataFolder, write_for_owner
from deploy.local.kafka.program import BROKER, STORAGE_TOOL, KafkaInstall
from deploy.local.kafka.security import CLIENT, CONTROLLER, OPEN, Security, new_passwords
from deploy.local.ports import LOOPBACK, PortPlan, free_ports
from deploy.local.processes.process import HERE, Program, run
from deploy.local.processes.supervisor import Child, Probe
from deploy.local.report import PlainReport
from runtime.kafka.clients import closed
from runtime.kafka_address import Address, client_options
from schemas.access import Party

START_S = 60.0

PROPERTIES = "server.properties"
LOG = "log"
"""In the folder of a node: its configuration, and the folder of its records."""

TRAIN_S = 180.0
"""A training run is slow, and happens once for a version of Kafka and Java."""


def server_properties(
    plan: PortPlan,
    node: int,
    security: Security | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Make the configuration of one node, counted from 1; `extra` overrides ours.

    The node runs in its own folder and keeps its log below it. Without `security` it asks nobody who they are.
    """
    replicas = plan.brokers
    voters = ",".join(f"{n}@{LOOPBACK}:{port}" for n, port in enumerate(plan.controller_ports, 1))
    broker = f"{LOOPBACK}:{plan.broker_ports[node - 1]}"
    controller = f"{LOOPBACK}:{plan.controller_ports[node - 1]}"
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": voters,
        "listeners": f"{CLIENT}://{broker},{CONTROLLER}://{controller}",
        "advertised.listeners": f"{CLIENT}://{broker},{CONTROLLER}://{controller}",
        "controller.listener.names": CONTROLLER,
        "inter.broker.listener.name": CLIENT,
        **(security.settings() if security else OPEN),
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


async def format_node(
    install: KafkaInstall, folder: Path, cluster: str, security: Security | None
) -> None:
    """Format the storage of a node, with the users that may log in. Raises StackError when Kafka refuses."""
    users = security.format_arguments() if security else ()
    arguments = ["format", "-t", cluster, "-c", f"{HERE}/{PROPERTIES}", *users]
    java, *argv = install.command(STORAGE_TOOL, arguments)
    # In a file, as everybody on the machine can see a command line, and this one holds passwords. The tool
    # runs for half a second, too short for the optimising compiler.
    argument_file = folder / "format.arguments"
    write_for_owner(argument_file, "\n".join(map(_quoted, ["-XX:TieredStopAtLevel=1", *argv])))
    program = install.program(
        "kafka format", [java, f"@{HERE}/{argument_file.name}"], folder / "format.log", folder
    )
    try:
        await run(program, "Formatting Kafka's storage")
    finally:
        argument_file.unlink()


def _quoted(argument: str) -> str:
    """Quote an argument as the `java` command reads it in a file."""
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def kafka_node(
    install: KafkaInstall,
    plan: PortPlan,
    data: DataFolder,
    node: int,
    cluster: str,
    security: Security | None = None,
    extra: Mapping[str, str] | None = None,
) -> Program:
    """Make the program of one node; format its storage when that does not exist yet."""
    folder = data.kafka(node)
    # What patients order is in the records.
    folder.mkdir(mode=0o700, exist_ok=True)
    write_for_owner(folder / PROPERTIES, server_properties(plan, node, security, extra))
    if not (folder / LOG / "bootstrap.checkpoint").exists():
        await format_node(install, folder, cluster, security)
    name = f"kafka-{node}"
    argv = install.command(BROKER, [f"{HERE}/{PROPERTIES}"])
    return install.program(name, argv, data.logs / f"{name}.log", folder)


async def train(install: KafkaInstall, folder: Path, options: tuple[str, ...]) -> None:
    """Start a temporary broker with these options, wait until it is ready, and stop it."""
    plan = free_ports()
    security = Security(new_passwords())
    write_for_owner(folder / PROPERTIES, server_properties(plan, 1, security))
    await format_node(install, folder, "herhaal-ahead-of-time1", security)
    argv = install.command(BROKER, [f"{HERE}/{PROPERTIES}"], options)
    program = install.program("kafka", argv, folder / "broker.log", folder)
    address = security.address(plan.bootstrap, Party.OPERATOR)
    broker = Child(program, kafka_probe(address), PlainReport())
    await broker.start()
    try:
        await broker.ready(TRAIN_S)
    finally:
        await broker.stop(TRAIN_S)


def kafka_probe(kafka: str, brokers: int = 1) -> Probe:
    """Make a probe: the first server of this address answers, and the cluster has this many brokers."""
    whole = Address.parse(kafka)
    server = whole.servers[0]
    address = replace(whole, servers=(server,)).full

    async def probe() -> str | None:
        if not await _listens(server):
            return f"nothing listens on {server}"
        try:
            registered = await count_brokers(address)
        except (KafkaError, OSError) as error:
            return f"Kafka does not answer ({error!r})"
        return None if registered >= brokers else f"{registered} of {brokers} brokers are ready"

    return probe


async def count_brokers(kafka: str) -> int:
    """Count the brokers of a cluster. Raises KafkaError when none answers."""
    client = AIOKafkaClient(**client_options(kafka), request_timeout_ms=2000)
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
