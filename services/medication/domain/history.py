"""The history of an overview: for each version who changed what, and how it was before.

Pure: worked out from an overview and the one before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.records.medication import Change, Medication, MedicationOverview
from services.medication.domain.overview import by_prk


@dataclass(frozen=True, slots=True)
class OverviewChange:
    """What one change did to an overview; `version` is the version that it led to, `at` its time (UTC).

    `before` holds the medicines that changed as they were, `after` as they are now, each in its overview's
    order. A medicine that was added is in `after` only, one that was removed in `before` only. `before` is
    None where the version before is not recorded: then `after` is the whole overview.
    `practice_before` is None for the first version, and where `before` is.
    """

    patient: str
    version: int
    change: Change
    at: datetime
    practice_before: str | None
    practice: str
    before: tuple[Medication, ...] | None
    after: tuple[Medication, ...]


def change_between(before: MedicationOverview | None, after: MedicationOverview) -> OverviewChange:
    """What the change of `after` did; `before` is the version that it was applied to, None for none."""
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
    )


def adopted_change(ours: MedicationOverview | None, adopted: MedicationOverview) -> OverviewChange:
    """The history's entry for an overview that is taken from Kafka; `ours` is the newest one here, if any.

    What its change did is known only where `ours` is the version before it.
    """
    if adopted.version == (ours.version if ours else 0) + 1:
        return change_between(ours, adopted)
    whole = change_between(None, adopted)
    return replace(whole, before=None)


def _without(
    medications: Iterable[Medication], others: Iterable[Medication]
) -> tuple[Medication, ...]:
    """The medications that are not exactly the same among the others."""
    same = by_prk(others)
    return tuple(entry for entry in medications if same.get(entry.prk) != entry)
