"""Reads people from CSV. An error names the line and the column, never a value."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cli.console import UserError
from schemas.api.people import RegisterRequest

COLUMNS = tuple(name for name in RegisterRequest.model_fields if name != "by")
_MOST_ERRORS = 20


@dataclass(frozen=True, repr=False)
class Line:
    """One person, and the line of the file where they are."""

    number: int
    request: RegisterRequest


def read_people(file: Path) -> list[Line]:
    """Read a whole file. Raises UserError, which names every bad line and column, at most 20."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines, wrong = _read(text.read())
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UserError(f"{file} is not UTF-8.") from None
    except csv.Error:
        raise UserError(f"{file} is no CSV.") from None
    if wrong:
        more = f" and {len(wrong) - _MOST_ERRORS} more" if len(wrong) > _MOST_ERRORS else ""
        raise UserError(
            f"{file} is not valid, and nobody is imported: {'; '.join(wrong[:_MOST_ERRORS])}{more}."
        )
    return lines


def _read(text: str) -> tuple[list[Line], list[str]]:
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
    if unknown := [name for name in rows.fieldnames or () if name not in COLUMNS]:
        return [], [f"line 1: {len(unknown)} unknown columns; there are {', '.join(COLUMNS)}"]
    lines: list[Line] = []
    wrong: list[str] = []
    for row in rows:
        number = rows.line_num
        try:
            lines.append(Line(number, _request(row)))
        except ValidationError as error:
            wrong += [f"line {number}, {why}" for why in _reasons(error)]
        except ValueError as error:
            wrong.append(f"line {number}, {error}")
    return lines, wrong


def _request(row: Mapping[str | None, str | list[str] | None]) -> RegisterRequest:
    """Make the request of a row. Raises ValueError, which quotes nothing."""
    if None in row:
        raise ValueError("it has more fields than the header")
    filled = {name: value.strip() for name, value in row.items() if isinstance(value, str)}
    fields: dict[str, object] = {str(name): value for name, value in filled.items() if value}
    if "phones" in fields:
        fields["phones"] = [phone.strip() for phone in str(fields["phones"]).split("|")]
    if not {"bsn", "patient"} & fields.keys():
        raise ValueError("columns bsn and patient: one of the two is needed")
    if "practice" not in fields:
        raise ValueError("column practice: is missing")
    return RegisterRequest.model_validate_json(json.dumps(fields))


def _reasons(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        yield f"column {each['loc'][0] if each['loc'] else '?'}: {each['msg']}"
