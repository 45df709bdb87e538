"""What `herhaal dlq` does for each command: reads, acts, shows; every action leaves an audit record."""

import getpass
from collections.abc import Sequence

from rich.console import Console

from cli.audit import Signature
from cli.console import UserError, stdout
from cli.dead_letters import audit, tables
from cli.dead_letters.box import Box, open_box, records
from cli.dead_letters.kafka import Writer, reader
from cli.dead_letters.letters import LetterId
from cli.dead_letters.replay import Wish, replay
from cli.dead_letters.status import DROP, SHOW, Filter, Result, State
from cli.dead_letters.times import shown
from cli.kafka import ask


def signature(by: str | None, why: str) -> Signature:
    """Who acts: the name given, or the account at this machine."""
    return Signature(by or getpass.getuser(), why)


def run_list(kafka: str, service: str, wanted: Filter, json: bool) -> None:
    """Print a service's letters. Raises UserError when Kafka cannot be asked."""
    box = ask(kafka, _box(kafka, service))
    letters = box.matching(wanted)
    if json:
        print(tables.as_json(box, letters))
    else:
        tables.print_letters(stdout(), box, letters)


def run_show(kafka: str, service: str, id: str, signed: Signature, body: bool) -> None:
    """Print one letter. With `body` its content too, after the audit has it.

    Raises:
        UserError: there is no such letter, or Kafka cannot be asked.
    """
    ask(kafka, _show(kafka, service, LetterId.read(id), signed, body))


def run_replay(kafka: str, wish: Wish) -> bool:
    """Replay, print what became of each; whether all were handled.

    Raises:
        UserError: they may not be replayed so, or Kafka cannot be asked.
    """
    console = stdout()
    fates = ask(kafka, replay(kafka, wish, lambda text: _say(console, text)))
    for fate in fates:
        _say(console, tables.fate_line(fate))
    if not fates:
        _say(console, "There is nothing to replay.")
    return all(fate.result is Result.HANDLED for fate in fates)


def run_drop(kafka: str, service: str, ids: Sequence[str], signed: Signature) -> None:
    """Settle letters without replaying them.

    Raises:
        UserError: one is not there or settled already (then none is dropped), or Kafka cannot be asked.
    """
    ask(kafka, _drop(kafka, service, sorted({LetterId.read(id) for id in ids}), signed))


async def _box(kafka: str, service: str) -> Box:
    async with reader(kafka) as source:
        return await open_box(source, service)


async def _show(kafka: str, service: str, id: LetterId, signed: Signature, body: bool) -> None:
    console = stdout()
    async with reader(kafka) as source:
        box = await open_box(source, service)
        letter = box.letter(id)
        record = (await records(source, box, {id}))[id]
    if body:
        done = audit.action(SHOW, service, id, signed, Result.SHOWN)
        async with Writer.open(kafka) as writer:
            for line in await audit.keep(writer, [done]):
                _say(console, line)
    for line in (
        f"{service} {id}: {tables.became(box, letter)}",
        f"reason: {letter.reason}" + (f" ({letter.detail})" if letter.detail else ""),
        f"when: {shown(letter.at)} (Amsterdam)",
        f"type: {tables.type_of(letter)}",
        f"origin: {letter.origin}",
        *tables.record_lines(record, body=body),
    ):
        _say(console, line)


async def _drop(kafka: str, service: str, ids: Sequence[LetterId], signed: Signature) -> None:
    async with reader(kafka) as source:
        box = await open_box(source, service)
    for id in ids:
        letter = box.letter(id)
        if box.standing[id].state not in (State.OPEN, State.REPLAYED):
            raise UserError(f"{id} is settled already: {tables.became(box, letter)}.")
    actions = [audit.action(DROP, service, id, signed, Result.DROPPED) for id in ids]
    async with Writer.open(kafka) as writer:
        for line in await audit.keep(writer, actions):
            _say(stdout(), line)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
