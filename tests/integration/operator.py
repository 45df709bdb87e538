"""Run the operator's commands against a running stack."""

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
    """The output, exit code and exception of a command."""

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
    """Return the rows that `dlq list --json` prints."""
    said = await herhaal(stack, "dlq", "list", service, "--json")
    assert said.code == 0, said
    found: list[dict[str, Any]] = json.loads(said.text)
    return found


async def letter_of(stack: LocalStack, mark: str, *, but: tuple[str, ...] = ()) -> str:
    """Return the id of the dead letter with this key, as soon as there is one that is not in `but`."""
    topic = topics.dead_letters("ordering").name

    async def look() -> list[str]:
        found = [r for r in await read_all(stack.kafka, topic) if r.key == mark.encode()]
        return [i for r in found if (i := f"{r.partition}:{r.offset}") not in but]

    ids: list[str] = await eventually(look, lambda seen: len(seen) >= 1)
    return ids[0]


async def state(stack: LocalStack, letter: str) -> tuple[str, str | None]:
    """Return a letter's status in the list, and the id of the other letter that the row names."""
    row = next(row for row in await letters(stack) if row["id"] == letter)
    return row["state"], row["other"]


async def audited(stack: LocalStack, letter: str) -> list[OperatorAction]:
    """Return the audit's actions on a letter, in order."""
    records = await read_all(stack.kafka, topics.OPERATORS_AUDIT.name)
    actions = [
        OperatorAction.model_validate_json(r.value)
        for r in records
        if header(r, "ce_type") == OperatorAction.ce_type()
    ]
    return [a for a in actions if a.letter == letter]


def plain(text: str) -> str:
    """Return the text as one line with single spaces, without a table's frame."""
    return re.sub(r"\s+", " ", re.sub(r"[│┃┏┓┗┛━─┌┐└┘├┤┬┴┼┡┩╇╈]", " ", text))
