"""The commands of `herhaal dlq`. Every action leaves an audit record."""

import getpass
from collections.abc import Sequence

from cli.audit import Signature
from cli.console import UserError, print_plain, stdout
from cli.dead_letters import audit, tables
from cli.dead_letters.box import Box, open_box, records
from cli.dead_letters.kafka import Writer, reader
from cli.dead_letters.letters import LetterId
from cli.dead_letters.replay import ReplayRequest, replay
from cli.dead_letters.status import DROP, SHOW, Filter, Result, State
from cli.dead_letters.times import shown
from cli.kafka import ask


def signature(by: str | None, why: str) -> Signature:
    """Sign with the given name, or else with the account on this machine."""
    return Signature(by or getpass.getuser(), why)


def run_list(kafka: str, service: str, wanted: Filter, json: bool) -> None:
    """Print a service's letters. Raises UserError when Kafka is unavailable."""
    box = ask(kafka, _box(kafka, service))
    letters = box.matching(wanted)
    if json:
        print(tables.as_json(box, letters))
    else:
        tables.print_letters(stdout(), box, letters)


def run_show(kafka: str, service: str, id: str, signed: Signature, body: bool) -> None:
    """Print one letter. With `body` also its content, after the audit record is acknowledged.

    Raises:
        UserError: the letter does not exist, or Kafka is unavailable.
    """
    ask(kafka, _show(kafka, service, LetterId.read(id), signed, body))


def run_replay(kafka: str, request: ReplayRequest) -> bool:
    """Replay letters and print the result of each. Return whether all were handled.

    Raises:
        UserError: there is nothing to replay, the replay is not allowed, or Kafka is unavailable.
    """
    console = stdout()
    results = ask(kafka, replay(kafka, request, lambda text: print_plain(console, text)))
    for result in results:
        print_plain(console, tables.result_line(result))
    return all(result.result is Result.HANDLED for result in results)


def run_drop(kafka: str, service: str, ids: Sequence[str], signed: Signature) -> None:
    """Settle letters without replaying them.

    Raises:
        UserError: one does not exist or is settled already (then none is dropped), or Kafka is unavailable.
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
                print_plain(console, line)
    lines = (
        f"{service} {id}: {tables.status_text(box, letter)}",
        f"reason: {letter.reason}" + (f" ({letter.detail})" if letter.detail else ""),
        f"when: {shown(letter.at)} (Amsterdam)",
        f"type: {tables.type_of(letter)}",
        f"origin: {letter.origin}",
        *tables.record_lines(record, body=body),
    )
    for line in lines:
        print_plain(console, line)


async def _drop(kafka: str, service: str, ids: Sequence[LetterId], signed: Signature) -> None:
    async with reader(kafka) as source:
        box = await open_box(source, service)
    for id in ids:
        letter = box.letter(id)
        if box.statuses[id].state not in (State.OPEN, State.REPLAYED):
            raise UserError(f"{id} is settled already: {tables.status_text(box, letter)}.")
    actions = [audit.action(DROP, service, id, signed, Result.DROPPED) for id in ids]
    async with Writer.open(kafka) as writer:
        for line in await audit.keep(writer, actions):
            print_plain(stdout(), line)
