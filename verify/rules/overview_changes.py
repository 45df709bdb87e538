"""medication's history leads, change by change, to what it published and to the overviews that it has."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from verify.facts import Facts
from verify.read import Fact
from verify.rows import ChangeRow, OverviewRow
from verify.rules.found import Found

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Version:
    """An overview's content at one version; `medications` are the JSON's."""

    version: int
    practice: str
    at: datetime
    change: Any
    medications: list[Any]

    @property
    def in_prk_order(self) -> "Version":
        """The same with sorted medications: a history does not say in which order they were listed."""
        return replace(self, medications=sorted(self.medications, key=lambda entry: entry["prk"]))


class BrokenHistory(ValueError):
    """The rows of a history do not follow from each other."""


def history_differs(facts: Facts) -> Iterator[Found]:
    """medication's history of each patient leads to every version on the topic, and to its overview."""
    overviews = {row.patient: row for row in facts.dump.medication.overviews}
    histories: dict[str, list[ChangeRow]] = defaultdict(list)
    for row in facts.dump.medication.changes:
        histories[row.patient].append(row)
    published: dict[str, list[Fact]] = defaultdict(list)
    for message in facts.overviews.messages:
        if message.body is not None:
            published[message.key].append(message)
    for patient in sorted(overviews.keys() | histories.keys()):
        why = _why_other(histories[patient], published[patient], overviews.get(patient))
        if why is not None:
            yield Found(why, patient)


def _why_other(
    rows: list[ChangeRow], published: Iterable[Fact], overview: OverviewRow | None
) -> str | None:
    try:
        versions = {version.version: version for version in replayed(rows)}
        current = of_overview(overview).in_prk_order if overview else None
    except BrokenHistory as broken:
        return str(broken)
    except (msgspec.DecodeError, KeyError, TypeError):
        return "a row of its history or its overview cannot be read"
    if current is None or versions.get(max(versions, default=0)) != current:
        return "its history does not lead to its overview"
    for message in published:
        # Versions from before the history began are on the topic only.
        recorded = versions.get(message.body.version)
        if recorded is not None and recorded != of_record(message).in_prk_order:
            return f"its history says something else of version {message.body.version}"
    return None


def replayed(rows: Iterable[ChangeRow]) -> Iterator[Version]:
    """Each version that a history, in order, leads to, its medications in the order of their PRK codes.

    Raises:
        BrokenHistory: a version is missing, or a row was not applied to what the one before it left.
    """
    last: Version | None = None
    for row in rows:
        last = _next(last, row)
        yield last


def _next(last: Version | None, row: ChangeRow) -> Version:
    follows = row.version == (last.version if last else 0) + 1
    if follows is (row.before is None):
        raise BrokenHistory(f"version {row.version} of its history does not follow the one before")
    after = _by_prk(_decode(row.after))
    kept: dict[str, Any] = {}
    if row.before is not None:
        before = _by_prk(_decode(row.before))
        left = _by_prk(last.medications if last else ())
        practice = last.practice if last else None
        if row.practice_before != practice or any(left.get(prk) != before[prk] for prk in before):
            raise BrokenHistory(f"version {row.version} changed what was not there before")
        kept = {prk: entry for prk, entry in left.items() if prk not in before}
        if kept.keys() & after.keys():
            raise BrokenHistory(f"version {row.version} added what was there before")
    change = {
        "change_id": str(row.change_id),
        "kind": row.kind,
        "by": {"role": row.by_role, "id": row.by_id},
        "reason": row.reason,
    }
    medications = [*(kept | after).values()]
    return Version(row.version, row.practice, row.at, change, medications).in_prk_order


def of_overview(row: OverviewRow) -> Version:
    """The content of an overview's row."""
    change, medications = _decode(row.change), _decode(row.medications)
    return Version(row.version, row.practice, row.changed_at, change, medications)


def of_record(message: Fact) -> Version:
    """The content of an overview as it was published."""
    body = _decode(message.record.value or b"")
    return Version(
        body["version"],
        body["practice"],
        message.body.changed_at,
        body["change"],
        body["medications"],
    )


def _by_prk(medications: Iterable[Any]) -> dict[str, Any]:
    return {entry["prk"]: entry for entry in medications}
