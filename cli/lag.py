"""`herhaal lag`: the lag of each service on its input topics, by its committed offsets."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.console import stdout
from cli.kafka import ask
from runtime.kafka import group_offsets
from runtime.kafka.clients import admin, open_consumer
from runtime.kafka.group_members import Member, count_by_host, duplicate_processes, members
from schemas.topics import SERVICES

EVERY_S = 2.0


@dataclass(frozen=True)
class PartitionLag:
    """The lag of one partition, in records. `committed` is None when the group never committed."""

    topic: str
    partition: int
    end: int
    committed: int | None
    lag: int


@dataclass(frozen=True)
class ServiceLag:
    """The consumer group of one service. Without partitions it has never run on this Kafka."""

    service: str
    partitions: tuple[PartitionLag, ...]
    members: tuple[Member, ...] = ()

    @property
    def total(self) -> int:
        return sum(p.lag for p in self.partitions)

    @property
    def topics(self) -> dict[str, list[PartitionLag]]:
        """Its partitions by topic."""
        by_topic: dict[str, list[PartitionLag]] = {}
        for partition in self.partitions:
            by_topic.setdefault(partition.topic, []).append(partition)
        return by_topic


def run_lag(kafka: str, watch: bool, partitions: bool) -> None:
    """Print the lag once, or with `watch` every EVERY_S seconds until Ctrl-C.

    Raises:
        UserError: Kafka is unavailable or refuses.
    """
    console = stdout()
    if not watch:
        console.print(render(ask(kafka, lags(kafka)), partitions))
        return
    with suppress(KeyboardInterrupt):
        ask(kafka, _watch(kafka, console, partitions))


async def lags(kafka: str) -> list[ServiceLag]:
    """Read the lag of every service. Raises KafkaError or OSError when Kafka is unavailable or refuses."""
    async with admin(kafka) as client, open_consumer(kafka) as consumer:
        return [await _service(client, consumer, name) for name in SERVICES]


def render(services: Sequence[ServiceLag], partitions: bool) -> Group:
    """Make a table, and a line for each service."""
    table = Table()
    for title in ("service", "topic", *(["partition", "committed", "end"] if partitions else [])):
        table.add_column(title, overflow="fold")
    table.add_column("lag", justify="right")
    for service in services:
        for row in _partition_rows(service) if partitions else _topic_rows(service):
            table.add_row(*map(Text, row))
    lines = [
        Text(line)
        for service in services
        for line in (_summary(service), *_duplicate_members(service))
    ]
    return Group(table, *lines) if table.row_count else Group(*lines)


async def _service(
    client: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, service: str
) -> ServiceLag:
    reached = await group_offsets.committed(client, service)
    group = await members(client, [service])
    wanted = await group_offsets.existing_partitions(client, {tp.topic for tp in reached})
    if not wanted:
        return ServiceLag(service, (), group)
    ends = await consumer.end_offsets(wanted)
    starts = await consumer.beginning_offsets(wanted)
    return ServiceLag(
        service,
        tuple(
            PartitionLag(
                tp.topic,
                tp.partition,
                ends[tp],
                reached.get(tp),
                max(0, ends[tp] - reached.get(tp, starts[tp])),
            )
            for tp in wanted
        ),
        group,
    )


async def _watch(kafka: str, console: Console, partitions: bool) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(render(await lags(kafka), partitions), refresh=True)
            await asyncio.sleep(EVERY_S)


def _topic_rows(service: ServiceLag) -> Iterator[tuple[str, ...]]:
    for topic, partitions in service.topics.items():
        yield service.service, topic, str(sum(p.lag for p in partitions))


def _partition_rows(service: ServiceLag) -> Iterator[tuple[str, ...]]:
    for p in service.partitions:
        committed = "never" if p.committed is None else str(p.committed)
        yield service.service, p.topic, str(p.partition), committed, str(p.end), str(p.lag)


def _summary(service: ServiceLag) -> str:
    who = _members(service)
    match service.partitions, service.total:
        case (), _:
            return f"{service.service}: has never run on this Kafka"
        case _, 0:
            return f"{service.service}: up to date, {who}"
        case _, 1:
            return f"{service.service}: 1 record behind, {who}"
        case _, total:
            return f"{service.service}: {total} records behind, {who}"


def _members(service: ServiceLag) -> str:
    """Describe the members of its group, and the hosts with several of them."""
    noun = "member" if len(service.members) == 1 else "members"
    crowded = [f"{n} on {host}" for host, n in count_by_host(service.members).items() if n > 1]
    where = f" ({', '.join(crowded)})" if crowded else ""
    return f"{len(service.members)} {noun}{where}"


def _duplicate_members(service: ServiceLag) -> Iterator[str]:
    for member in duplicate_processes(service.members):
        yield (
            f"{service.service}: ERROR: the process {member.client_id} is in the group twice, and"
            " handles only a part of its partitions. If that lasts longer than 10 s, restart it."
        )
