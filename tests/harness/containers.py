"""Kafka and PostgreSQL in containers (testcontainers), in place of the stack's own.

Docker must run on this machine, as both listen on loopback only. Ports are chosen beforehand, so that the
addresses stay the same when a container is killed and started again.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local import LocalStack, StackError, StackOptions
from deploy.local.kafka.server import kafka_probe
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.postgres.server import postgres_probe
from deploy.local.processes.services import READY_S
from deploy.local.processes.supervisor import POLL_S, Probe

START_S = 120


@dataclass(frozen=True)
class Container:
    """A server in a container, with its address and its readiness probe."""

    docker: DockerContainer
    address: str
    probe: Probe

    def kill(self) -> None:
        """Send SIGKILL to the container; its data stays."""
        self.docker.get_wrapped_container().kill()

    def start(self) -> None:
        """Start it again on its data."""
        self.docker.get_wrapped_container().start()


@dataclass(frozen=True)
class Containers:
    """The servers of one run."""

    kafka: Container
    postgres: Container


class ContainerStack(LocalStack):
    """A stack whose Kafka and PostgreSQL are containers, under the names of the stack's own servers."""

    def __init__(self, options: StackOptions, containers: Containers) -> None:
        kafka, postgres = containers.kafka.address, containers.postgres.address
        super().__init__(replace(options, external_kafka=kafka, external_postgres=postgres))
        self._containers: Mapping[str, Container] = {
            "kafka-1": containers.kafka,
            "postgres": containers.postgres,
        }

    async def kill(self, name: str) -> None:
        if name in self._containers:
            await asyncio.to_thread(self._containers[name].kill)
        else:
            await super().kill(name)

    async def start(self, name: str, within_s: float = READY_S) -> None:
        if name in self._containers:
            await self._start_container(name, within_s)
        else:
            await super().start(name, within_s)

    async def _start_container(self, name: str, within_s: float) -> None:
        container = self._containers[name]
        deadline = time.monotonic() + within_s
        await asyncio.to_thread(container.start)
        while (reason := await container.probe()) is not None:
            if time.monotonic() > deadline:
                raise StackError(f"The container of {name} was not ready in time: {reason}.")
            await asyncio.sleep(POLL_S)


@contextmanager
def containers(kafka_image: str, postgres_image: str) -> Iterator[Containers]:
    """Run a Kafka and a PostgreSQL while the body runs."""
    ports = free_ports()
    kafka = _kafka(kafka_image, ports.kafka)
    postgres = _postgres(postgres_image, ports.postgres)
    bootstrap = f"{LOOPBACK}:{ports.kafka}"
    # testcontainers' own reaper is another image to pull, with full access to Docker.
    testcontainers_config.ryuk_disabled = True
    with _removed_at_the_latest_when_we_are_gone(), kafka, postgres:
        dsn = postgres.get_connection_url(host=LOOPBACK)
        yield Containers(
            Container(kafka, bootstrap, kafka_probe(bootstrap)),
            Container(postgres, dsn, postgres_probe(dsn)),
        )


def _kafka(image: str, port: int) -> DockerContainer:
    # The broker advertises its address to clients, so the host's port must be known before it starts.
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    started = LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(START_S)
    container = DockerContainer(image).with_envs(**settings).waiting_for(started)
    return _on_loopback(container, port, port)


def _postgres(image: str, port: int) -> PostgresContainer:
    # As many connections as the stack's own allows; the password has characters that a URL must escape.
    container = PostgresContainer(
        image, username="admin", password="p@ss/word:1", dbname="herhaal", driver=None
    ).with_command("postgres -c max_connections=200")
    _on_loopback(container, container.port, port)
    return container


def _on_loopback(container: DockerContainer, inside: int, port: int) -> DockerContainer:
    """Publish a port on loopback only.

    testcontainers passes on every value that Docker takes, but its types allow fewer: hence the cast.
    """
    cast("dict[str, object]", container.ports)[str(inside)] = (LOOPBACK, port)
    return container


@contextmanager
def _removed_at_the_latest_when_we_are_gone() -> Iterator[None]:
    """Remove this run's containers when the body ends, also after a kill -9.

    A separate process removes them as soon as the pipe from this process closes.
    """
    label = f"{LABEL_SESSION_ID}={SESSION_ID}"
    waiting = subprocess.Popen(
        [sys.executable, "-c", _REMOVE, label], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        assert waiting.stdin is not None
        waiting.stdin.close()
        waiting.wait()


_REMOVE = """
import sys
import docker

sys.stdin.read()
for left in docker.from_env().containers.list(all=True, filters={"label": sys.argv[1]}):
    left.remove(force=True, v=True)
"""
