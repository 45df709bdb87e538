"""The proof: every order has one decision, one answer and one count, every approved line one prescription.

Judged by the records on the topics and the answers of the APIs only.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cli.demo.follow import ReceivedRecord
from schemas.records.notifications import MessageSent
from schemas.records.orders import OrderDecided, OrderEvent, OrderLineDecided, OrderPlace, Outcome
from schemas.records.prescriptions import PrescriptionApproved

ANSWER = "order-answer"


@dataclass(frozen=True)
class Proof:
    """The counts of a run. It holds when nothing is missing, duplicated, dead-lettered or miscounted."""

    orders: int
    decided: int
    answers: int
    approved_lines: int
    prescriptions: int
    counted_lines: int
    ordered_lines: int
    dead_letters: int
    duplicates: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Lines by outcome and reason."""

    @property
    def holds(self) -> bool:
        """Whether all counts agree."""
        return not (
            self.duplicates
            or self.missing
            or self.dead_letters
            or self.counted_lines != self.ordered_lines
        )


def prove(
    orders: Sequence[OrderPlace],
    received: Iterable[ReceivedRecord],
    counted_lines: int,
    inbox: Counter[UUID],
) -> Proof:
    """Compare the received records with the placed orders.

    `inbox` is the number of automatic answers of each order in the patients' inboxes.
    """
    records = _without_duplicates(received)
    events = [event for record in records if (event := _event(record))]
    decided = Counter(e.order_id for e in events if isinstance(e, OrderDecided))
    sent = Counter(m.order_id for r in records if (m := _answer(r)))
    approved = _approved(events)
    prescribed = Counter((p.order_id, p.line) for r in records if (p := _prescription(r)))
    placed = [order.order_id for order in orders]
    checks: dict[str, tuple[Collection[Hashable], Mapping[Any, int]]] = {
        "decision": (placed, decided),
        "answer": (placed, sent),
        "message in the inbox": (placed, inbox),
        "prescription": (approved, prescribed),
    }
    return Proof(
        orders=len(placed),
        decided=len(decided),
        answers=len(sent),
        approved_lines=len(approved),
        prescriptions=prescribed.total(),
        counted_lines=counted_lines,
        ordered_lines=sum(len(order.lines) for order in orders),
        dead_letters=sum(r.topic.endswith(".dead-letters") for r in records),
        duplicates=[
            problem for name, check in checks.items() for problem in _duplicates(name, *check)
        ],
        missing=[problem for name, check in checks.items() for problem in _missing(name, *check)],
        outcomes=_outcomes(events),
    )


def _duplicates(
    name: str, expected: Collection[Hashable], counts: Mapping[Any, int]
) -> Iterator[str]:
    """Name everything that came more than once, or was not expected."""
    for key, count in counts.items():
        if count > 1 or key not in expected:
            yield f"{name} of {key}"


def _missing(name: str, expected: Collection[Hashable], counts: Mapping[Any, int]) -> Iterator[str]:
    """Name everything that was expected and did not come."""
    for key in expected:
        if not counts.get(key):
            yield f"{name} of {key}"


def _without_duplicates(received: Iterable[ReceivedRecord]) -> list[ReceivedRecord]:
    """Remove records with the same `ce_id`; keep every dead letter."""
    records: dict[tuple[str, str], ReceivedRecord] = {}
    for number, record in enumerate(received):
        key = record.ce_id if not record.topic.endswith(".dead-letters") else str(number)
        records.setdefault((record.topic, key), record)
    return list(records.values())


def _event(record: ReceivedRecord) -> OrderEvent | None:
    if record.ce_type == OrderDecided.ce_type():
        return OrderDecided.model_validate_json(record.value)
    if record.ce_type == OrderLineDecided.ce_type():
        return OrderLineDecided.model_validate_json(record.value)
    return None


def _answer(record: ReceivedRecord) -> MessageSent | None:
    if record.ce_type != MessageSent.ce_type():
        return None
    message = MessageSent.model_validate_json(record.value)
    return message if message.template.startswith(ANSWER) else None


def _prescription(record: ReceivedRecord) -> PrescriptionApproved | None:
    if record.ce_type != PrescriptionApproved.ce_type():
        return None
    return PrescriptionApproved.model_validate_json(record.value)


def _approved(events: Iterable[OrderEvent]) -> set[tuple[UUID, int]]:
    approved: set[tuple[UUID, int]] = set()
    for event in events:
        match event:
            case OrderDecided():
                approved |= {
                    (event.order_id, line.line)
                    for line in event.lines
                    if line.outcome is Outcome.APPROVED
                }
            case OrderLineDecided(outcome=Outcome.APPROVED):
                approved.add((event.order_id, event.line))
            case _:
                pass
    return approved


def _outcomes(events: Iterable[OrderEvent]) -> dict[str, int]:
    """Count lines by their last outcome and its reasons."""
    last: dict[tuple[UUID, int], str] = {}
    for event in events:
        if isinstance(event, OrderDecided):
            for line in event.lines:
                last[event.order_id, line.line] = _label(line.outcome, line.reasons)
        elif isinstance(event, OrderLineDecided):
            last[event.order_id, event.line] = _label(event.outcome, event.reasons)
    return dict(Counter(last.values()).most_common())


def _label(outcome: Outcome, reasons: Sequence[object]) -> str:
    codes = ", ".join(str(getattr(reason, "code", "")) for reason in reasons)
    return f"{outcome}: {codes}" if codes else str(outcome)
