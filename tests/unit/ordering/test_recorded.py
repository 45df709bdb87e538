"""Recorded inputs lead to the recorded outputs, byte for byte: published records never change.

`recorded.jsonl` has a line for each scenario, then one for each of its records with the answer to it. Each
record is a batch. Once there is a release, the file is never generated again from newer code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message, Outgoing
from runtime.messages.parser import Parser
from runtime.postgres.identity_map import IdentityMap
from schemas.records.directory import Policy
from services.ordering.handlers import INPUTS, OUTPUT_TOPIC, OrderingHandler
from services.ordering.work import Work
from tests.harness.made import PHARMACY, PRACTICE
from tests.harness.records import Delivered
from tests.unit.ordering.story import pharmacy, practice

Headers = list[tuple[str, str]]

parse = Parser.of([*INPUTS, OUTPUT_TOPIC]).parse


class Published(msgspec.Struct):
    """A record that ordering published."""

    topic: str
    key: str
    value: str
    headers: Headers


class Due(msgspec.Struct):
    """A timer that ordering set."""

    id: str
    due_at: str
    record: Published


class Taken(msgspec.Struct):
    """A record that ordering consumed."""

    topic: str
    partition: int
    timestamp: int
    key: str
    value: str | None
    headers: Headers

    def message(self) -> Message[Any]:
        """The record as the loop reads it."""
        record = Delivered(
            self.topic,
            self.key.encode(),
            self.value.encode() if self.value is not None else None,
            [(name, value.encode()) for name, value in self.headers],
            self.partition,
            timestamp=self.timestamp,
        )
        message = parse(record)
        assert isinstance(message, Message)
        return message


class Step(msgspec.Struct):
    """A record and the answer to it; `restored` when the database was emptied before."""

    restored: bool
    record: Taken
    rejected: str | None
    published: list[Published]
    timers: list[Due]
    cancelled: list[str]


class Scenario(msgspec.Struct):
    """The directory, and the steps."""

    scenario: str
    policy: dict[str, Any] | None
    practice_known: bool
    pharmacy_known: bool
    steps: list[Step] = []

    def handler(self) -> OrderingHandler:
        """ordering with this directory."""
        policy = Policy.model_validate(self.policy, strict=False) if self.policy else None
        return OrderingHandler(
            {PRACTICE: practice(policy)} if self.practice_known else {},
            {PHARMACY: pharmacy()} if self.pharmacy_known else {},
        )


@dataclass
class Database:
    """What is stored between two batches."""

    work: Work = field(default_factory=Work)

    def next_batch(self) -> Work:
        """Load the next batch."""
        before = self.work
        recovered = {id: [*events] for id, events in before.recovered.items()}
        for event in before.newly_recovered:
            recovered.setdefault(event.order_id, []).append(event)
        for id in before.orders.changed:
            recovered.pop(id, None)
        self.work = Work(
            IdentityMap(dict(before.orders.current)),
            dict(before.overviews),
            recovered,
            dict(before.histories),
        )
        return self.work


def scenarios() -> Iterator[Scenario]:
    """Read the recorded scenarios."""
    scenario: Scenario | None = None
    for line in (Path(__file__).parent / "recorded.jsonl").read_bytes().splitlines():
        if line.startswith(b'{"scenario"'):
            if scenario:
                yield scenario
            scenario = msgspec.json.decode(line, type=Scenario)
        else:
            assert scenario is not None
            scenario.steps.append(msgspec.json.decode(line, type=Step))
    assert scenario is not None
    yield scenario


SCENARIOS = list(scenarios())


@pytest.mark.parametrize("recorded", SCENARIOS, ids=lambda s: s.scenario)
def test_the_same_records_lead_to_the_same_bytes(recorded: Scenario) -> None:
    """Ids, bytes, order, timers and rejections are those that were recorded."""
    handler, database = recorded.handler(), Database()
    for number, step in enumerate(recorded.steps, start=1):
        if step.restored:
            database = Database()
        answer = handler.handle(step.record.message(), database.next_batch())
        assert answered(step, answer) == step, f"step {number}"


def answered(step: Step, answer: Done | Rejected) -> Step:
    """The step with this answer."""
    if isinstance(answer, Rejected):
        return Step(step.restored, step.record, answer.reason, [], [], [])
    timers = [Due(t.id, t.due_at.isoformat(), shown(t.record)) for t in answer.timers]
    records = [shown(record) for record in answer.records]
    return Step(step.restored, step.record, None, records, timers, [*answer.cancelled])


def shown(record: Outgoing) -> Published:
    """A record in its recorded form."""
    headers = [(name, (value or b"").decode()) for name, value in record.headers]
    key, value = record.key or b"", record.value or b""
    return Published(record.topic, key.decode(), value.decode(), headers)


def test_the_recording_has_every_type_of_record_and_every_rejection() -> None:
    """Otherwise the comparison proves too little."""
    kinds = {
        value
        for scenario in SCENARIOS
        for step in scenario.steps
        for record in step.published
        for name, value in record.headers
        if name == "ce_type"
    }
    assert kinds == {
        "nl.herhaal.order.decided.v1",
        "nl.herhaal.order.line-decided.v1",
        "nl.herhaal.order.cancelled.v1",
        "nl.herhaal.prescription.approved.v1",
        "nl.herhaal.prescription.withdrawn.v1",
    }
    steps = [step for scenario in SCENARIOS for step in scenario.steps]
    assert {step.rejected for step in steps} == {
        *(None, "order_conflict", "unknown_order", "not_in_review", "not_its_next_event"),
    }
    assert any(step.timers for step in steps)
    assert any(step.cancelled for step in steps)
