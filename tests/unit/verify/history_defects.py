"""Damage to medication's history: to the one patient's whose medicine was stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from tests.unit.verify.edit import Edit, with_rows
from verify.rows import ChangeRow

History = list[ChangeRow]


def in_history(damage: Callable[[ChangeRow, ChangeRow], History]) -> Edit:
    """The two entries of that patient, its import and its stop, are what `damage` makes of them."""

    def changed(rows: list[Any]) -> list[Any]:
        found: list[Any] = []
        for _, entries in groupby(rows, attrgetter("patient")):
            history = [*entries]
            found += damage(*history) if len(history) == 2 else history
        assert found != rows
        return found

    return lambda case: with_rows(case, "medication", "changes", changed)


def without_stop(first: ChangeRow, stop: ChangeRow) -> History:
    """The newest change is not in it."""
    assert stop.kind == "set_status"
    return [first]


def without_import(first: ChangeRow, stop: ChangeRow) -> History:
    """The version is missing that the newest change was applied to."""
    return [stop]


def a_day_later(first: ChangeRow, stop: ChangeRow) -> History:
    """An older entry, of which only the topic tells, has another time."""
    return [replace(first, at=first.at + timedelta(days=1)), stop]


def without_before(first: ChangeRow, stop: ChangeRow) -> History:
    """How it was before is not recorded, although the version before is."""
    return [first, replace(stop, before=None, practice_before=None, after=_medicines(first, stop))]


def otherwise_before(first: ChangeRow, stop: ChangeRow) -> History:
    """The medicine was another before than the import made it."""
    return [first, replace(stop, before=(stop.before or "").replace("chronic", "temporary"))]


def from_elsewhere(first: ChangeRow, stop: ChangeRow) -> History:
    """The patient was at another practice before."""
    return [first, replace(stop, practice_before="01999999")]


def unchanged(first: ChangeRow, stop: ChangeRow) -> History:
    """The medicine is after the change as it was before."""
    return [first, replace(stop, after=stop.before or "")]


def added_again(first: ChangeRow, stop: ChangeRow) -> History:
    """It does not name as it was before what it changed."""
    return [first, replace(stop, before="[]")]


def begins_with_the_stop(first: ChangeRow, stop: ChangeRow) -> History:
    """What a migration makes of an overview: nothing is wrong."""
    return [replace(stop, before=None, practice_before=None, after=_medicines(first, stop))]


def _medicines(first: ChangeRow, stop: ChangeRow) -> str:
    """The whole overview after the stop."""
    medicines = {entry["prk"]: entry for entry in json.loads(first.after)}
    medicines |= {entry["prk"]: entry for entry in json.loads(stop.after)}
    return json.dumps([*medicines.values()])
