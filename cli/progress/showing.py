"""How services stand, as a table, and what going on would lose, in sentences."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rich.table import Table

from cli.progress.look import Found
from runtime.consistency.offsets import Misfit, Standing, in_words


def table(found: Iterable[Found]) -> Table:
    """A row for each topic that a service reads, its partitions added up."""
    shown = Table("service", "topic", "done", "to do", "fits")
    for one in found:
        by_topic: dict[str, list[Standing]] = defaultdict(list)
        for standing in one.belonging.standings:
            by_topic[standing.tp.topic].append(standing)
        for topic, standings in sorted(by_topic.items()):
            wrong = [s for s in standings if s.misfit is not None]
            fits = "[red]another Kafka[/red]" if one.belonging.other_cluster else "yes"
            if wrong:
                fits = f"[red]not in {len(wrong)} of {len(standings)} partitions[/red]"
            done = sum(s.done for s in standings)
            to_do = sum(max(0, s.end - s.done) for s in standings)
            shown.add_row(one.service, topic, f"{done}", f"{to_do}", fits)
    return shown


def losses(found: Found) -> Iterator[str]:
    """What is wrong, and what going on with this Kafka loses; nothing when all fits."""
    here = found.belonging
    if here.other_cluster:
        yield (
            f"{found.service} belongs to Kafka cluster {here.known}, and this is {here.cluster}."
            " What was on that one and is not handled yet is lost with it."
        )
    for standing in here.misfits:
        if standing.misfit is not None:
            yield f"{in_words(standing, standing.misfit)}.{_lost(standing, standing.misfit)}"
    if not found.fits:
        yield (
            f"`herhaal progress accept {found.service}` starts it at the beginning of these partitions:"
            " what it knows already changes nothing. Bring back the newer Kafka instead where you can."
        )


def _lost(standing: Standing, misfit: Misfit) -> str:
    if misfit is Misfit.EXPIRED:
        return (
            f" {standing.begin - standing.done} records are lost to {standing.tp.topic}'s reader."
        )
    return ""
