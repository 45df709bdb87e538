"""What ordering needs of a patient's medication overview, whoever keeps it."""

from collections.abc import Sequence
from typing import Protocol

from schemas.medication import Status


class Entry(Protocol):
    """One medicine in an overview, as in `schemas.medication.Medication`."""

    @property
    def prk(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def dosage(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def high_risk(self) -> bool: ...
    @property
    def repeat_service(self) -> bool: ...


class Overview(Protocol):
    """An overview: one that has just arrived, or one that was kept."""

    @property
    def practice(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def medications(self) -> Sequence[Entry]: ...
