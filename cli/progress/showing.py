"""Prints the cluster check of services: a table, and what accepting would lose."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rich.table import Table

from cli.progress.look import ServiceProgress
from runtime.consistency.offsets import Misfit, PartitionCheck, describe


def table(services: Iterable[ServiceProgress]) -> Table:
    """Make a row for each input topic, its partitions added up."""
    shown = Table("service", "topic", "done", "to do", "fits")
    for one in services:
        by_topic: dict[str, list[PartitionCheck]] = defaultdict(list)
        for partition in one.check.partitions:
            by_topic[partition.tp.topic].append(partition)
        for topic, partitions in sorted(by_topic.items()):
            wrong = [s for s in partitions if s.misfit is not None]
            fits = "[red]another Kafka[/red]" if one.check.other_cluster else "yes"
            if wrong:
                fits = f"[red]not in {len(wrong)} of {len(partitions)} partitions[/red]"
            done = sum(s.next_offset for s in partitions)
            to_do = sum(max(0, s.end - s.next_offset) for s in partitions)
            shown.add_row(one.service, topic, f"{done}", f"{to_do}", fits)
    return shown


def losses(service: ServiceProgress) -> Iterator[str]:
    """Describe each misfit, and what is lost by accepting this Kafka; nothing when all fits."""
    check = service.check
    if check.other_cluster:
        yield (
            f"{service.service} belongs to Kafka cluster {check.stored_cluster}, and this is {check.cluster}."
            " What was on that one and is not handled yet is lost with it."
        )
    for partition in check.misfits:
        if partition.misfit is not None:
            yield f"{describe(partition, partition.misfit)}.{_lost(partition, partition.misfit)}"
    if not service.fits:
        yield (
            f"`herhaal progress accept {service.service}` starts it at the beginning of these partitions:"
            " what it knows already changes nothing. Bring back the newer Kafka instead where you can."
        )


def _lost(partition: PartitionCheck, misfit: Misfit) -> str:
    if misfit is Misfit.EXPIRED:
        return f" {partition.begin - partition.next_offset} records are lost to {partition.tp.topic}'s reader."
    return ""
