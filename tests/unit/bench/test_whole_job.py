"""The full-output job: the records that each order must lead to, and what a missing one reports."""

from dataclasses import replace

import pytest

from bench.errors import BenchError
from bench.expect import Oracle
from bench.kafka import Output
from bench.whole_job import NOTIFICATIONS, WholeJob, done_ms, whole_job
from schemas import topics
from tests.unit.bench.made import output

JOB = whole_job(60)


def outputs(job: WholeJob = JOB) -> list[Output]:
    """Return every record that must come: ordering's as the oracle decides them, notification's by id."""
    oracle = Oracle(job.region, job.population)
    records = [record for order in job.orders for record in oracle.decide(order)]
    told = [
        Output(NOTIFICATIONS, 0, b"", b"{}", {"ce_id": ce_id.encode()}, 2000)
        for ce_id, one in job.expected.items()
        if one.topic == NOTIFICATIONS
    ]
    return [*(output(record, 1000) for record in records), *told]


def test_an_approved_line_is_a_prescription_and_a_promise() -> None:
    sent = {topic: many for topic, many in JOB.topics.items() if "prescriptions" in topic}
    assert sum(sent.values()) > 20
    assert JOB.topics[topics.ORDERS_EVENTS.name] == 60
    assert JOB.topics[NOTIFICATIONS] > 2 * 60


def test_an_order_is_done_with_its_last_record() -> None:
    done, records = done_ms(outputs(), JOB)
    assert len(done) == 60
    assert set(done.values()) == {2000}
    assert records == len(JOB.expected)


def test_a_repeat_is_counted() -> None:
    found = outputs()
    _, records = done_ms([*found, found[0]], JOB)
    assert records == len(JOB.expected) + 1


@pytest.mark.parametrize("place", [0, -1])
def test_a_record_that_did_not_come_spoils_the_run(place: int) -> None:
    found = outputs()
    del found[place]
    with pytest.raises(BenchError, match=r"1 of \d+ records are missing"):
        done_ms(found, JOB)


def test_a_prescription_with_another_quantity_spoils_the_run() -> None:
    found = outputs()
    place = next(n for n, o in enumerate(found) if "prescriptions" in o.topic)
    changed = found[place].value.replace(b'"quantity":', b'"quantity":9', 1)
    found[place] = replace(found[place], value=changed)
    with pytest.raises(BenchError, match="1 are wrong"):
        done_ms(found, JOB)


def test_a_dead_letter_spoils_the_run() -> None:
    letter = replace(outputs()[0], topic=topics.dead_letters("ordering").name)
    with pytest.raises(BenchError, match="1 are wrong"):
        done_ms([*outputs(), letter], JOB)
