"""Finds in a program's log why it ended. The last line is seldom it: most programs log how they shut down."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any

MOST_CHARACTERS = 600

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CONSOLE = re.compile(r"^\S+ \[(?:error|critical) *\] (?P<text>.*?) *$")
_POSTGRES = re.compile(r"(?:^|\W)(?P<level>[A-Z]+): {2}(?P<text>.*)")
_POSTGRES_ENTRY = re.compile(r"\[\d+\] [A-Z]+: {2}|^(?:FATAL|PANIC): {2}")
_EXPLAINS = re.compile(r"could not|cannot|invalid|unrecognized|syntax error")
_TO_CLIENTS = re.compile(r"^(the database system is|sorry, too many clients|terminating )")
_TOOL = re.compile(r"^[\w-]+: (?:(?:fatal|error|detail|hint): )(?P<text>.*)")
_THROWN = re.compile(
    r"^(?P<how>Exception in thread \"[^\"]*\" |Caused by: )?(?:[\w$]+[./])+(?P<text>[A-Z][\w$]*(?:: .*)?)$"
)
_RAISED = re.compile(r"^(?:\w+\.)*(?P<text>[A-Z]\w*(?:: .*)?)$")
_FRAME = re.compile(r"^\s+at |^\s*\.\.\. \d+ ")


def cause(log: str) -> str | None:
    """Find why a program ended, in what its last run logged; None when it does not say.

    Reads the logs of our services, PostgreSQL and its tools, Java and Python.
    """
    lines = [_COLOUR.sub("", line).rstrip() for line in log.splitlines()]
    for find in _READERS:
        found = [text.rstrip(".") for text in find(lines)]
        if found:
            return shortened("; ".join(dict.fromkeys(found)))
    return None


def last_line(log: str) -> str:
    """Get the last line that says something; empty when there is none."""
    lines = (line.strip() for line in reversed(log.splitlines()) if not _FRAME.match(line))
    return shortened(next((_COLOUR.sub("", line) for line in lines if line), ""))


def shortened(text: str) -> str:
    """Cut a text that is too long for a message."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …"


def _service(lines: Sequence[str]) -> Iterator[str]:
    """The last error of one of our services, in either format of its log."""
    for line in reversed(lines):
        entry = _json(line)
        if entry.get("level") in ("error", "critical"):
            details = (entry.get("why"), entry.get("error"))
            yield ": ".join([str(entry.get("event")), *(str(d) for d in details if d)][:2])
            return
        if match := _CONSOLE.match(line):
            yield match["text"]
            return


def _json(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _postgres(lines: Sequence[str]) -> Iterator[str]:
    """What PostgreSQL could not do, with its details and hints, if an error then ended it."""
    entries = [
        (match["level"], match["text"])
        for line in lines
        if _POSTGRES_ENTRY.search(line) and (match := _POSTGRES.search(line))
    ]
    ends = [level in ("FATAL", "PANIC") and not _TO_CLIENTS.match(text) for level, text in entries]
    if not any(ends):
        return
    quoted = False
    for (level, text), is_end in zip(entries, ends, strict=True):
        if level not in ("DETAIL", "HINT", "CONTEXT"):
            quoted = is_end or (level == "LOG" and _EXPLAINS.search(text) is not None)
        if quoted:
            yield text


def _tool(lines: Sequence[str]) -> Iterator[str]:
    """The errors of `initdb`, `pg_dump` and such, with details and hints."""
    return (match["text"] for line in lines if (match := _TOOL.match(line)))


def _java(lines: Sequence[str]) -> Iterator[str]:
    """The root of the last exception that was logged, or the one around it that says the same and more."""
    thrown = [match for at in _with_frames(lines) if (match := _THROWN.match(lines[at]))]
    chain = [*takewhile(lambda match: match["how"] == "Caused by: ", reversed(thrown))]
    chain = thrown[-len(chain) - 1 :]
    texts = [match["text"] for match in reversed(chain)]
    if texts:
        said = texts[0].partition(": ")[2] or texts[0]
        yield next((text for text in reversed(texts) if said in text), texts[0])


def _with_frames(lines: Sequence[str]) -> list[int]:
    """The lines that a stack trace follows."""
    return [
        at
        for at in range(len(lines) - 1)
        if _FRAME.match(lines[at + 1]) and not _FRAME.match(lines[at])
    ]


def _python(lines: Sequence[str]) -> Iterator[str]:
    """The exception of a traceback, with the lines that its message goes on for."""
    starts = [at for at, line in enumerate(lines) if line.startswith("Traceback (most recent")]
    after = lines[starts[-1] + 1 :] if starts else []
    for at, line in enumerate(after):
        if match := _RAISED.match(line):
            rest = (more.strip() for more in after[at + 1 :] if more.strip())
            yield " ".join([match["text"], *rest])
            return


_READERS: tuple[Callable[[Sequence[str]], Iterator[str]], ...] = (
    _service,
    _postgres,
    _tool,
    _java,
    _python,
)
