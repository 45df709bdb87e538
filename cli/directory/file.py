"""Reads a directory file and reports all of its errors at once."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cli.directory.doubts import doubts
from cli.directory.hours import wrong_hours
from cli.entries import checking
from cli.entries.checking import Checked, Flaw, Rules, duplicates, entries
from cli.entries.yaml_lines import Document
from cli.systems.rules import wrong_system
from schemas.records.directory import (
    Closure,
    Directory,
    OrderHours,
    PharmacyEntry,
    Policy,
    PracticeEntry,
    Processing,
    SystemEntry,
)
from schemas.times import AMSTERDAM

_MODELS: dict[str, type[BaseModel]] = {
    "practices": PracticeEntry,
    "pharmacies": PharmacyEntry,
    "systems": SystemEntry,
    "closures": Closure,
    "processing": Processing,
    "policy": Policy,
    "order_hours": OrderHours,
}
"""The model of the value under each key."""

_AGB = {
    "practices": "must be a practice's AGB code: 8 digits, the first two 01",
    "pharmacies": "must be a pharmacy's AGB code: 8 digits, the first two 02, "
    "or 01 for a GP practice that dispenses",
}


def read(path: Path) -> Directory:
    """Read a file. Raises UserError when it cannot be read, or with all of its errors."""
    return check(path, datetime.now(AMSTERDAM).date()).good()


def check(path: Path, today: date) -> Checked[Directory]:
    """Check a file. `today` (Europe/Amsterdam) decides which closures are over, and is where the
    year starts in which hours are looked at.

    Raises:
        UserError: the file cannot be read.
    """
    return checking.check(path, _rules(today))


def _rules(today: date) -> Rules[Directory]:
    return Rules(
        Directory,
        about="must have the keys practices and pharmacies",
        nested=_MODELS,
        message=_message,
        errors=partial(_errors, today),
        doubts=lambda _, directory: doubts(directory, today),
    )


def _message(error: ErrorDetails) -> str | None:
    where = error["loc"]
    return _AGB[str(where[0])] if where[-1:] == ("agb",) and error["type"] != "missing" else None


def _errors(today: date, document: Document, directory: Directory | None) -> Iterator[Flaw]:
    for kind in _AGB:
        yield from _twice(document, kind, "agb")
        yield from _opening_hours(document, kind, today)
    yield from _twice(document, "systems", "name")
    if directory:
        yield from _wrong_systems(directory)


def _twice(document: Document, kind: str, key: str) -> Iterator[Flaw]:
    written = entries(document, kind)
    named = (((*where, key), str(entry[key])) for where, entry in written if key in entry)
    return duplicates(document, named)


def _wrong_systems(directory: Directory) -> Iterator[Flaw]:
    for n, entry in enumerate(directory.systems):
        if wrong := wrong_system(entry):
            yield ("systems", n), wrong


def _opening_hours(document: Document, kind: str, today: date) -> Iterator[Flaw]:
    for where, entry in entries(document, kind):
        text = entry.get("opening_hours")
        if isinstance(text, str) and text and (wrong := wrong_hours(text, today)):
            yield (*where, "opening_hours"), wrong
