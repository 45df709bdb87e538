"""Edits of what ordering decided, noted and keeps of one patient of the plays."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.base import Body
from schemas.records.orders import OrderDecided
from tests.unit.verify.edit import Edit, body, find, plus, with_body, with_rows
from tests.unit.verify.made import Case

Notes = list[dict[str, Any]]


def in_journals(patient: str, change: Callable[[Notes], Any]) -> Edit:
    """The journals of a patient's orders are changed."""

    def changed(rows: list[Any]) -> list[Any]:
        result = [replace(r, journal=_changed(r.journal, change)) for r in rows if _is(r, patient)]
        assert result
        return [*result, *(row for row in rows if not _is(row, patient))]

    return lambda case: with_rows(case, "ordering", "orders", changed)


def _is(row: Any, patient: str) -> bool:
    return bool(row.patient == patient)


def _changed(journal: str, change: Callable[[Notes], Any]) -> str:
    notes = [json.loads(line) for line in journal.splitlines()]
    change(notes)
    return "".join(f"{json.dumps(note)}\n" for note in notes)


def noted(patient: str, **changes: Any) -> Edit:
    """The first note of a patient's orders has other fields."""
    return in_journals(patient, lambda notes: notes[0].update(changes))


def known(patient: str, **changes: Any) -> Edit:
    """What was known of a patient's orders at first has other fields."""
    return in_journals(patient, lambda notes: notes[0]["known"].update(changes))


def known_line(patient: str, **changes: Any) -> Edit:
    """What was known at first of the first line of a patient's orders has other fields."""
    return in_journals(patient, lambda notes: notes[0]["known"]["lines"][0].update(changes))


def known_entry(patient: str, **changes: Any) -> Edit:
    """The overview's entry that was known for the first line has other fields."""

    def change(notes: Notes) -> None:
        notes[0]["known"]["lines"][0]["entry"].update(changes)

    return in_journals(patient, change)


def history(patient: str, change: Callable[[list[Any]], Any]) -> Edit:
    """What is kept of what a patient ordered before is changed."""

    def changed(rows: list[Any]) -> list[Any]:
        (row,) = (row for row in rows if _is(row, patient))
        lines = json.loads(row.lines)
        change(lines)
        others = [row for row in rows if not _is(row, patient)]
        return [replace(row, lines=json.dumps(lines)), *others]

    return lambda case: with_rows(case, "ordering", "histories", changed)


def of(patient: str, outcome: str = "") -> Callable[[dict[str, Any]], bool]:
    """Whether an event is a patient's, and its first line has this outcome."""
    return lambda event: (
        event["patient"] == patient
        and (not outcome or event.get("lines", [event])[0]["outcome"] == outcome)
    )


def decided(patient: str, before: str = "", **line: Any) -> Edit:
    """The first line of a patient's order, which was decided as `before`, was decided otherwise."""

    def edit(case: Case) -> Case:
        record = find(case, OrderDecided, of(patient, before))
        first, *others = body(record)["lines"]
        return with_body(case, record, lines=[first | line, *others])

    return edit


def approved(patient: str, before: str) -> Edit:
    """The policy approved the first line of a patient's order, which was decided as `before`."""
    return decided(patient, before, outcome="approved", reasons=[], reviewer=None)


def reasons(patient: str, before: str, **changes: Any) -> Edit:
    """The first reason of the first line of a patient's order has other fields."""

    def edit(case: Case) -> Case:
        record = find(case, OrderDecided, of(patient, before))
        first, *others = body(record)["lines"]
        reason, *more = first["reasons"]
        line = first | {"reasons": [reason | changes, *more]}
        return with_body(case, record, lines=[line, *others])

    return edit


def altered_of(kind: type[Body], patient: str, **changes: Any) -> Edit:
    """A patient's first record of a kind has other fields."""
    return lambda case: with_body(case, find(case, kind, of(patient)), **changes)


def again(kind: type[Body], patient: str, **changes: Any) -> Edit:
    """There is another record of a kind of a patient, with other fields."""
    return lambda case: plus(case, find(case, kind, of(patient)), own_id=True, **changes)
