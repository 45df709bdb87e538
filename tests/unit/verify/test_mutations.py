"""The checker reports a violation when any single event is removed, altered, cut or replaced."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.verify.edit import EVENTS, NOTIFICATIONS, STATUS, body, header, with_value, without
from tests.unit.verify.made import Case, clean
from verify.checker import check
from verify.rows import KafkaRecord

STORED_ONCE = {"rule"}
"""Fields that no other record or row of a dump repeats, see docs/architecture/verify.md."""

many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def _events(case: Case) -> list[KafkaRecord]:
    """Every event without repeats, other than overviews."""
    ids = [header(r, "ce_id") for r in case.dump.records]
    return [
        r
        for r in case.dump.records
        if (r.topic in (EVENTS, NOTIFICATIONS) or r.topic.startswith("prescriptions."))
        and ids.count(header(r, "ce_id")) == 1
    ]


def _newest_overviews(case: Case) -> list[KafkaRecord]:
    newest = {r.key: r for r in case.dump.records if r.topic == STATUS}
    return list(newest.values())


EVENT = st.sampled_from(_events(clean()))
OVERVIEW = st.sampled_from(_newest_overviews(clean()))


def _violations(case: Case) -> int:
    return len(check(case.history, case.dump).violations)


@many
@given(EVENT | OVERVIEW)
def test_a_missing_event_is_reported(gone: KafkaRecord) -> None:
    assert _violations(without(clean(), gone))


@many
@given(EVENT | OVERVIEW, st.data())
def test_an_altered_field_is_reported(event: KafkaRecord, data: st.DataObject) -> None:
    fields = sorted(body(event).keys() - STORED_ONCE)
    field = data.draw(st.sampled_from(fields))
    altered = body(event) | {field: _other(body(event)[field])}
    assert _violations(with_value(clean(), event, json.dumps(altered).encode())), field


@many
@given(EVENT | OVERVIEW, st.data())
def test_a_truncated_event_is_reported(event: KafkaRecord, data: st.DataObject) -> None:
    value = event.value or b""
    cut = data.draw(st.integers(0, len(value) - 1))
    assert _violations(with_value(clean(), event, value[:cut]))


@many
@given(EVENT, EVENT)
def test_an_event_replaced_by_another_is_reported(event: KafkaRecord, other: KafkaRecord) -> None:
    if event.value != other.value:
        assert _violations(with_value(clean(), event, other.value or b""))


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value[4:5] == "-" and value[10:11] == "T":
            return f"{int(value[:4]) + 1}{value[4:]}"
        case str():
            return f"{value}1" if not value.endswith("1") else f"{value[:-1]}2"
        case list():
            return [*value, *value] or [1]
        case dict():
            return {}
        case _:
            return "2030-01-01"
