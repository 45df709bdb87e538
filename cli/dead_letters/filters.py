"""Reads from the options of `herhaal dlq` which letters are meant."""

from collections.abc import Sequence

from cli.console import UserError
from cli.dead_letters import times
from cli.dead_letters.letters import LetterId
from cli.dead_letters.status import Filter


def read_filter(
    reason: str | None, topic: str | None, since: str | None, until: str | None
) -> Filter:
    """Make the filter of these options. Raises typer.BadParameter for an invalid time."""
    return Filter(
        reason,
        topic,
        None if since is None else times.read(since),
        None if until is None else times.read(until),
    )


def read_selection(ids: Sequence[str], everything: bool, wanted: Filter) -> list[LetterId]:
    """Read the letter ids; empty when a filter or --all selects the letters.

    Raises:
        UserError: not exactly one of ids, filter and --all was given.
    """
    if sum((bool(ids), everything, not wanted.empty)) == 1:
        return [LetterId.read(id) for id in ids]
    raise UserError(
        "Say which letters: their ids, or --reason, --topic, --since, --until, or --all."
    )
