"""What a patient can order now: each medicine of the overview, with the verdict on an order of it alone."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.numbers import LARGEST
from services.ordering.domain.decisions import Context
from services.ordering.domain.overview import Entry, Overview, entry_of
from services.ordering.domain.rules import Facts, Verdict, decide


class Orderable(Struct, frozen=True):
    """One medicine in its usual quantity, and what is decided if that is ordered now, without a remark."""

    medicine: Entry
    verdict: Verdict


def orderable(
    overview: Overview, context: Context, at: datetime, *, pharmacy_chosen: bool
) -> tuple[Orderable, ...]:
    """Decide each medicine of the overview as `decisions.place` decides an order of it alone; `at` is UTC.

    A medicine that is listed more than once is there once, at its first place. While no pharmacy is chosen,
    none is unknown, and a medicine in a repeat service counts as supplied by it.
    """
    first = {entry.prk: entry for entry in reversed(overview.medications)}
    return tuple(
        [
            _decided(first[prk], overview, context, at, pharmacy_chosen)
            for prk in dict.fromkeys(entry.prk for entry in overview.medications)
        ]
    )


def _decided(
    listed: Entry, overview: Overview, context: Context, at: datetime, pharmacy_chosen: bool
) -> Orderable:
    entry = entry_of(overview, listed.prk)
    shown = entry or listed
    # Two dosages together may be more than one line of an order can have.
    asked = replace(shown, quantity=min(shown.quantity, LARGEST))
    facts = Facts(
        asked,
        entry,
        overview.practice,
        overview.practice,
        context.pharmacy,
        context.policy,
        at,
        together=asked.quantity,
        pharmacy_chosen=pharmacy_chosen,
    )
    return Orderable(asked, decide(facts))
