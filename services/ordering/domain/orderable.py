"""What a patient can order now: each medicine of the overview, with the verdict on an order of it alone."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from schemas.numbers import LARGEST
from services.ordering.domain.facts import facts_of
from services.ordering.domain.knowledge import Context, Known, gather
from services.ordering.domain.overview import Entry, Overview, entry_of
from services.ordering.domain.rules import Verdict, decide

_NOT_PLACED = UUID(int=0)
"""The id of an order that nobody has placed: whatever a patient ordered came before it."""


class Orderable(Struct, frozen=True):
    """One medicine in its usual quantity, and what is decided if that is ordered now, without a remark."""

    medicine: Entry
    verdict: Verdict


class _OrderOfOne(Struct, frozen=True):
    """An order that nobody has placed: one medicine, and nothing else."""

    practice: str
    lines: tuple[Entry, ...]
    remark: None = None
    supply_until: None = None


def orderable(
    overview: Overview, context: Context, at: datetime, *, pharmacy_chosen: bool
) -> tuple[Orderable, ...]:
    """Decide each medicine of the overview as `decisions.place` decides an order of it alone; `at` is UTC.

    A medicine that is listed more than once is there once, at its first place. While no pharmacy is chosen, the
    answer is that of a connected one that runs a repeat service.
    """
    first = {entry.prk: entry for entry in reversed(overview.medications)}
    found = []
    for prk in dict.fromkeys(entry.prk for entry in overview.medications):
        shown = entry_of(overview, prk) or first[prk]
        # Two dosages together may be more than one line of an order can have.
        asked = replace(shown, quantity=min(shown.quantity, LARGEST))
        known = gather((asked,), _NOT_PLACED, context, at)
        found.append(
            _decided(asked, overview, context, known if pharmacy_chosen else _anywhere(known))
        )
    return tuple(found)


def _anywhere(known: Known) -> Known:
    return replace(known, connected=True, repeat_service=True)


def _decided(asked: Entry, overview: Overview, context: Context, known: Known) -> Orderable:
    order = _OrderOfOne(overview.practice, (asked,))
    (facts,) = facts_of(order, known.at, known, context.policy)
    return Orderable(asked, decide(facts))
