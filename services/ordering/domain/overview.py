"""What ordering needs of a patient's medication overview, whoever keeps it."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from schemas.records.medication import Status


class Entry(Protocol):
    """One medicine in an overview, as in `schemas.records.medication.Medication`."""

    @property
    def prk(self) -> str:
        """Which medicine."""

    @property
    def status(self) -> Status:
        """Only chronic medication can be ordered."""

    @property
    def dosage(self) -> str:
        """How it is taken, in the practice's words."""

    @property
    def quantity(self) -> int:
        """What is usually supplied, in the entry's unit."""

    @property
    def high_risk(self) -> bool:
        """Whether a person has to look at it first."""

    @property
    def repeat_service(self) -> bool:
        """Whether the pharmacy supplies it by itself."""


class Overview(Protocol):
    """An overview: one that has just arrived, or one that was kept."""

    @property
    def practice(self) -> str:
        """Whose patient it is: an AGB code."""

    @property
    def version(self) -> int:
        """Rises by one with every change."""

    @property
    def medications(self) -> Sequence[Entry]:
        """Every medicine, whatever its status."""


class KeptEntry(Struct, frozen=True, gc=False):
    """An `Entry` as ordering keeps it."""

    prk: str
    status: Status
    dosage: str
    quantity: int
    high_risk: bool
    repeat_service: bool


class KeptOverview(Struct, frozen=True, gc=False):
    """An `Overview` as ordering keeps it: what the rules look at, a quarter of the record."""

    practice: str
    version: int
    medications: tuple[KeptEntry, ...]


def entry_of(overview: Overview | None, prk: str) -> Entry | None:
    """The overview's entry of this medicine; None when it has none, or has not arrived."""
    if overview is not None:
        for entry in overview.medications:
            if entry.prk == prk:
                return entry
    return None
