"""The history of an overview: who changed what in each version, with the values before and after.

Pure: computed from an overview and the version before it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.records.medication import Change, EntryFlaw, Medication, MedicationOverview


@dataclass(frozen=True, slots=True)
class OverviewChange:
    """One change of an overview; `version` is the version after it, `at` the time of that version (UTC).

    `before` has the changed entries with their old values, `after` with their new values, both in the
    overview's order. An added entry is in `after` only, a removed one in `before` only. `before` is None when
    the previous version is not stored here; `after` is then the whole overview. `practice_before` is None for
    the first version, and when `before` is None. `flaws` are all of this version.
    """

    patient: str
    version: int
    change: Change
    at: datetime
    practice_before: str | None
    practice: str
    before: tuple[Medication, ...] | None
    after: tuple[Medication, ...]
    flaws: tuple[EntryFlaw, ...]


def change_between(before: MedicationOverview | None, after: MedicationOverview) -> OverviewChange:
    """Compare an overview with its previous version; `before` is None for the first version."""
    earlier = before.medications if before else ()
    return OverviewChange(
        patient=after.patient,
        version=after.version,
        change=after.change,
        at=after.changed_at,
        practice_before=before.practice if before else None,
        practice=after.practice,
        before=_without(earlier, after.medications),
        after=_without(after.medications, earlier),
        flaws=after.flaws,
    )


def adopted_change(ours: MedicationOverview | None, adopted: MedicationOverview) -> OverviewChange:
    """Make the history entry of an overview adopted from Kafka; `ours` is the stored one, if any.

    It has the values before the change only when `ours` is the previous version.
    """
    if adopted.version == (ours.version if ours else 0) + 1:
        return change_between(ours, adopted)
    whole = change_between(None, adopted)
    return replace(whole, before=None)


def _without(
    medications: Iterable[Medication], others: Iterable[Medication]
) -> tuple[Medication, ...]:
    """The entries that have no equal among the others, in their order; an equal counts for one entry."""
    left = Counter(others)
    missing = []
    for entry in medications:
        left[entry] -= 1
        if left[entry] < 0:
            missing.append(entry)
    return tuple(missing)
