"""Reads a directory file and reports all of its errors at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cli.console import UserError
from cli.directory.doubts import doubts
from cli.directory.hours import wrong_hours
from cli.directory.yaml_lines import Document, Malformed, Where, load
from cli.systems.rules import wrong_system
from schemas.records.directory import (
    Closure,
    Directory,
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
}
"""The model of the value under each key."""

_AGB = {
    "practices": "must be a practice's AGB code: 8 digits, the first two 01",
    "pharmacies": "must be a pharmacy's AGB code: 8 digits, the first two 02, "
    "or 01 for a GP practice that dispenses",
}

_MESSAGES: dict[str, str] = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "string_type": "must be a text; put it in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "tuple_type": "must be a list, each entry starting with -",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "time_parsing": "must be a time such as 09:30",
    "time_type": "must be a time such as 09:30",
    "date_parsing": "must be a day such as 2026-12-24",
    "date_from_datetime_parsing": "must be a day such as 2026-12-24",
    "date_type": "must be a day such as 2026-12-24",
}


@dataclass(frozen=True, order=True)
class Finding:
    """An error or a warning about a file; `line` counts from 1."""

    line: int
    path: str
    what: str
    warning: bool = False


@dataclass(frozen=True)
class Checked:
    """A file after checking; `directory` is None when it has errors."""

    path: Path
    directory: Directory | None
    findings: tuple[Finding, ...]

    def lines(self, *, warnings: bool) -> list[str]:
        """Format the errors, or the warnings, as `FILE:LINE: path: what`."""
        kind = "warning: " if warnings else ""
        return [
            f"{self.path}:{finding.line}: {finding.path + ': ' if finding.path else ''}{kind}{finding.what}"
            for finding in self.findings
            if finding.warning is warnings
        ]


def read(path: Path) -> Directory:
    """Read a file. Raises UserError when it cannot be read, or with all of its errors."""
    checked = check(path, datetime.now(AMSTERDAM).date())
    if checked.directory is None:
        raise UserError("\n".join(checked.lines(warnings=False)))
    return checked.directory


def check(path: Path, today: date) -> Checked:
    """Check a file. `today` (Europe/Amsterdam) decides which closures are over, and is where the
    year starts in which hours are looked at.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        document = load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not a text in UTF-8.") from None
    except Malformed as error:
        return Checked(path, None, (Finding(error.line, "", error.what),))
    return _check(path, document, today)


def _check(path: Path, document: Document, today: date) -> Checked:
    directory, wrong = _validated(document)
    errors = [
        *(Finding(line, path_text(where), what) for where, line, what in document.problems),
        *wrong,
        *_duplicate_agbs(document),
        *_opening_hours(document, today),
        *_duplicates(document, "systems", "name"),
        *(_wrong_systems(document, directory) if directory else ()),
    ]
    if errors or directory is None:
        return Checked(path, None, tuple(sorted(errors)))
    warnings = [
        Finding(document.line(where), path_text(where), what, warning=True)
        for where, what in doubts(directory, today)
    ]
    return Checked(path, directory, tuple(sorted(warnings)))


def path_text(where: Where) -> str:
    """Format a path: `practices[0].processing.cutoff`."""
    return "".join(f"[{w}]" if isinstance(w, int) else f".{w}" for w in where).lstrip(".")


def _validated(document: Document) -> tuple[Directory | None, list[Finding]]:
    if not isinstance(document.value, dict):
        return None, [Finding(1, "", "must have the keys practices and pharmacies")]
    try:
        # As JSON: there too, dates and times are text.
        directory = Directory.model_validate_json(json.dumps(document.value), extra="forbid")
        return directory, []
    except ValidationError as error:
        unread = [where for where, _, _ in document.problems]
        return None, [
            Finding(document.line(e["loc"]), path_text(e["loc"]), _message(e))
            for e in error.errors(include_url=False)
            if not any(e["loc"][: len(where)] == where for where in unread)
        ]


def _message(error: ErrorDetails) -> str:
    where, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(where)
    if where[-1:] == ("agb",) and kind != "missing":
        return _AGB[str(where[0])]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if error["input"] is None:
        return "is empty"
    message = error["msg"]
    return _MESSAGES.get(kind, message[:1].lower() + message[1:])


def _unknown_key(where: Where) -> str:
    key = str(where[-1])
    if key == "version":
        return "is not written here: `apply` counts the versions"
    names = [str(w) for w in where[:-1] if isinstance(w, str)]
    model = _MODELS[names[-1]] if names else Directory
    near = get_close_matches(key, model.model_fields, n=1)
    return f"is no known key; did you mean {near[0]}?" if near else "is no known key"


def _duplicate_agbs(document: Document) -> Iterator[Finding]:
    for kind in _AGB:
        yield from _duplicates(document, kind, "agb")


def _duplicates(document: Document, kind: str, key: str) -> Iterator[Finding]:
    first: dict[Any, Where] = {}
    for where, entry in _entries(document, kind):
        value, place = str(entry.get(key)), (*where, key)
        if value in first and key in entry:
            line = document.line(first[value])
            yield Finding(
                document.line(place),
                path_text(place),
                f"{value} is there already, on line {line}",
            )
        first.setdefault(value, place)


def _wrong_systems(document: Document, directory: Directory) -> Iterator[Finding]:
    for n, entry in enumerate(directory.systems):
        if wrong := wrong_system(entry):
            where: Where = ("systems", n)
            yield Finding(document.line(where), path_text(where), wrong)


def _opening_hours(document: Document, today: date) -> Iterator[Finding]:
    for kind in _AGB:
        for where, entry in _entries(document, kind):
            place, text = (*where, "opening_hours"), entry.get("opening_hours")
            if isinstance(text, str) and text and (wrong := wrong_hours(text, today)):
                yield Finding(document.line(place), path_text(place), wrong)


def _entries(document: Document, kind: str) -> Iterator[tuple[Where, dict[str, Any]]]:
    entries = document.value.get(kind) if isinstance(document.value, dict) else None
    for n, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield (kind, n), entry
