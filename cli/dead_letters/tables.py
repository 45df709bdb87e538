"""How dead letters are shown: without content, unless that was asked for."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.dead_letters.box import Box
from cli.dead_letters.follow import Fate
from cli.dead_letters.letters import REPLAYED_FROM, Letter, own_headers
from cli.dead_letters.status import Result
from cli.dead_letters.times import in_utc, shown
from schemas.base import TYPE_PREFIX
from schemas.topics import all_bodies

UNKNOWN_TYPE = "(unknown)"

_ENVELOPE = {
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_subject",
    "content-type",
    "traceparent",
    REPLAYED_FROM,
}
"""Headers whose value is shown; what a sender puts into others may be anything, a name included."""

_PSEUDONYM = re.compile(rb"^(pat_[A-Za-z0-9_-]{4,64}|0[12][0-9]{6})$")


def print_letters(console: Console, box: Box, letters: Sequence[Letter]) -> None:
    """A table of letters, how many there are of each reason, and what is odd about the topic."""
    table = Table()
    for title in ("id", "when (Amsterdam)", "reason", "detail", "type", "origin", "became"):
        table.add_column(title, overflow="fold")
    for letter in letters:
        cells = (
            str(letter.id),
            shown(letter.at),
            letter.reason,
            letter.detail,
            type_of(letter),
            str(letter.origin),
            became(box, letter),
        )
        table.add_row(*map(Text, cells))
    if letters:
        console.print(table)
    for line in _summary(box, letters):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def as_json(box: Box, letters: Iterable[Letter]) -> str:
    """The letters as a JSON array; times in UTC, no content."""
    return orjson.dumps([_figures(box, x) for x in letters], option=orjson.OPT_INDENT_2).decode()


def became(box: Box, letter: Letter) -> str:
    """What became of a letter, in words."""
    standing = box.standing[letter.id]
    match standing.other:
        case None:
            return standing.state
        case other if other in box.letters:
            return f"{standing.state}: {other} {box.letters[other].reason}"
        case other:
            return f"{standing.state}: {other}"


def type_of(letter: Letter) -> str:
    """The record's type without our prefix, if it is one of ours: a header may hold anything."""
    if letter.type is None or letter.type not in all_bodies():
        return UNKNOWN_TYPE
    return letter.type.removeprefix(TYPE_PREFIX)


def record_lines(record: ConsumerRecord, *, body: bool) -> Iterator[str]:
    """A letter's key, headers and size; its content and the headers' values only with `body`."""
    key = record.key or b""
    told = bool(key) and (body or _PSEUDONYM.match(key) is not None)
    yield f"key: {_text(key) if told else _size(record.key)}"
    for name, value in own_headers(record):
        plain = body or name in _ENVELOPE
        yield f"header {_text(name.encode())}: {_value(value) if plain else _size(value)}"
    yield f"value: {_size(record.value)}"
    if body and record.value is not None:
        yield _text(record.value)


def fate_line(fate: Fate) -> str:
    """What became of a replayed letter, as a sentence."""
    match fate.result:
        case Result.HANDLED:
            return f"{fate.id}: handled (sent to {fate.landed})"
        case Result.DIED_AGAIN if fate.again is not None:
            again = fate.again
            detail = f" ({again.detail})" if again.detail else ""
            return f"{fate.id}: died again as {again.id}, {again.reason}{detail}"
        case Result.NOT_SENT:
            return f"{fate.id}: not sent, and open still: {fate.why}"
        case _:
            return (
                f"{fate.id}: sent to {fate.landed}; the service has not come past it in this time"
                " (see `herhaal lag`); `dlq list` will say what became of it"
            )


def _figures(box: Box, letter: Letter) -> dict[str, Any]:
    standing = box.standing[letter.id]
    return {
        "id": str(letter.id),
        "at": in_utc(letter.at),
        "reason": letter.reason,
        "detail": letter.detail,
        "type": type_of(letter),
        "topic": letter.origin.topic,
        "partition": letter.origin.partition,
        "offset": letter.origin.offset,
        "state": standing.state.value,
        "other": None if standing.other is None else str(standing.other),
    }


def _summary(box: Box, letters: Sequence[Letter]) -> Iterator[str]:
    states = Counter(box.standing[letter.id].state.value for letter in letters)
    reasons = Counter(letter.reason for letter in letters)
    noun = "dead letter" if len(letters) == 1 else "dead letters"
    yield f"{len(letters)} {noun} of {box.service}" + (f": {_counted(states)}" if letters else "")
    if letters:
        yield f"by reason: {_counted(reasons)}"
    if box.strange:
        some = ", ".join(map(str, box.strange[:5]))
        yield f"{len(box.strange)} records on {box.topic} are no dead letters, such as {some}"
    if box.unreadable:
        yield f"{box.unreadable} records of the audit cannot be read; states may be missing"


def _counted(counts: "Counter[str]") -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _value(value: bytes | None) -> str:
    return "null" if value is None else _text(value)


def _text(content: bytes) -> str:
    """As text on a terminal: what would move its cursor or is not UTF-8 is shown as an escape."""
    text = content.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _size(content: bytes | None) -> str:
    return "null" if content is None else f"{len(content)} bytes"
