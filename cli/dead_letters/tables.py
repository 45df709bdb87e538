"""Prints dead letters, without their content unless that was asked for."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import print_plain
from cli.dead_letters.box import Box
from cli.dead_letters.follow import LetterResult
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
"""Headers whose value is shown. Any other may hold personal data, such as a name."""

_PSEUDONYM = re.compile(rb"^(pat_[A-Za-z0-9_-]{4,64}|0[12][0-9]{6})$")


def print_letters(console: Console, box: Box, letters: Sequence[Letter]) -> None:
    """Print a table of letters, the number of each reason, and invalid records of the topic."""
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
            status_text(box, letter),
        )
        table.add_row(*map(Text, cells))
    if letters:
        console.print(table)
    for line in _summary(box, letters):
        print_plain(console, line)


def as_json(box: Box, letters: Iterable[Letter]) -> str:
    """Format letters as a JSON array; times in UTC, no content."""
    return orjson.dumps([_figures(box, x) for x in letters], option=orjson.OPT_INDENT_2).decode()


def status_text(box: Box, letter: Letter) -> str:
    """Describe the status of a letter."""
    status = box.statuses[letter.id]
    match status.other:
        case None:
            return status.state
        case other if other in box.letters:
            return f"{status.state}: {other} {box.letters[other].reason}"
        case other:
            return f"{status.state}: {other}"


def type_of(letter: Letter) -> str:
    """Get the record's type without our prefix; UNKNOWN_TYPE when it is not one of ours."""
    if letter.type is None or letter.type not in all_bodies():
        return UNKNOWN_TYPE
    return letter.type.removeprefix(TYPE_PREFIX)


def record_lines(record: ConsumerRecord, *, body: bool) -> Iterator[str]:
    """Describe key, headers and size of a letter; with `body` also content and all header values."""
    key = record.key or b""
    show_key = bool(key) and (body or _PSEUDONYM.match(key) is not None)
    yield f"key: {_text(key) if show_key else _size(record.key)}"
    for name, value in own_headers(record):
        plain = body or name in _ENVELOPE
        yield f"header {_text(name.encode())}: {_value(value) if plain else _size(value)}"
    yield f"value: {_size(record.value)}"
    if body and record.value is not None:
        yield _text(record.value)


def result_line(result: LetterResult) -> str:
    """Describe the result of a replayed letter in a sentence."""
    match result.result:
        case Result.HANDLED:
            return f"{result.id}: handled (sent to {result.landed})"
        case Result.DIED_AGAIN if result.again is not None:
            again = result.again
            detail = f" ({again.detail})" if again.detail else ""
            return f"{result.id}: died again as {again.id}, {again.reason}{detail}"
        case Result.NOT_SENT:
            return f"{result.id}: not sent, and open still: {result.why}"
        case _:
            return (
                f"{result.id}: sent to {result.landed}; the service has not handled it in time"
                " (see `herhaal lag`); `dlq list` will show its state"
            )


def _figures(box: Box, letter: Letter) -> dict[str, Any]:
    status = box.statuses[letter.id]
    return {
        "id": str(letter.id),
        "at": in_utc(letter.at),
        "reason": letter.reason,
        "detail": letter.detail,
        "type": type_of(letter),
        "topic": letter.origin.topic,
        "partition": letter.origin.partition,
        "offset": letter.origin.offset,
        "state": status.state.value,
        "other": None if status.other is None else str(status.other),
    }


def _summary(box: Box, letters: Sequence[Letter]) -> Iterator[str]:
    states = Counter(box.statuses[letter.id].state.value for letter in letters)
    reasons = Counter(letter.reason for letter in letters)
    noun = "dead letter" if len(letters) == 1 else "dead letters"
    yield f"{len(letters)} {noun} of {box.service}" + (f": {_counted(states)}" if letters else "")
    if letters:
        yield f"by reason: {_counted(reasons)}"
    if box.invalid:
        some = ", ".join(map(str, box.invalid[:5]))
        yield f"{len(box.invalid)} records on {box.topic} are no dead letters, such as {some}"
    if box.unreadable:
        yield f"{box.unreadable} records of the audit cannot be read; states may be missing"


def _counted(counts: "Counter[str]") -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _value(value: bytes | None) -> str:
    return "null" if value is None else _text(value)


def _text(content: bytes) -> str:
    """Decode for a terminal; control characters and invalid UTF-8 are escaped."""
    text = content.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _size(content: bytes | None) -> str:
    return "null" if content is None else f"{len(content)} bytes"
