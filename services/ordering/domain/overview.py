"""The part of a medication overview that the rules read, from a record or from the database."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from schemas.records.medication import Status


class Entry(Protocol):
    """One medicine in an overview, as in `schemas.records.medication.Medication`."""

    @property
    def prk(self) -> str:
        """The medicine's PRK code."""

    @property
    def status(self) -> Status:
        """Only chronic medication can be ordered."""

    @property
    def dosage(self) -> str:
        """How it is taken, in the practice's words."""

    @property
    def quantity(self) -> int:
        """How much is usually supplied, in the entry's unit."""

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
    status: Status
    dosage: str
    quantity: int
    high_risk: bool
    repeat_service: bool


class StoredOverview(Struct, frozen=True, gc=False):
    """An `Overview` as stored by ordering: only what the rules read, a quarter of the record."""

    practice: str
    version: int
    medications: tuple[StoredEntry, ...]


def entry_of(overview: Overview | None, prk: str) -> Entry | None:
    """Find the entry with this PRK code; None without one, or without an overview."""
    if overview is not None:
        for entry in overview.medications:
            if entry.prk == prk:
                return entry
    return None
