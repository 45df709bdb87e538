"""Reads a file with a policy: what stands under `policy` in a directory file."""

from pathlib import Path

from cli.entries import checking
from cli.entries.checking import Rules
from schemas.records.directory import OrderHours, Policy

_RULES = Rules(
    Policy,
    about="must have the keys of a policy, such as auto_approve: all_plain; {} is the default policy",
    nested={"order_hours": OrderHours},
    message=lambda _: None,
    errors=lambda *_: (),
    doubts=lambda *_: (),
)


def read_policy(path: Path) -> Policy:
    """Read a policy; keys that are not in the file have their defaults.

    Raises:
        UserError: it cannot be read, or has errors; the message has one line for each.
    """
    return checking.check(path, _RULES).good()
