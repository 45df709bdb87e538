"""Calling the operator's commands on a running stack, as a person would."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from cli.app import app
from deploy.local import LocalStack
from schemas import topics
from schemas.records.operators import OperatorAction
from tests.harness.kafka import eventually, header, read_all


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    text: str
    code: int
    error: BaseException | None


async def herhaal(stack: LocalStack, *arguments: str) -> Said:
    """Run a command against the stack's Kafka."""
    result = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        [*arguments, "--kafka", stack.kafka],
        env={"COLUMNS": "300"},
    )
    return Said(result.output, result.exit_code, result.exception)


async def letters(stack: LocalStack, service: str = "ordering") -> list[dict[str, Any]]:
    """What `dlq list --json` says."""
    said = await herhaal(stack, "dlq", "list", service, "--json")
    assert said.code == 0, said
    found: list[dict[str, Any]] = json.loads(said.text)
    return found


async def letter_of(stack: LocalStack, mark: str, *, but: tuple[str, ...] = ()) -> str:
    """The id of the dead letter whose key is `mark`, once there is one besides those in `but`."""
    topic = topics.dead_letters("ordering").name

    async def look() -> list[str]:
        found = [r for r in await read_all(stack.kafka, topic) if r.key == mark.encode()]
        return [i for r in found if (i := f"{r.partition}:{r.offset}") not in but]

    ids: list[str] = await eventually(look, lambda seen: len(seen) >= 1)
    return ids[0]


async def state(stack: LocalStack, letter: str) -> tuple[str, str | None]:
    """What the list says became of a letter, and of which other letter it speaks."""
    row = next(row for row in await letters(stack) if row["id"] == letter)
    return row["state"], row["other"]


async def audited(stack: LocalStack, letter: str) -> list[OperatorAction]:
    """What the audit has of a letter, in order."""
    records = await read_all(stack.kafka, topics.OPERATORS_AUDIT.name)
    actions = [
        OperatorAction.model_validate_json(r.value)
        for r in records
        if header(r, "ce_type") == OperatorAction.ce_type()
    ]
    return [a for a in actions if a.letter == letter]


def plain(text: str) -> str:
    """One line with single spaces, without a table's frame."""
    return re.sub(r"\s+", " ", re.sub(r"[│┃┏┓┗┛━─┌┐└┘├┤┬┴┼┡┩╇╈]", " ", text))
