"""Defects in medication's history of one patient, whose medicine was stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from tests.unit.verify.edit import Edit, with_rows
from verify.rows import OverviewChangeRow

History = list[OverviewChangeRow]

PATIENT = "pat_special01"
"""Whose medicine with two entries was stopped."""


def in_history(damage: Callable[[OverviewChangeRow, OverviewChangeRow], History]) -> Edit:
    """Replace that patient's two rows, the import and the stop, by what `damage` returns."""

    def changed(rows: list[Any]) -> list[Any]:
        result: list[Any] = []
        for patient, entries in groupby(rows, attrgetter("patient")):
            history = [*entries]
            result += damage(*history) if patient == PATIENT else history
        assert result != rows
        return result

    return lambda case: with_rows(case, "medication", "changes", changed)


def without_stop(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """The newest change is missing."""
    assert stop.kind == "set_status"
    return [first]


def without_import(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """The version before the newest change is missing."""
    return [stop]


def a_day_later(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """An older change has another time than its version on the topic."""
    return [replace(first, at=first.at + timedelta(days=1)), stop]


def without_before(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """`before` is missing although there is a version before."""
    return [first, replace(stop, before=None, practice_before=None, after=_medicines(first, stop))]


def other_before(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """`before` differs from the version before."""
    return [first, replace(stop, before=(stop.before or "").replace("chronic", "temporary"))]


def other_practice_before(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """`practice_before` differs from the version before."""
    return [first, replace(stop, practice_before="01999999")]


def unchanged(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """`after` is the same as `before`."""
    return [first, replace(stop, after=stop.before or "")]


def added_again(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """A changed medicine is missing from `before`."""
    return [first, replace(stop, before="[]")]


def one_of_two_stopped(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """Of two entries of the medicine that was stopped, the history has one."""
    before, after = json.loads(stop.before or ""), json.loads(stop.after)
    assert len(before) == len(after) == 2
    return [first, replace(stop, before=json.dumps(before[:1]), after=json.dumps(after[:1]))]


def one_of_two_removed(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """Two entries of a medicine became one in the history."""
    return [first, replace(stop, after=json.dumps(json.loads(stop.after)[1:]))]


def twice_before(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """`before` has one of the two entries of a medicine twice, and the other not."""
    return [first, replace(stop, before=json.dumps(json.loads(stop.before or "")[:1] * 2))]


def begins_with_the_stop(first: OverviewChangeRow, stop: OverviewChangeRow) -> History:
    """The history starts at a later version, as a migration makes it. No defect."""
    return [replace(stop, before=None, practice_before=None, after=_medicines(first, stop))]


def _medicines(first: OverviewChangeRow, stop: OverviewChangeRow) -> str:
    """The whole overview after the stop."""
    stopped = json.loads(stop.before or "")
    kept = [entry for entry in json.loads(first.after) if entry not in stopped]
    return json.dumps([*kept, *json.loads(stop.after)])
