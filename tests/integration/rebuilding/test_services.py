"""A rebuild repairs wrong projections of each real service."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from cli.console import UserError
from cli.directory import apply_directory, read_directory
from deploy.local import LocalStack
from runtime.messages.partitioner import partition_of
from schemas import topics
from schemas.base import Channel
from schemas.records.directory import Directory
from schemas.records.medication import Status
from schemas.records.operators import OperatorRebuild
from schemas.records.orders import OrderEscalated, OrderReview, Outcome
from tests.harness.kafka import eventually, header, read_all, records_of, send, sent
from tests.harness.made import (
    AMOXICILLINE,
    FREELY,
    GP,
    METFORMINE,
    OMEPRAZOL,
    PHARMACY,
    PRACTICE,
    Sent,
    a_cancellation,
    a_patient,
    an_import,
    an_order,
    entry,
)
from tests.integration.conftest import EXAMPLE
from tests.integration.operator import herhaal
from tests.integration.rebuilding.command import at_rest, database, patients, rebuild

REQUESTS, REVIEWS = topics.ORDERS_REQUESTS.name, topics.ORDERS_REVIEWS.name
EVENTS, NOTIFICATIONS = topics.ORDERS_EVENTS.name, topics.NOTIFICATIONS_EVENTS.name
AUDIT = topics.OPERATORS_AUDIT.name


async def a_history(stack: LocalStack, practice: str | None = None) -> str:
    """Create a patient with an approved, a reviewed, a cancelled and a refused order; wait until handled."""
    patient = a_patient()
    at: Any = {"practice": practice or PRACTICE}
    await send(
        stack.kafka,
        [
            sent(
                topics.MEDICATION_CHANGES.name,
                an_import(
                    patient,
                    entry(METFORMINE, **FREELY),
                    entry(OMEPRAZOL, **FREELY),
                    entry(AMOXICILLINE, Status.TEMPORARY),
                    **at,
                ),
            )
        ],
    )
    await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], at_least=1)
    await at_rest(stack)
    reviewed = an_order(patient, OMEPRAZOL, remark="graag voor vier maanden", **at)
    cancelled = an_order(patient, METFORMINE, **at)
    orders = [an_order(patient, METFORMINE, OMEPRAZOL, **at), reviewed, cancelled]
    await send(stack.kafka, [sent(REQUESTS, o) for o in orders])
    await records_of(stack.kafka, EVENTS, [patient], at_least=3)
    review = OrderReview(
        order_id=reviewed.order_id,
        patient=patient,
        line=1,
        outcome=Outcome.APPROVED,
        decided_by=GP,
    )
    refused = an_order(patient, AMOXICILLINE, **at)
    later = [
        sent(REVIEWS, review),
        sent(REQUESTS, a_cancellation(cancelled)),
        sent(REQUESTS, refused),
    ]
    await send(stack.kafka, later)
    await records_of(stack.kafka, EVENTS, [patient], at_least=6)
    await at_rest(stack)
    return patient


async def inbox(stack: LocalStack, http: httpx.AsyncClient, patient: str) -> list[dict[str, Any]]:
    url = f"{stack.endpoints['notification']}/patients/{patient}/messages"
    found: list[dict[str, Any]] = (await http.get(url)).json()["messages"]
    return found


async def test_wrong_counts_of_metrics_are_reported_and_repaired(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    await a_history(stack)
    url = f"{stack.endpoints['metrics']}/practices/01999001/orders"
    right = (await http.get(url)).json()
    async with database(stack, "metrics") as db:
        await db.execute("update daily_lines set lines = lines + 5 where practice = '01999001'")
        await db.execute(
            "delete from counted_orders where order_id = (select order_id from counted_orders limit 1)"
        )
    assert (await http.get(url)).json() != right

    compared = await rebuild(stack, "metrics", tmp_path, "--compare-only")
    assert compared.said.code == 2
    added, changed, gone = compared.difference("counted_orders")
    assert (added, changed, gone) == (1, 0, 0)
    assert compared.difference("daily_lines")[1] > 0
    assert "the running tables differ from the topics" in compared.said.text

    rebuilt = await rebuild(stack, "metrics", tmp_path)
    assert rebuilt.said.code == 0
    assert (await http.get(url)).json() == right
    await _counts_on(stack, http, url, right)


async def _counts_on(
    stack: LocalStack, http: httpx.AsyncClient, url: str, before: dict[str, Any]
) -> None:
    """The service continues with the new tables."""
    (patient,) = await patients(stack, 1)
    await send(stack.kafka, [sent(REQUESTS, an_order(patient, METFORMINE))])
    await eventually(
        lambda: http.get(url),
        lambda answer: answer.json()["totals"]["orders"] == before["totals"]["orders"] + 1,
    )


async def test_a_count_without_an_event_is_dropped_only_when_the_loss_is_accepted(
    stack: LocalStack, tmp_path: Path
) -> None:
    await a_history(stack)
    async with database(stack, "metrics") as db:
        await db.execute(
            "insert into counted_orders values ($1, 1, '01999999', '2020-01-01', 'portal', '{}')",
            uuid4(),
        )
    refused = await rebuild(stack, "metrics", tmp_path)
    assert isinstance(refused.said.error, UserError)
    assert "metrics is not rebuilt: 1 rows of counted_orders" in str(refused.said.error)
    rebuilt = await rebuild(stack, "metrics", tmp_path, "--accept-loss")
    assert rebuilt.difference("counted_orders") == (0, 0, 1)
    assert (await rebuild(stack, "metrics", tmp_path)).difference("counted_orders") == (0, 0, 0)


async def test_missing_messages_return_to_their_place_and_are_not_sent_again(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    patient = await a_history(stack)
    whole = await inbox(stack, http, patient)
    assert [m["kind"] for m in reversed(whole)][:3] == ["order-answer"] * 3
    assert {m["kind"] for m in whole} == {"order-answer", "line-answer", "order-cancelled"}
    published = len(await read_all(stack.kafka, NOTIFICATIONS))
    async with database(stack, "notification") as db:
        gone = [m["message_id"] for m in whole[1::2]]
        await db.execute("delete from messages where message_id = any($1::uuid[])", gone)
        orders = [m["order_id"] for m in whole]
        await db.execute(
            """
            update orders set body = replace(convert_from(body, 'UTF8'), 'approved', 'x')::bytea
            where order_id = any($1::uuid[])
            """,
            orders,
        )
    assert len(await inbox(stack, http, patient)) == len(whole) - len(gone)

    rebuilt = await rebuild(stack, "notification", tmp_path)

    assert rebuilt.said.code == 0, rebuilt.said
    assert rebuilt.difference("messages") == (len(gone), 0, 0)
    assert rebuilt.difference("orders")[1] > 0
    assert await inbox(stack, http, patient) == whole
    assert len(await read_all(stack.kafka, NOTIFICATIONS)) == published
    assert not any((await rebuild(stack, "notification", tmp_path)).difference("orders"))


async def test_a_restored_message_gives_the_pickup_that_was_promised(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    practice = "01999077"
    await _practice(stack, practice, working_days=2)
    patient = await a_history(stack, practice)
    whole = await inbox(stack, http, patient)
    assert any(m["pickup"] for m in whole)
    await _practice(stack, practice, working_days=9)
    async with database(stack, "notification") as db:
        await db.execute("delete from messages where patient = $1", patient)

    assert (await rebuild(stack, "notification", tmp_path)).said.code == 0

    assert await inbox(stack, http, patient) == whole


async def _practice(stack: LocalStack, agb: str, working_days: int) -> None:
    """Publish a practice that has repeats ready after this many working days."""
    example = read_directory(EXAMPLE)
    first = example.practices[0]
    processing = first.processing.model_copy(
        update={"working_days": working_days, "cutoff": time(23, 59)}
    )
    entry = first.model_copy(update={"agb": agb, "processing": processing})
    await apply_directory(stack.kafka, Directory(practices=(entry,), pharmacies=example.pharmacies))


async def test_a_message_whose_event_has_expired_is_kept(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    patient = await a_history(stack)
    whole = await inbox(stack, http, patient)
    async with database(stack, "notification") as db:
        # The oldest message, whose event has expired.
        old = uuid4()
        await db.execute(
            """
            insert into messages overriding system value
            select -1 - id, $1, patient, order_id, template, template_version, at, facts
            from messages where message_id = $2
            """,
            old,
            whole[-1]["message_id"],
        )
        before = await inbox(stack, http, patient)
        assert before[-1]["message_id"] == str(old)

        rebuilt = await rebuild(stack, "notification", tmp_path)

        assert rebuilt.said.code == 0, rebuilt.said
        assert await inbox(stack, http, patient) == before
        # Other tests run the checker, which would report its missing event.
        await db.execute("delete from messages where message_id = $1", old)


async def test_wrong_overviews_of_ordering_are_reported_and_repaired(
    stack: LocalStack, tmp_path: Path
) -> None:
    lost, wrong = await patients(stack, 2)
    await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [lost, wrong], at_least=2)
    await at_rest(stack)
    async with database(stack, "ordering") as db:
        query = "select * from overviews where patient = any($1::text[]) order by patient"
        right = await db.fetch(query, [lost, wrong])
        await db.execute("delete from overviews where patient = $1", lost)
        await db.execute(
            """
            update overviews set version = 7,
                medications = replace(medications::text, 'chronic', 'stopped')::json
            where patient = $1
            """,
            wrong,
        )
        rebuilt = await rebuild(stack, "ordering", tmp_path)
        assert rebuilt.difference("overviews") == (1, 1, 0), rebuilt.said
        assert await db.fetch(query, [lost, wrong]) == right
    orders = [an_order(patient, METFORMINE) for patient in (lost, wrong)]
    await send(stack.kafka, [sent(REQUESTS, order) for order in orders])
    decided = await records_of(stack.kafka, EVENTS, [lost, wrong], at_least=2)
    assert [b'"state":"approved"' in record.value for record in decided] == [True, True]


async def test_repeats_and_malformed_records_make_no_difference(
    stack: LocalStack, tmp_path: Path
) -> None:
    patient = await a_history(stack)
    events = [r for r in await read_all(stack.kafka, EVENTS) if r.key == patient.encode()]
    again = [Sent(r.topic, r.key, r.value, tuple(r.headers), r.partition) for r in events]
    await send(stack.kafka, [*again, *_malformed(patient)])
    await at_rest(stack)

    for service in ("metrics", "notification", "ordering"):
        compared = await rebuild(stack, service, tmp_path, "--compare-only")
        assert compared.said.code == 0, compared.said
        assert {compared.difference(table) for table in compared.figures["tables"]} == {(0, 0, 0)}


def _malformed(patient: str) -> Sequence[Sent]:
    """An event that skips a `seq`, one that is not JSON, a misplaced one, and one on the overviews' topic."""
    escalated = OrderEscalated(
        order_id=uuid4(),
        seq=4,
        patient=patient,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        line=1,
        to_role="gp",
        escalated_at=datetime.now(UTC),
    )
    skips = sent(EVENTS, escalated)
    home = partition_of(patient.encode(), topics.ORDERS_EVENTS.partitions)
    return (
        skips,
        replace(skips, value=b'{"order_id": '),
        replace(skips, partition=(home + 1) % topics.ORDERS_EVENTS.partitions),
        replace(skips, topic=topics.MEDICATION_STATUS.name),
    )


async def test_a_rebuild_is_audited(stack: LocalStack, tmp_path: Path) -> None:
    why = f"counts look odd {uuid4()}"
    signed = ("--by", "op-1", "--reason-text", why)
    rebuilt = await rebuild(stack, "metrics", tmp_path, *signed)
    assert f"rebuild metrics by op-1 ({why}): switched" in rebuilt.said.text
    records = [r for r in await read_all(stack.kafka, AUDIT) if why.encode() in r.value]
    assert {header(r, "ce_type") for r in records} == {OperatorRebuild.ce_type()}
    actions = [OperatorRebuild.model_validate_json(r.value) for r in records]
    assert [(a.service, a.by, a.result) for a in actions] == [
        ("metrics", "op-1", "asked"),
        ("metrics", "op-1", "switched"),
    ]
    assert (actions[1].added, actions[1].changed, actions[1].gone) == (0, 0, 0)
    assert (await herhaal(stack, "dlq", "list", "metrics")).code == 0


async def test_medication_has_no_projection(stack: LocalStack, tmp_path: Path) -> None:
    refused = await rebuild(stack, "medication", tmp_path)
    assert isinstance(refused.said.error, UserError)
    assert "medication has no projection" in str(refused.said.error)


async def test_an_unreachable_server_is_reported_in_one_sentence(stack: LocalStack) -> None:
    said = await herhaal(stack, "rebuild", "metrics", "--postgres", "postgresql://x@127.0.0.1:1/y")
    assert isinstance(said.error, UserError)
    assert "PostgreSQL is unavailable or refuses (" in str(said.error)
