"""An operator lists, replays and drops dead letters; each action is audited without a patient's data."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.console import UserError
from cli.dead_letters.kafka import Writer
from cli.topics.commands import prepare
from deploy.local import LocalStack, PlainReport, StackOptions, free_ports
from runtime.messages.dead_letters import dead_letter
from runtime.messages.message import Outgoing
from runtime.messages.parser import Unreadable
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.records.medication import MedicationOverview
from schemas.records.orders import OrderCancelled
from tests.bodies import make
from tests.harness.kafka import eventually, header, read_all, records_of, send, sent
from tests.harness.made import Sent, a_cancellation, a_patient, an_import, an_order
from tests.harness.records import delivered
from tests.integration.operator import audited, herhaal, letter_of, plain, state

REQUESTS = topics.ORDERS_REQUESTS.name


async def buried(stack: LocalStack, record: Sent, mark: str) -> str:
    """Send a record that becomes a dead letter; return the letter's id."""
    await send(stack.kafka, [record])
    return await letter_of(stack, mark)


async def test_a_record_that_cannot_be_mended_is_listed_and_dies_again_when_replayed(
    stack: LocalStack,
) -> None:
    patient = a_patient()
    bad = replace(sent(REQUESTS, an_order(patient)), value=b'{"order_id": "Jansen')
    letter = await buried(stack, bad, patient)

    said = await herhaal(stack, "dlq", "list", "ordering", "--reason", "bad_json")
    assert said.code == 0
    assert f"{letter} " in said.text
    assert "bad_json the value is not JSON order.place.v1 orders.requests:" in plain(said.text)
    assert "by reason:" in said.text
    assert patient not in said.text
    assert "Jansen" not in said.text
    assert await state(stack, letter) == ("open", None)

    said = await herhaal(stack, "dlq", "replay", "ordering", letter, "--by", "op-1")
    again = await letter_of(stack, patient, but=(letter,))
    assert said.code == 2
    assert f"{letter}: died again as {again}, bad_json" in said.text
    assert await state(stack, letter) == ("died again", again)
    assert await state(stack, again) == ("open", None)
    assert [a.result for a in await audited(stack, letter)] == ["asked", "died_again"]


async def test_a_cancellation_that_came_before_its_order_is_handled_when_replayed_after_it(
    stack: LocalStack,
) -> None:
    patient = a_patient()
    order = an_order(patient)
    letter = await buried(stack, sent(REQUESTS, a_cancellation(order)), patient)
    await send(stack.kafka, [sent(REQUESTS, order)])
    await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=1)

    said = await herhaal(
        stack, "dlq", "replay", "ordering", letter, "--by", "op-1", "--reason-text", "order is here"
    )
    assert said.code == 0, said
    assert f"{letter}: handled (sent to orders.requests:" in said.text
    assert f"dlq.replay ordering {letter} by op-1 (order is here): handled" in said.text
    assert patient not in said.text
    assert await state(stack, letter) == ("handled", None)

    events = await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=2)
    cancelled = OrderCancelled.model_validate_json(events[-1].value)
    assert cancelled.order_id == order.order_id
    await _is_as_sent(stack, patient, letter)


async def _is_as_sent(stack: LocalStack, patient: str, letter: str) -> None:
    """Check that the replayed record equals the first, names its letter, and is on the partition of its key."""
    mine = [r for r in await read_all(stack.kafka, REQUESTS) if r.key == patient.encode()]
    first, replayed = mine[0], mine[-1]
    own = [*first.headers, ("replayed_from", f"ordering.dead-letters:{letter}".encode())]
    assert (replayed.value, list(replayed.headers)) == (first.value, own)
    assert replayed.partition == partition_of(patient.encode(), topics.ORDERS_REQUESTS.partitions)


@pytest.mark.parametrize("those", ["--reason=no_such_reason", "--since=2100-01-01", "--topic=none"])
async def test_a_replay_that_matches_nothing_is_not_done(stack: LocalStack, those: str) -> None:
    """Given a script that goes on after a 0; then no letter is nothing done: 1, and no audit."""
    before = await read_all(stack.kafka, topics.OPERATORS_AUDIT.name)
    command = ["dlq", "replay", "ordering", those, "--kafka", stack.kafka]
    assert await asyncio.to_thread(main, command) == 1
    assert await read_all(stack.kafka, topics.OPERATORS_AUDIT.name) == before


async def test_a_replay_whose_end_nobody_saw_is_not_taken_for_one_that_sent_nothing(
    tmp_path: Path,
) -> None:
    """Given a Kafka that goes away while a replay waits for the service; then 2, as it was sent."""
    dead = Unreadable("bad_json", "")
    async with LocalStack(StackOptions.at(tmp_path, free_ports()), PlainReport()) as alone:
        await alone.start_kafka()
        await prepare(alone.kafka, 1)
        patient = a_patient()
        record = delivered(topics.ORDERS_REQUESTS, an_order(patient))
        async with Writer.open(alone.kafka) as writer:
            place = await writer.send(dead_letter("ordering", record, dead))
        id = f"{place.partition}:{place.offset}"
        command = ["dlq", "replay", "ordering", id, "--wait", "60", "--kafka", alone.kafka]
        replaying = asyncio.create_task(asyncio.to_thread(main, command))
        await records_of(alone.kafka, REQUESTS, [patient], at_least=1)
        await alone.kill("kafka-1")
        assert await replaying == 2


async def test_what_is_settled_is_replayed_only_by_force(stack: LocalStack) -> None:
    patient = a_patient()
    letter = await buried(stack, sent(REQUESTS, a_cancellation(an_order(patient))), patient)
    said = await herhaal(
        stack, "dlq", "drop", "ordering", letter, "--by", "op-2", "--why", "phoned the portal"
    )
    assert said.code == 0
    assert f"dlq.drop ordering {letter} by op-2 (phoned the portal): dropped" in said.text
    assert await state(stack, letter) == ("dropped", None)
    for command in (["drop", "--by", "op-2", "--why", "again"], ["replay"]):
        name, *options = command
        said = await herhaal(stack, "dlq", name, "ordering", letter, *options)
        assert isinstance(said.error, UserError)
        assert "settled already: dropped" in str(said.error)
    said = await herhaal(stack, "dlq", "replay", "ordering", letter, "--force")
    assert said.code == 2
    assert "died again" in said.text
    assert [a.action for a in await audited(stack, letter)] == [
        "dlq.drop",
        "dlq.replay",
        "dlq.replay",
    ]


async def test_a_replay_keeps_the_order_of_a_key(stack: LocalStack) -> None:
    patient = a_patient()
    cancellations = [sent(REQUESTS, a_cancellation(an_order(patient))) for _ in range(2)]
    earlier = await buried(stack, cancellations[0], patient)
    await send(stack.kafka, [cancellations[1]])
    later = await letter_of(stack, patient, but=(earlier,))

    said = await herhaal(stack, "dlq", "replay", "ordering", later)
    assert isinstance(said.error, UserError)
    assert f"{later} would overtake {earlier}" in str(said.error)
    assert await audited(stack, later) == []

    said = await herhaal(stack, "dlq", "replay", "ordering", later, earlier)
    assert said.code == 2
    mine = [r for r in await read_all(stack.kafka, REQUESTS) if r.key == patient.encode()]
    assert [header(r, "replayed_from") for r in mine[-2:]] == [
        f"ordering.dead-letters:{letter}" for letter in (earlier, later)
    ]


async def test_a_record_without_key_and_value_is_sent_back_without_them(stack: LocalStack) -> None:
    patient = a_patient()
    odd = replace(sent(REQUESTS, an_order(patient), **{"x-mark": patient}), key=None, value=None)
    await _send_raw(stack, odd, partition=3)
    topic = topics.dead_letters("ordering").name

    async def look() -> list[str]:
        found = [r for r in await read_all(stack.kafka, topic) if header(r, "x-mark") == patient]
        return [f"{r.partition}:{r.offset}" for r in found]

    (letter,) = await eventually(look, lambda ids: len(ids) == 1)
    said = await herhaal(stack, "dlq", "replay", "ordering", letter)
    assert "died again" in said.text, said
    records = [r for r in await read_all(stack.kafka, REQUESTS) if header(r, "x-mark") == patient]
    assert [(r.partition, r.key, r.value) for r in records] == [(3, None, None)] * 2


async def _send_raw(stack: LocalStack, record: Sent, partition: int) -> None:
    async with Writer.open(stack.kafka) as writer:
        out = Outgoing(record.topic, record.key, record.value, list(record.headers))
        await writer.send(out, partition)


async def test_an_older_overview_is_not_put_behind_a_newer_one(stack: LocalStack) -> None:
    """Given a newer record of the same key on a compacted topic; then the older one is not replayed."""
    patient = a_patient()
    status = topics.MEDICATION_STATUS.name
    bad = Sent(status, patient.encode(), b"{", sent(status, _overview(patient)).headers)
    letter = await buried(stack, bad, patient)
    await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, an_import(patient))])
    await records_of(stack.kafka, status, [patient], at_least=2)
    said = await herhaal(stack, "dlq", "replay", "ordering", letter)
    assert isinstance(said.error, UserError)
    assert "medication.status has a newer record of the same key" in str(said.error)


def _overview(patient: str) -> MedicationOverview:
    made = make(MedicationOverview)
    assert isinstance(made, MedicationOverview)
    return made.model_copy(update={"patient": patient})


async def test_a_body_is_shown_only_on_request_and_the_look_is_audited(stack: LocalStack) -> None:
    patient = a_patient()
    bad = sent(REQUESTS, an_order(patient), **{"x-name": "Jansen"})
    letter = await buried(stack, replace(bad, value=b'{"remark": "op vakantie'), patient)

    said = await herhaal(stack, "dlq", "show", "ordering", letter)
    assert said.code == 0
    assert "header ce_type: nl.herhaal.order.place.v1" in said.text
    assert "header x-name: 6 bytes" in said.text
    assert "value: 23 bytes" in said.text
    assert "vakantie" not in said.text
    assert await audited(stack, letter) == []

    said = await herhaal(
        stack, "dlq", "show", "ordering", letter, "--body", "--by", "op-3", "--reason-text", "a bug"
    )
    assert '{"remark": "op vakantie' in said.text
    assert "header x-name: Jansen" in said.text
    (looked,) = await audited(stack, letter)
    assert (looked.action, looked.by, looked.why) == ("dlq.show", "op-3", "a bug")


async def test_the_list_is_narrowed_by_time_reason_and_topic(stack: LocalStack) -> None:
    patient = a_patient()
    letter = await buried(stack, sent(REQUESTS, a_cancellation(an_order(patient))), patient)

    async def listed(*options: str) -> bool:
        said = await herhaal(stack, "dlq", "list", "ordering", "--json", *options)
        return f'"{letter}"' in said.text

    assert await listed("--reason", "unknown_order", "--topic", REQUESTS, "--since", "2020-01-01")
    assert not await listed("--until", "2020-01-01")
    assert not await listed("--since", "2100-01-01T10:00")
    assert not await listed("--reason", "bad_json")
    assert not await listed("--topic", "orders.events")


async def test_a_service_that_does_not_run_leaves_a_replay_unseen_until_it_does(
    stack: LocalStack,
) -> None:
    patient = a_patient()
    order = an_order(patient)
    letter = await buried(stack, sent(REQUESTS, a_cancellation(order)), patient)
    await send(stack.kafka, [sent(REQUESTS, order)])
    await records_of(stack.kafka, topics.ORDERS_EVENTS.name, [patient], at_least=1)
    await stack.stop("ordering")
    try:
        said = await herhaal(stack, "dlq", "replay", "ordering", letter, "--wait", "1")
        assert said.code == 2
        assert "has not handled it in time" in said.text
        assert await state(stack, letter) == ("replayed", None)
    finally:
        await stack.start("ordering")

    async def look() -> tuple[str, str | None]:
        return await state(stack, letter)

    await eventually(look, lambda seen: seen == ("handled", None))


@pytest.mark.parametrize("service", ["odering", ""])
async def test_a_name_that_is_no_service_is_told_with_those_that_are(
    stack: LocalStack, service: str
) -> None:
    said = await herhaal(stack, "dlq", "list", service)
    assert "there are ordering, medication" in str(said.error)


async def test_the_audit_knows_no_patient(stack: LocalStack) -> None:
    """Given the audit of all tests before this one; then no record's key or content is in it."""
    for record in await read_all(stack.kafka, topics.OPERATORS_AUDIT.name):
        everything = b"".join((record.key, record.value, *(v for _, v in record.headers)))
        assert b"pat_" not in everything
        assert b"Jansen" not in everything
