"""What `herhaal topics` does: asks the broker, shows the differences, applies them."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table

from cli.console import print_plain, stdout
from cli.kafka import ask
from cli.systems.grants import asks_who_connects
from runtime.kafka.access_control import AccessPlan, apply_access, described, plan_access
from runtime.kafka.admin import Plan, Settings, apply_topics, count_brokers, plan_topics
from runtime.kafka.global_table import read_table
from schemas.grants import Grant, grants, services_grants
from schemas.records.directory import System
from schemas.topics import ALL, DIRECTORY_SYSTEMS, Topic

_LEFT = "left alone"
_WHY_LEFT = "left alone: nothing is shrunk, deleted or moved by this program; that is for a person to decide"


@dataclass(frozen=True)
class Differences:
    """How a broker differs from the registry; `access` is None where nobody logs in."""

    topics: Plan
    access: AccessPlan | None

    @property
    def empty(self) -> bool:
        """Whether it does not differ."""
        return self.topics.empty and (self.access is None or self.access.empty)


def run_plan(kafka: str) -> bool:
    """Print how the broker differs from the registry. Return whether it does.

    Raises:
        UserError: Kafka is unavailable or refuses.
    """
    differences = ask(kafka, _plan(kafka))
    _show(differences, pruned=False)
    return not differences.empty


def run_apply(kafka: str, replication: int | None, *, prune: bool) -> None:
    """Print the differences, and apply those that lose no records and, without `prune`, no access.

    `replication` None means 3 copies of each new topic, or as many as there are brokers.

    Raises:
        UserError: Kafka is unavailable or refuses.
    """
    _show(ask(kafka, _apply(kafka, replication, prune=prune)), pruned=prune)


async def _plan(kafka: str) -> Differences:
    topics = await plan_topics(kafka, ALL)
    if not asks_who_connects(kafka):
        return Differences(topics, None)
    return Differences(topics, await plan_access(kafka, await _grants(kafka, topics)))


async def _apply(kafka: str, replication: int | None, *, prune: bool) -> Differences:
    copies = replication or min(3, await count_brokers(kafka))
    topics = await apply_topics(kafka, ALL, copies)
    if not asks_who_connects(kafka):
        return Differences(topics, None)
    wanted = await _grants(kafka, topics)
    return Differences(topics, await apply_access(kafka, wanted, prune=prune))


async def _grants(kafka: str, plan: Plan) -> set[Grant]:
    """The access lists for the services and, where the directory exists already, for its systems."""
    if DIRECTORY_SYSTEMS in plan.create:
        return grants(())
    return grants((await read_table(kafka, DIRECTORY_SYSTEMS, System)).values())


async def prepare(kafka: str, replication: int) -> None:
    """Make what our services need: all topics of the registry, and their access lists. Removes nothing.

    Raises:
        KafkaError, AccessControlFailed: Kafka is away, or refuses.
    """
    await apply_topics(kafka, ALL, replication)
    if asks_who_connects(kafka):
        await apply_access(kafka, {*services_grants()}, prune=False)


def _show(differences: Differences, *, pruned: bool) -> None:
    show(differences.topics, ALL)
    if (access := differences.access) is None:
        print_plain(stdout(), "Nobody logs in to this Kafka, so it has no access lists.")
        return
    for grant in access.add:
        print_plain(stdout(), f"access list to add: {described(grant)}")
    what = "removed" if pruned else "left over; --prune removes it"
    for left_over in access.left_over:
        print_plain(stdout(), f"access list {what}: {left_over}")
    print_plain(
        stdout(), f"{len(access.add)} access lists missing, {len(access.left_over)} left over"
    )


def show(plan: Plan, topics: tuple[Topic, ...]) -> None:
    """Print the differences as a table, and the number of topics without any."""
    table = Table()
    for title in ("topic", "what", "on the broker", "in the registry"):
        table.add_column(title, overflow="fold")
    for row in _rows(plan):
        table.add_row(*row)
    console = stdout()
    if table.row_count:
        console.print(table)
    if plan.skipped or plan.refused:
        console.print(_WHY_LEFT, highlight=False, soft_wrap=True)
    different = {*(t.name for t in plan.create), *plan.configure, *plan.skipped, *plan.refused}
    same = sum(topic.name not in different for topic in topics)
    console.print(f"{same} of {len(topics)} topics unchanged", highlight=False)


def _rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    for topic in plan.create:
        yield (topic.name, "create", "", _described(topic))
    yield from _settings("change", plan.configure)
    yield from _settings(_LEFT, plan.skipped)
    for name, (old, new) in plan.refused.items():
        yield (name, _LEFT, f"partitions={old}", f"partitions={new}")


def _settings(what: str, settings: Settings) -> Iterator[tuple[str, str, str, str]]:
    for topic, changes in settings.items():
        for name, (old, new) in changes.items():
            yield (topic, what, f"{name}={old}", f"{name}={new}")


def _described(topic: Topic) -> str:
    kept = "compacted" if topic.retention is None else f"kept {topic.retention.days} days"
    return f"partitions={topic.partitions}, {kept}"
