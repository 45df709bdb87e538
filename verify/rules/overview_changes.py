"""medication's history of changes produces the versions that it published and the overviews it stores."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from verify.evidence import Evidence
from verify.rows import OverviewChangeRow, OverviewRow
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Version:
    """The content of an overview at one version; `medications` are decoded JSON."""

    version: int
    practice: str
    at: datetime
    change: Any
    medications: list[Any]

    @property
    def in_prk_order(self) -> "Version":
        """The same, medications sorted by PRK: a history does not record their order."""
        return replace(self, medications=sorted(self.medications, key=lambda entry: entry["prk"]))


class BrokenHistory(ValueError):
    """A row of a history does not follow from the row before it."""


def history_differs(evidence: Evidence) -> Iterator[Finding]:
    """medication's history of each patient produces every version on the topic, and the stored overview."""
    overviews = {row.patient: row for row in evidence.dump.medication.overviews}
    histories: dict[str, list[OverviewChangeRow]] = defaultdict(list)
    for row in evidence.dump.medication.changes:
        histories[row.patient].append(row)
    published: dict[str, list[ParsedRecord]] = defaultdict(list)
    for message in evidence.overviews.messages:
        if message.body is not None:
            published[message.key].append(message)
    for patient in sorted(overviews.keys() | histories.keys()):
        why = _history_difference(histories[patient], published[patient], overviews.get(patient))
        if why is not None:
            yield Finding(why, patient)


def _history_difference(
    rows: list[OverviewChangeRow], published: Iterable[ParsedRecord], overview: OverviewRow | None
) -> str | None:
    try:
        versions = {version.version: version for version in apply_changes(rows)}
        current = version_of_row(overview).in_prk_order if overview else None
    except BrokenHistory as broken:
        return str(broken)
    except (msgspec.DecodeError, KeyError, TypeError):
        return "a row of its history or its overview cannot be read"
    if current is None or versions.get(max(versions, default=0)) != current:
        return "its history does not produce its overview"
    for message in published:
        # Versions older than the first row of the history are on the topic only.
        recorded = versions.get(message.body.version)
        if recorded is not None and recorded != version_of_record(message).in_prk_order:
            return f"its history produces another version {message.body.version}"
    return None


def apply_changes(rows: Iterable[OverviewChangeRow]) -> Iterator[Version]:
    """Apply a history's changes in order; yield each version, with its medications sorted by PRK.

    Raises:
        BrokenHistory: a version is missing, or a row's `before` is not what the row before it produced.
    """
    last: Version | None = None
    for row in rows:
        last = _next(last, row)
        yield last


def _next(last: Version | None, row: OverviewChangeRow) -> Version:
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
            raise BrokenHistory(
                f"version {row.version} changed medicines that the version before does not have"
            )
        kept = {prk: entry for prk, entry in left.items() if prk not in before}
        if kept.keys() & after.keys():
            raise BrokenHistory(
                f"version {row.version} added medicines that the version before has"
            )
    change = {
        "change_id": str(row.change_id),
        "kind": row.kind,
        "by": {"role": row.by_role, "id": row.by_id},
        "reason": row.reason,
    }
    medications = [*(kept | after).values()]
    return Version(row.version, row.practice, row.at, change, medications).in_prk_order


def version_of_row(row: OverviewRow) -> Version:
    """The version in an overview's row."""
    change, medications = _decode(row.change), _decode(row.medications)
    return Version(row.version, row.practice, row.changed_at, change, medications)


def version_of_record(message: ParsedRecord) -> Version:
    """The version in a published overview."""
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
