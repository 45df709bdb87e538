"""What is known of an order beside what it says: gathered once, at its decision, and kept with it.

The rules read this and nothing else, so an explanation and a trial of another policy see what was known then.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.base import RiskClass
from schemas.coverage import Supply, covered_until
from schemas.dosage import read_dosage
from schemas.medicine_groups import MedicineGroups, group_of
from schemas.records.directory import Pharmacy, Policy
from schemas.times import local_date
from services.ordering.domain.history import Earlier, History, before
from services.ordering.domain.overview import Dispensed, Entry, Overview, entry_of


class Context(Struct, frozen=True):
    """The overview, the history and the directory's data that an order is decided with.

    `overview` is None until the patient's overview has arrived. `pharmacy` is None when it is not in the
    directory. For a practice that is not in it, `policy` is the default and `policy_version` is None. `groups`
    are those of the list of medicines that counts for the practice, None without one.
    """

    overview: Overview | None
    pharmacy: Pharmacy | None
    policy: Policy
    policy_version: int | None
    groups: MedicineGroups | None = None
    history: History = ()


class UnderWay(Struct, frozen=True, gc=False, omit_defaults=True):
    """The same medicine in another order; `approved_on` is None before it is approved.

    `other_strength` if it has another PRK code of the same ATC code.
    """

    order_id: UUID
    approved_on: date | None = None
    other_strength: bool = False


class KnownLine(Struct, frozen=True, omit_defaults=True):
    """What is known of the medicine of one line.

    `entry` is None for a medicine that is not in the overview. `supply_days` is how long the last supply lasts;
    with `covered_until` it is None where no days can be computed. `repeats_used` counts what was ordered since
    the authorisation. `weekly`: a medicine that is taken once a week. `most_days`: the longest supply that the
    list allows. `held` are the names of the rules that held. Days are Europe/Amsterdam.
    """

    entry: Entry | None = None
    risk_class: RiskClass = RiskClass.C
    weekly: bool = False
    most_days: int | None = None
    covered_until: date | None = None
    supply_days: int | None = None
    last_supplied_on: date | None = None
    under_way: tuple[UnderWay, ...] = ()
    repeats_used: int = 0
    held: tuple[str, ...] = ()


class Known(Struct, frozen=True, omit_defaults=True):
    """What is known beside an order, with `lines` in the order's order; `at` (UTC) is when it is decided.

    `registered_at` is the practice of the overview, None until one has arrived. `connected` if the pharmacy is
    in the directory; `repeat_service` if it runs one. The versions say which overview, policy and list of
    medicines.
    """

    at: datetime
    lines: tuple[KnownLine, ...]
    registered_at: str | None = None
    connected: bool = False
    repeat_service: bool = False
    overview_version: int | None = None
    policy_version: int | None = None
    list_version: int | None = None


def with_held(known: Known, held: Mapping[int, tuple[str, ...]]) -> Known:
    """Add which rules held, by the place of the line, counted from 0."""
    if not any(held.values()):
        return known
    lines = [replace(line, held=held.get(n, ())) for n, line in enumerate(known.lines)]
    return replace(known, lines=tuple(lines))


class Asked(Protocol):
    """What is to be supplied: a line of an order, or a medicine that could be ordered."""

    @property
    def prk(self) -> str:
        """The medicine's PRK code."""

    @property
    def medicine(self) -> str:
        """Its name, in the words of whoever orders."""

    @property
    def quantity(self) -> Decimal | None:
        """How much, in the unit of the overview's entry; None is the usual quantity."""


def gather(lines: Iterable[Asked], order_id: UUID, context: Context, at: datetime) -> Known:
    """Gather what is known at `at` (UTC) for these lines of an order; of the history, what was ordered before
    it."""
    overview, pharmacy = context.overview, context.pharmacy
    history = before(context.history, order_id)
    return Known(
        at,
        tuple([_known_line(line.prk, context, history) for line in lines]),
        overview.practice if overview else None,
        pharmacy is not None,
        pharmacy is not None and pharmacy.repeat_service,
        overview.version if overview else None,
        context.policy_version,
        context.groups.list.version if context.groups else None,
    )


def _known_line(prk: str, context: Context, history: Sequence[Earlier]) -> KnownLine:
    entry = entry_of(context.overview, prk)
    if entry is None:
        return KnownLine(under_way=_under_way(prk, None, context, history) if history else ())
    group = group_of(context.groups, entry.atc, prk)
    approved = [each for each in history if each.prk == prk and each.approved_at is not None]
    supplies = _supplies(entry, approved)
    computed = [Supply(on, days) for on, days in supplies if days]
    return KnownLine(
        entry,
        _risk_class(entry, group.risk_class if group else None),
        group is not None and group.weekly,
        group.most_days if group else None,
        covered_until(computed),
        computed[-1].days if computed else None,
        supplies[-1][0] if supplies else None,
        _under_way(prk, entry, context, history) if history else (),
        _repeats_used(entry, history) if history else 0,
    )


def _risk_class(entry: Entry, listed: RiskClass | None) -> RiskClass:
    """The more careful of what the list says and what the overview says; a mark of high risk is class B."""
    marked = RiskClass.B if entry.high_risk else RiskClass.C
    return min(marked, listed or RiskClass.C, entry.risk_class or RiskClass.C)


def _supplies(entry: Entry, approved: Sequence[Earlier]) -> Sequence[tuple[date, int | None]]:
    """What the patient got or is to get, by day, and for how many days: as dispensed, then as approved since.

    Where neither is known, what the practice's system calls ordered last counts.
    """
    dispensed = [(each.on, days_of(entry, each.quantity, each.days)) for each in entry.dispensed]
    dispensed.sort(key=_day)
    last = dispensed[-1][0] if dispensed else date.min
    since = [
        (day, days_of(entry, each.quantity or entry.quantity, None))
        for each in approved
        if each.approved_at and (day := local_date(each.approved_at)) > last
    ]
    since.sort(key=_day)
    if not since and (ordered := _full_date(entry.last_ordered_on)) and ordered > last:
        since = [(ordered, days_of(entry, entry.quantity, None))]
    return dispensed + since


def _day(supply: tuple[date, int | None]) -> date:
    return supply[0]


def _full_date(written: str | None) -> date | None:
    """The day, where it is known to the day."""
    return date.fromisoformat(written) if written and len(written) == len("1998-05-31") else None


_NO_FIXED_USE = re.compile(r"\bzo ?nodig\b|\bz\.?n\.?\b|\bvolgens\b", re.IGNORECASE)
"""Dosages that do not say how long a supply lasts: as needed, or by a schedule that is kept elsewhere."""


def days_of(entry: Entry, quantity: Decimal, stated: int | None) -> int | None:
    """For how many days a quantity lasts at the present dosage; None where that cannot be computed.

    What was stated of a supply comes last: of one from before the dosage was raised, less is left than was said
    then.
    """
    if _NO_FIXED_USE.search(entry.dosage):
        return None
    if entry.days_supply:
        usual = quantity == entry.quantity
        return entry.days_supply if usual else int(quantity * entry.days_supply / entry.quantity)
    dosage = read_dosage(entry.dosage)
    days = dosage.days_of(quantity, entry.unit) if dosage else None
    return stated if days is None else days


def _under_way(
    prk: str, entry: Entry | None, context: Context, history: Sequence[Earlier]
) -> tuple[UnderWay, ...]:
    """This medicine in other orders that are not finished, as far as what was dispensed tells."""
    atc = entry.atc if entry else None
    found = []
    for each in history:
        other = None if each.prk == prk else entry_of(context.overview, each.prk)
        if each.prk != prk and (atc is None or other is None or other.atc != atc):
            continue
        listed = other or entry
        approved_on = local_date(each.approved_at) if each.approved_at else None
        if approved_on is None or not _dispensed_since(listed, approved_on):
            found.append(UnderWay(each.order_id, approved_on, each.prk != prk))
    return tuple(found)


def _dispensed_since(entry: Entry | None, day: date) -> bool:
    supplies: tuple[Dispensed, ...] = entry.dispensed if entry else ()
    return any(supply.on >= day for supply in supplies)


def _repeats_used(entry: Entry, history: Sequence[Earlier]) -> int:
    """How many lines were ordered since the medicine was authorised, and are not refused or cancelled."""
    given = entry.authorisation
    if given is None or given.repeats is None:
        return 0
    return sum(each.prk == entry.prk and local_date(each.placed_at) >= given.on for each in history)
