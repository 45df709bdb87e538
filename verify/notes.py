"""The notes in an order's journal, as the checker reads them: what happened, and what was known then."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from schemas.base import Actor


class Authorisation(Struct, frozen=True):
    """A GP's permission to repeat a medicine, both days included."""

    on: date
    until: date
    repeats: int | None = None


class Dispensed(Struct, frozen=True):
    """What a pharmacy supplied."""

    on: date
    quantity: Decimal
    days: int | None = None


class Entry(Struct, frozen=True):
    """A medicine of an overview, as ordering keeps it."""

    prk: str
    medicine: str
    status: str
    dosage: str
    quantity: Decimal
    unit: str
    high_risk: bool
    repeat_service: bool
    incomplete: bool = False
    days_supply: int | None = None
    last_ordered_on: str | None = None
    authorisation: Authorisation | None = None
    atc: str | None = None
    risk_class: str | None = None
    control_due: date | None = None
    specialist: bool = False
    weekly_packing: bool = False
    dispensed: tuple[Dispensed, ...] = ()


class UnderWay(Struct, frozen=True):
    """The same medicine in another order."""

    order_id: UUID
    approved_on: date | None = None
    other_strength: bool = False


class KnownLine(Struct, frozen=True):
    """What was known of the medicine of a line."""

    entry: Entry | None = None
    risk_class: str = "C"
    covered_until: date | None = None
    supply_days: int | None = None
    last_supplied_on: date | None = None
    under_way: tuple[UnderWay, ...] = ()
    repeats_used: int = 0
    held: tuple[str, ...] = ()


class Known(Struct, frozen=True):
    """What was known beside an order at `at` (UTC)."""

    at: datetime
    lines: tuple[KnownLine, ...]
    registered_at: str | None = None
    connected: bool = False
    repeat_service: bool = False
    overview_version: int | None = None
    policy_version: int | None = None
    list_version: int | None = None


class NotedLine(Struct, frozen=True):
    """What an event says of one line."""

    line: int
    outcome: str | None = None
    reasons: tuple[dict[str, Any], ...] = ()
    reviewer: str | None = None
    signals: tuple[str, ...] = ()
    status: str | None = None
    reviewed_as: str | None = None


class NotedActor(Struct, frozen=True):
    """Who did it."""

    role: str
    id: str

    @classmethod
    def of(cls, actor: Actor | None) -> "NotedActor | None":
        """The actor of an event, as a note has it."""
        return cls(actor.role.value, actor.id) if actor else None


class Note(Struct, frozen=True):
    """What a journal says of one event; `known` only where the rules were asked. Times are UTC."""

    seq: int
    type: str
    at: datetime
    lines: tuple[NotedLine, ...]
    by: NotedActor | None = None
    rules: int | None = None
    words: str | None = None
    through: str | None = None
    known: Known | None = None


class JournalUnreadable(ValueError):
    """A journal has a line that is no note."""


_decode = Decoder(Note).decode


def read_journal(journal: str) -> tuple[Note, ...]:
    """Read the notes of an order, the oldest first. Raises JournalUnreadable."""
    try:
        # Not `splitlines`: a text may have other line ends than JSON Lines.
        return tuple(_decode(line) for line in journal.removesuffix("\n").split("\n"))
    except DecodeError as error:
        raise JournalUnreadable(type(error).__name__) from None


def known_at(notes: Sequence[Note], seq: int) -> Known | None:
    """What was known when the event with this `seq` was decided; None where the rules were not asked.

    Of the events that one record caused, the first has it.
    """
    at = next((note.at for note in notes if note.seq == seq), None)
    same = [note.known for note in notes if note.at == at and note.seq <= seq]
    return next((known for known in reversed(same) if known is not None), None)
