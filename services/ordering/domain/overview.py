"""The part of a medication overview that ordering keeps, and what it says of one medicine."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from schemas.base import LONGEST_TEXT
from schemas.records.medication import MedicationOverview, Status

_PRECEDENCE = (Status.CHRONIC, Status.TEMPORARY, Status.STOPPED)
"""Which of a medicine's statuses counts, when an overview lists it more than once."""


class Entry(Struct, frozen=True, gc=False):
    """One medicine in an overview, as in `schemas.records.medication.Medication`.

    `incomplete` if another entry of this medicine was left out of the overview, because it could not be used.
    """

    prk: str
    medicine: str
    status: Status
    dosage: str
    quantity: Decimal
    unit: str
    high_risk: bool
    repeat_service: bool
    incomplete: bool = False


class Overview(Struct, frozen=True, gc=False):
    """A patient's overview: only what the rules read and prescriptions say."""

    practice: str
    version: int
    medications: tuple[Entry, ...]


def read_overview(record: MedicationOverview) -> Overview:
    """Take from a record of `medication.status` what ordering keeps."""
    left_out = {flaw.prk for flaw in record.flaws if not flaw.kept}
    entries = [
        Entry(
            m.prk,
            m.medicine,
            m.status,
            m.dosage,
            m.quantity,
            m.unit,
            m.high_risk,
            m.repeat_service,
            m.prk in left_out,
        )
        for m in record.medications
    ]
    return Overview(record.practice, record.version, tuple(entries))


def entry_of(overview: Overview | None, prk: str) -> Entry | None:
    """Find the medicine with this PRK code; None without one, or without an overview.

    An overview may list a medicine more than once: chronic now and stopped before, or with two dosages on
    different days. Then the entries that are in use count, together.
    """
    if overview is None:
        return None
    entries = [entry for entry in overview.medications if entry.prk == prk]
    return _together(entries) if len(entries) > 1 else next(iter(entries), None)


def _together(entries: Sequence[Entry]) -> Entry | None:
    """Combine the entries of one medicine; None when their dosages do not fit in a record."""
    in_use = min((entry.status for entry in entries), key=_PRECEDENCE.index)
    # A prescription that was renewed is listed again with the same dosage: that supply counts once.
    by_dosage: dict[str, Entry] = {}
    for entry in entries:
        if entry.status is in_use:
            other = by_dosage.get(entry.dosage)
            by_dosage[entry.dosage] = max(entry, other or entry, key=_quantity)
    used = list(by_dosage.values())
    dosage = "; ".join(by_dosage)
    if len(dosage) > LONGEST_TEXT:
        return None
    one_unit = len({entry.unit for entry in used}) == 1
    return Entry(
        prk=used[0].prk,
        medicine=used[0].medicine,
        status=in_use,
        dosage=dosage,
        quantity=sum(map(_quantity, used), Decimal()) if one_unit else min(map(_quantity, used)),
        unit=used[0].unit,
        high_risk=any(entry.high_risk for entry in used),
        repeat_service=any(entry.repeat_service for entry in used),
        incomplete=used[0].incomplete,
    )


def _quantity(entry: Entry) -> Decimal:
    return entry.quantity
