"""What metrics' API shows: the orders of a practice per period, and in total."""

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, Field

from schemas.base import Channel
from schemas.orders import Outcome
from services.metrics.domain.counting import ONLINE
from services.metrics.domain.periods import By, Period
from services.metrics.store import Total


def _no_outcomes() -> dict[Outcome, int]:
    return dict.fromkeys(Outcome, 0)


class Counts(BaseModel):
    """Orders placed, and their lines by the outcome that they have now, every outcome named."""

    orders: int = 0
    lines: int = 0
    outcomes: dict[Outcome, int] = Field(default_factory=_no_outcomes)

    def add(self, total: Total) -> None:
        """Count this in."""
        if total.outcome is None:
            self.orders += total.count
        else:
            self.lines += total.count
            self.outcomes[total.outcome] += total.count


def _no_counts() -> dict[Channel, Counts]:
    return {channel: Counts() for channel in Channel}


class ChannelCounts(Counts):
    """Counts of all channels together and of each; online orders are those of the portal."""

    online_orders: int = 0
    by_channel: dict[Channel, Counts] = Field(default_factory=_no_counts)

    def add(self, total: Total) -> None:
        """Count this in."""
        super().add(total)
        self.by_channel[total.channel].add(total)
        self.online_orders = self.by_channel[ONLINE].orders


class PeriodCounts(ChannelCounts):
    """Counts of the days from `first_day` to `last_day`, both included: the asked part of the period."""

    period: str
    first_day: date
    last_day: date


class OrdersReport(BaseModel):
    """Orders by the day on which they were placed, in Europe/Amsterdam, periods without any included."""

    practice: str
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    by: By
    periods: list[PeriodCounts]
    totals: ChannelCounts


def report(
    practice: str, first: date, last: date, by: By, asked: Iterable[Period], found: Iterable[Total]
) -> OrdersReport:
    """What was counted, laid out over the periods that were asked for."""
    rows = {
        period.start: PeriodCounts(
            period=period.label, first_day=period.first, last_day=period.last
        )
        for period in asked
    }
    totals = ChannelCounts()
    for total in found:
        rows[total.start].add(total)
        totals.add(total)
    return OrdersReport(
        practice=practice, first=first, last=last, by=by, periods=list(rows.values()), totals=totals
    )
