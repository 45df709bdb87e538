"""The part of a medication overview that the rules read, from a record or from the database."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from schemas.base import LONGEST_TEXT
from schemas.records.medication import Status

_PRECEDENCE = (Status.CHRONIC, Status.TEMPORARY, Status.STOPPED)
"""Which of a medicine's statuses counts, when an overview lists it more than once."""


class Entry(Protocol):
    """One medicine in an overview, as in `schemas.records.medication.Medication`."""

    @property
    def prk(self) -> str:
        """The medicine's PRK code."""

    @property
    def medicine(self) -> str:
        """Its name."""

    @property
    def status(self) -> Status:
        """Only chronic medication can be ordered."""

    @property
    def dosage(self) -> str:
        """How it is taken, in the practice's words."""

    @property
    def quantity(self) -> Decimal:
        """How much is usually supplied."""

    @property
    def unit(self) -> str:
        """The unit of quantities, in the practice's words."""

    @property
    def high_risk(self) -> bool:
        """Whether a practice may want to review each repeat."""

    @property
    def repeat_service(self) -> bool:
        """Whether the pharmacy supplies it by itself (herhaalservice)."""


class Overview(Protocol):
    """A patient's overview: a `MedicationOverview` record, or a `StoredOverview`."""

    @property
    def practice(self) -> str:
        """The AGB code of the practice where the patient is registered."""

    @property
    def version(self) -> int:
        """Rises by one with every change."""

    @property
    def medications(self) -> Sequence[Entry]:
        """Every medicine, whatever its status."""


class StoredEntry(Struct, frozen=True, gc=False):
    """An `Entry` as stored by ordering."""

    prk: str
    medicine: str
    status: Status
    dosage: str
    quantity: Decimal
    unit: str
    high_risk: bool
    repeat_service: bool


class StoredOverview(Struct, frozen=True, gc=False):
    """An `Overview` as stored by ordering: only what the rules read and prescriptions say."""

    practice: str
    version: int
    medications: tuple[StoredEntry, ...]


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
    return StoredEntry(
        prk=used[0].prk,
        medicine=used[0].medicine,
        status=in_use,
        dosage=dosage,
        quantity=sum(map(_quantity, used), Decimal()) if one_unit else min(map(_quantity, used)),
        unit=used[0].unit,
        high_risk=any(entry.high_risk for entry in used),
        repeat_service=any(entry.repeat_service for entry in used),
    )


def _quantity(entry: Entry) -> Decimal:
    return entry.quantity
