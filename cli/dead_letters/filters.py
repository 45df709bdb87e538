"""What the options of `herhaal dlq` say about which letters are meant."""

from collections.abc import Sequence

from cli.console import UserError
from cli.dead_letters import times
from cli.dead_letters.letters import LetterId
from cli.dead_letters.status import Filter


def read_filter(
    reason: str | None, topic: str | None, since: str | None, until: str | None
) -> Filter:
    """The filter in these options. Raises typer.BadParameter for what is no time."""
    return Filter(
        reason,
        topic,
        None if since is None else times.read(since),
        None if until is None else times.read(until),
    )


def read_selection(ids: Sequence[str], everything: bool, wanted: Filter) -> list[LetterId]:
    """The ids that were named; none when a filter or --all says which.

    Raises:
        UserError: nothing says which letters, or two things do.
    """
    if sum((bool(ids), everything, not wanted.empty)) == 1:
        return [LetterId.read(id) for id in ids]
    raise UserError(
        "Say which letters: their ids, or --reason, --topic, --since, --until, or --all."
    )
