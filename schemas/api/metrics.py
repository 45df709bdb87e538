"""Bodies of metrics' API: the orders of a practice, or of a region's practices, per period and in total."""

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from schemas.records.orders import Outcome


class CountedChannel(StrEnum):
    """The channels of `schemas.base.Channel`, with the portal split by who placed the order.

    `portal` are the orders that patients or their proxies placed there, `portal_by_practice` the practice's.
    """

    PORTAL = "portal"
    PORTAL_BY_PRACTICE = "portal_by_practice"
    RECEPTENLIJN = "receptenlijn"
    COUNTER = "counter"
    E_CONSULT = "e_consult"
    REPEAT_SERVICE = "repeat_service"


class By(StrEnum):
    """How long a period is. A week is an ISO 8601 week, Monday to Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


def _no_outcomes() -> dict[Outcome, int]:
    return dict.fromkeys(Outcome, 0)


class Counts(BaseModel):
    """Orders placed, and their lines by current outcome; every outcome is present."""

    orders: int = 0
    lines: int = 0
    outcomes: dict[Outcome, int] = Field(default_factory=_no_outcomes)


def _no_counts() -> dict[CountedChannel, Counts]:
    return {channel: Counts() for channel in CountedChannel}


class ChannelCounts(Counts):
    """Counts of all channels together and of each; `online_orders` are those of `portal`."""

    online_orders: int = 0
    by_channel: dict[CountedChannel, Counts] = Field(default_factory=_no_counts)


class PeriodCounts(ChannelCounts):
    """Counts from `first_day` to `last_day`, both included: the requested part of the period."""

    period: str
    first_day: date
    last_day: date


class OrdersReport(BaseModel):
    """Orders by the day on which they were placed (Europe/Amsterdam); periods without orders are included."""

    model_config = ConfigDict(validate_by_name=True)

    practice: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: By
    periods: list[PeriodCounts]
    totals: ChannelCounts


class PracticeOrders(BaseModel):
    """The orders of one practice of a region, known by its AGB code and name."""

    practice: str
    name: str
    periods: list[PeriodCounts]
    totals: ChannelCounts


class RegionReport(BaseModel):
    """Orders as in an `OrdersReport`, of each practice of the region, by name, and of all together."""

    model_config = ConfigDict(validate_by_name=True)

    region: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: By
    practices: list[PracticeOrders]
    periods: list[PeriodCounts]
    totals: ChannelCounts
