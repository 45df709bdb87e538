"""When a medicine may be ordered again: the checker's own computation, which shares no code with ordering's.

Days are days in Europe/Amsterdam. docs/architecture/supplies.md says why so.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from schemas.dosage import read_dosage
from verify.notes import Entry

_LOOKBACK_DAYS = 180
"""How much older than a supply the stock that it is added to may be."""


class Approved(NamedTuple):
    """A quantity that was approved on a day; None is the usual one."""

    on: date
    quantity: Decimal | None


def first_day(
    entry: Entry, approved: Sequence[Approved], margin_days: int, share: int
) -> date | None:
    """The first day on which more may be ordered; None where nobody can tell how long a supply lasts.

    `approved`, the oldest first, counts as far as it is newer than what was dispensed.
    """
    if _used_freely(entry.dosage):
        return None
    lasting = [(on, days) for on, days in _supplies(entry, approved) if days]
    if not lasting:
        return None
    runs_out = max(_runs_out(lasting[:count]) for count in range(1, len(lasting) + 1))
    _, newest_days = lasting[-1]
    margin = min(margin_days, newest_days * share // 100)
    return date.fromordinal(max(1, min(runs_out - margin, date.max.toordinal())))


def _used_freely(dosage: str) -> bool:
    """Tell whether it is used as needed, or by a schedule that is elsewhere."""
    words = re.findall(r"\w+", dosage.lower().replace("z.n", "zn").replace("zo nodig", "zonodig"))
    return not {"zn", "zonodig", "volgens"}.isdisjoint(words)


def _supplies(entry: Entry, approved: Sequence[Approved]) -> list[tuple[date, int | None]]:
    """Each supply with the days that it lasts, the oldest first."""
    supplies = sorted(
        ((s.on, _lasts(entry, s.quantity, s.days)) for s in entry.dispensed), key=lambda s: s[0]
    )
    dispensed_on = supplies[-1][0] if supplies else date.min
    newer = sorted((each for each in approved if each.on > dispensed_on), key=lambda each: each.on)
    ordered = entry.last_ordered_on or ""
    if not newer and len(ordered) == len("2026-01-31") and ordered > dispensed_on.isoformat():
        return [*supplies, (date.fromisoformat(ordered), _lasts(entry, entry.quantity, None))]
    return supplies + [(each.on, _lasts(entry, each.quantity or entry.quantity)) for each in newer]


def _lasts(entry: Entry, quantity: Decimal, stated: int | None = None) -> int | None:
    """For how many days a quantity lasts: by the usual supply, by the dosage, or as the pharmacy stated."""
    if entry.days_supply:
        return int(quantity * entry.days_supply // entry.quantity)
    dosage = read_dosage(entry.dosage)
    days = dosage.days_of(quantity, entry.unit) if dosage else None
    return stated if days is None else days


def _runs_out(supplies: Sequence[tuple[date, int]]) -> int:
    """The ordinal of the last day with supply, when each supply is used after what is left of those before."""
    newest = supplies[-1][0]
    until = 0
    for on, days in supplies:
        if (newest - on).days <= _LOOKBACK_DAYS:
            begins = max(on.toordinal(), until + 1)
            until = begins + days - 1
    return until
