"""What became of a medicine after a line of it was approved, and before it was dispensed."""

from datetime import timedelta

from schemas.records.medication import Status
from schemas.records.orders import Outcome, StatusSignal
from schemas.times import local_date
from services.ordering.domain.facts import Facts
from services.ordering.domain.order import Line

_CHANGED = {Status.STOPPED: StatusSignal.STOPPED, Status.TEMPORARY: StatusSignal.TEMPORARY}


def signal_of(line: Line, facts: Facts) -> StatusSignal | None:
    """What to tell the practice of an approved line that is under way; None when there is nothing new."""
    if line.outcome is not Outcome.APPROVED or not _is_under_way(line, facts):
        return None
    entry = facts.entry
    signal = _CHANGED.get(entry.status) if entry else StatusSignal.REMOVED
    return None if signal is line.signal else signal


def _is_under_way(line: Line, facts: Facts) -> bool:
    """Tell whether an approved line may not have been dispensed yet."""
    approved_on = local_date(line.decided_at or facts.placed_at)
    supplies = facts.entry.dispensed if facts.entry else ()
    recent = facts.decided_on - approved_on < timedelta(days=facts.policy.under_way_days)
    return recent and not any(supply.on >= approved_on for supply in supplies)
