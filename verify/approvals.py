"""A line that a policy approved, with what the rules about approvals look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from schemas.base import Role
from schemas.records.directory import Policy
from schemas.records.orders import OrderDecided, OrderLineDecided, Outcome
from schemas.times import local_date
from verify.expected_orders import ExpectedOrder, Line, Past, happened_at
from verify.notes import Entry, Known, KnownLine
from verify.topic_records import ParsedRecord


@dataclass(frozen=True, slots=True)
class Approval:
    """A line that a policy approved by this event; `known` and `policy` are None where they are not kept."""

    order: ExpectedOrder
    number: int
    event: ParsedRecord
    known: Known | None
    policy: Policy | None

    @property
    def line(self) -> Line:
        """The line, as its events left it."""
        return self.order.lines[self.number]

    @property
    def known_line(self) -> KnownLine | None:
        """What was known of its medicine."""
        place = list(self.order.lines).index(self.number)
        lines = self.known.lines if self.known else ()
        return lines[place] if place < len(lines) else None

    @property
    def entry(self) -> Entry | None:
        """Its medicine in the overview of that time."""
        return self.known_line.entry if self.known_line else None

    @property
    def placed_on(self) -> date:
        """The day (Europe/Amsterdam) on which it was ordered."""
        return local_date(self.order.first.placed_at)

    @property
    def decided_on(self) -> date:
        """The day (Europe/Amsterdam) on which it was approved."""
        return local_date(happened_at(self.event.body))

    @property
    def where(self) -> str:
        """The order and the line."""
        return f"{self.order.order_id} line {self.number}"


class Before(NamedTuple):
    """A line of an earlier order, and what it was when another line was decided."""

    order: ExpectedOrder
    line: Line
    past: Past


def approved_lines(order: ExpectedOrder) -> Iterator[tuple[ParsedRecord, int]]:
    """Each event by which a policy approved a line of this order, with the line's number."""
    for message in order.events:
        for number in _approved_by_policy(message.body):
            if number in order.lines:
                yield message, number


def _approved_by_policy(event: object) -> list[int]:
    match event:
        case OrderDecided():
            return [line.line for line in event.lines if line.outcome is Outcome.APPROVED]
        case OrderLineDecided(outcome=Outcome.APPROVED) if event.decided_by.role is Role.POLICY:
            return [event.line]
        case _:
            return []
