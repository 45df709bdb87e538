"""A patient's audit trail as a file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

import msgspec
import typer
from pydantic import TypeAdapter, ValidationError

from runtime.audit.entry import Entry
from runtime.audit_api import period
from schemas.base import PatientId

_COLUMNS = ("service", *Entry.__struct_fields__)
_KINDS = (".csv", ".jsonl")


@dataclass(frozen=True)
class Wanted:
    """Whose trail, from which moment and before which (UTC), and the file to write."""

    patient: str
    since: datetime | None
    until: datetime | None
    file: Path

    @classmethod
    def read(cls, patient: str, first: str | None, last: str | None, file: Path) -> "Wanted":
        """Read a command's arguments. Raises typer.BadParameter."""
        try:
            TypeAdapter(PatientId).validate_python(patient)
        except ValidationError:
            raise typer.BadParameter("A patient's pseudonym looks like pat_anna0001.") from None
        if file.suffix not in _KINDS:
            raise typer.BadParameter(f"FILE must end in {' or '.join(_KINDS)}.")
        if file.exists():
            raise typer.BadParameter(f"{file} exists; choose a new file.")
        since, until = period(_day(first), _day(last))
        return cls(patient, since, until, file)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is no day such as 2026-11-28.") from None


def write(file: Path, entries: Iterable[tuple[str, Entry]]) -> None:
    """Write entries (service, entry), which only their owner may read. Raises OSError."""
    with _opened(file) as to:
        if file.suffix == ".csv":
            rows = csv.DictWriter(to, _COLUMNS)
            rows.writeheader()
            rows.writerows(_plain(*each) for each in entries)
        else:
            for each in entries:
                to.write(msgspec.json.encode(_plain(*each)).decode() + "\n")


def _opened(file: Path) -> IO[str]:
    file.touch(0o600, exist_ok=False)
    return file.open("w", newline="", encoding="utf-8")


def _plain(service: str, entry: Entry) -> dict[str, str | None]:
    fields = msgspec.structs.asdict(entry)
    return {"service": service, **fields, "at": entry.at.isoformat().replace("+00:00", "Z")}
