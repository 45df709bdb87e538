"""What `herhaal topics` does: asks the broker, shows the differences, brings the topics there."""

from collections.abc import Iterator

from rich.table import Table

from cli.console import stdout
from cli.kafka import ask
from runtime.kafka.admin import Plan, Settings, apply_topics, count_brokers, plan_topics
from schemas.topics import ALL, Topic

_LEFT = "left alone"
_WHY_LEFT = "left alone: nothing is shrunk, deleted or moved by this program; that is for a person to decide"


def run_plan(kafka: str) -> bool:
    """Print how the broker differs from the registry. Return whether it does.

    Raises:
        UserError: Kafka is unavailable or refuses.
    """
    plan = ask(kafka, plan_topics(kafka, ALL))
    show(plan, ALL)
    return not plan.empty


def run_apply(kafka: str, replication: int | None) -> None:
    """Print the differences, and apply those that lose no records.

    `replication` None means 3 copies of each new topic, or as many as there are brokers.

    Raises:
        UserError: Kafka is unavailable or refuses.
    """
    show(ask(kafka, _apply(kafka, replication)), ALL)


async def _apply(kafka: str, replication: int | None) -> Plan:
    copies = replication or min(3, await count_brokers(kafka))
    return await apply_topics(kafka, ALL, copies)


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
