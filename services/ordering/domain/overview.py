"""The part of a medication overview that ordering keeps, and what it says of one medicine."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import LONGEST_TEXT, RiskClass
from schemas.records import medication
from schemas.records.medication import MedicationOverview, Status

_PRECEDENCE = (Status.CHRONIC, Status.TEMPORARY, Status.STOPPED)
"""Which of a medicine's statuses counts, when an overview lists it more than once."""


class Authorisation(Struct, frozen=True, gc=False):
    """A GP's permission to repeat, as in `schemas.records.medication.Authorisation`."""

    on: date
    until: date
    repeats: int | None = None


class Dispensed(Struct, frozen=True, gc=False):
    """A supply by a pharmacy, as in `schemas.records.medication.Dispensed`."""

    on: date
    quantity: Decimal
    days: int | None = None


class Entry(Struct, frozen=True, gc=False, omit_defaults=True):
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
    days_supply: int | None = None
    last_ordered_on: str | None = None
    authorisation: Authorisation | None = None
    atc: str | None = None
    risk_class: RiskClass | None = None
    control_due: date | None = None
    specialist: bool = False
    weekly_packing: bool = False
    dispensed: tuple[Dispensed, ...] = ()


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
            m.days_supply,
            m.last_ordered_on,
            _authorisation(m.authorisation),
            m.atc,
            m.risk_class,
            m.control_due,
            m.specialist,
            m.weekly_packing,
            tuple([Dispensed(d.on, d.quantity, d.days) for d in m.dispensed]),
        )
        for m in record.medications
    ]
    return Overview(record.practice, record.version, tuple(entries))


def _authorisation(given: medication.Authorisation | None) -> Authorisation | None:
    return Authorisation(given.on, given.until, given.repeats) if given else None


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
    return replace(
        used[0],
        dosage=dosage,
        quantity=sum(map(_quantity, used), Decimal()) if one_unit else min(map(_quantity, used)),
        high_risk=any(entry.high_risk for entry in used),
        repeat_service=any(entry.repeat_service for entry in used),
        days_supply=_same([entry.days_supply for entry in used]),
        authorisation=_weakest([entry.authorisation for entry in used]),
        risk_class=min((e.risk_class for e in used if e.risk_class), default=None),
        control_due=min((e.control_due for e in used if e.control_due), default=None),
        specialist=any(entry.specialist for entry in used),
        weekly_packing=any(entry.weekly_packing for entry in used),
        last_ordered_on=max(
            (e.last_ordered_on for e in entries if e.last_ordered_on), default=None
        ),
        dispensed=_once([supply for entry in entries for supply in entry.dispensed]),
    )


def _quantity(entry: Entry) -> Decimal:
    return entry.quantity


def _same(days: Sequence[int | None]) -> int | None:
    """The number of days, if all entries last equally long."""
    return days[0] if len({*days}) == 1 else None


def _weakest(authorisations: Sequence[Authorisation | None]) -> Authorisation | None:
    """The authorisation that ends first; None if an entry has none."""
    given = [each for each in authorisations if each is not None]
    return min(given, key=_ends) if len(given) == len(authorisations) else None


def _ends(authorisation: Authorisation) -> tuple[date, float]:
    repeats = authorisation.repeats
    return authorisation.until, float("inf") if repeats is None else repeats


def _once(supplies: Sequence[Dispensed]) -> tuple[Dispensed, ...]:
    """The supplies by day; the same one listed with two entries counts once."""
    return tuple(sorted(dict.fromkeys(supplies), key=_day))


def _day(supply: Dispensed) -> date:
    return supply.on
