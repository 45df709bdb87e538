"""The parser: which records it accepts, and its reason for each that it refuses."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.messages.cloudevents import outgoing
from runtime.messages.encoding import encode
from runtime.messages.message import Message
from runtime.messages.parser import MAX_HEADER_BYTES, MAX_HEADERS, Misplaced, Parser, Unreadable
from runtime.messages.partitioner import partition_of
from schemas.base import Body
from schemas.contracts.snapshots.topics import EVERY_TOPIC
from schemas.records.notifications import PatientContacts
from schemas.records.orders import OrderPlace
from schemas.topics import (
    MEDICATION_CHANGES,
    MEDICATION_STATUS,
    ORDERS_REQUESTS,
    PATIENTS_CONTACTS,
    Topic,
)
from tests.bodies import BODIES, make
from tests.harness.made import an_import
from tests.harness.records import Delivered, delivered, envelope

PARSER = Parser.of(EVERY_TOPIC)

TOPIC_OF: dict[type[Body], Topic] = {body: topic for topic in EVERY_TOPIC for body in topic.bodies}

LINE = {"line": 1, "prk": "1007", "medicine": "Metformine", "quantity": 90}
ORDER: dict[str, Any] = {
    "order_id": "0192aaaa-0000-7000-8000-000000000001",
    "patient": "pat_abcd",
    "practice": "01999345",
    "pharmacy": "02999345",
    "channel": "portal",
    "placed_by": {"role": "patient", "id": "x"},
    "lines": [LINE],
}


def order(**changes: Any) -> Delivered:
    """Return a good record on `orders.requests` with these parts changed."""
    body = OrderPlace.model_validate_json(json.dumps(ORDER))
    return delivered(ORDERS_REQUESTS, body, **changes)


def order_with(**fields: Any) -> Delivered:
    """Return an order whose body has these fields changed."""
    return order(value=json.dumps(ORDER | fields).encode())


def refused(record: Delivered) -> Unreadable:
    parsed = PARSER.parse(record)
    assert isinstance(parsed, Unreadable), parsed
    return parsed


def taken(record: Delivered) -> Message[Body]:
    parsed = PARSER.parse(record)
    assert isinstance(parsed, Message), parsed
    return parsed


class TestGoodRecords:
    @pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
    def test_every_type_is_read_as_it_was_written(self, body: type[Body]) -> None:
        for _ in range(5):
            written = make(body)
            read = taken(delivered(TOPIC_OF[body], written))
            assert read.body == written
            assert read.body is not None
            assert encode(read.body) == encode(written)

    @pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
    def test_what_the_runtime_makes_is_what_it_reads(self, body: type[Body]) -> None:
        written, topic = make(body), TOPIC_OF[body]
        key = getattr(written, body.KEY)
        record = outgoing(
            topic.name,
            written,
            key=key,
            id=str(UUID(int=5)),
            source="urn:test",
            subject=key,
            at=datetime(2026, 11, 10, tzinfo=UTC),
            traceparent=None,
        )
        home = partition_of(key.encode(), topic.partitions)
        read = taken(Delivered(record.topic, record.key, record.value, record.headers, home))
        assert (read.id, read.key, read.body) == (str(UUID(int=5)), key, written)
        assert read.traceparent is not None

    def test_times_are_written_in_utc_with_a_z(self) -> None:
        given_offset = taken(_report("2026-11-10T12:00:00+01:00"))
        assert given_offset.body is not None
        assert b'"reported_at":"2026-11-10T11:00:00Z"' in encode(given_offset.body)

    def test_the_time_of_a_message_is_the_brokers_append_time(self) -> None:
        assert taken(order(timestamp=1_790_000_000_500)).at == datetime(
            2026, 9, 21, 14, 13, 20, 500_000, tzinfo=UTC
        )

    @pytest.mark.parametrize("timestamp", [-(10**15), 10**18, -1])
    def test_a_senseless_append_time_is_no_reason_to_lose_a_record(self, timestamp: int) -> None:
        assert taken(order(timestamp=timestamp)).at.tzinfo is UTC

    def test_a_null_value_on_a_compacted_topic_is_a_tombstone(self) -> None:
        body = make(MEDICATION_STATUS.bodies[0])
        assert taken(delivered(MEDICATION_STATUS, body, value=None)).body is None

    def test_unknown_fields_are_ignored(self) -> None:
        assert taken(order_with(new_field={"deep": [1]})).key == "pat_abcd"

    @pytest.mark.parametrize(
        "traceparent",
        ["nonsense", "00-" + "G" * 32 + "-" + "0" * 16 + "-01", "é", "00-" + "0" * 32],
    )
    def test_a_bad_traceparent_is_ignored(self, traceparent: str) -> None:
        headers = envelope(OrderPlace, traceparent=traceparent)
        assert taken(order(headers=headers)).traceparent is None

    def test_a_good_traceparent_is_kept(self) -> None:
        parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        assert taken(order(headers=envelope(OrderPlace, traceparent=parent))).traceparent == parent

    def test_a_record_on_another_partition_than_its_keys_is_misplaced(self) -> None:
        good = order()
        elsewhere = (good.partition + 1) % ORDERS_REQUESTS.partitions
        assert PARSER.parse(replace(good, partition=elsewhere)) == Misplaced(good.partition)


def _report(at: str) -> Delivered:
    body = {
        "prescription_id": ORDER["order_id"],
        "patient": "pat_abcd",
        "pharmacy": "02999345",
        "status": "ready",
        "reported_at": at,
    }
    model = next(body for body in BODIES if body.TYPE == "dispense.reported.v1")
    partition = partition_of(b"pat_abcd", TOPIC_OF[model].partitions)
    return Delivered(
        TOPIC_OF[model].name, b"pat_abcd", json.dumps(body).encode(), envelope(model), partition
    )


class TestBadEnvelopes:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"key": None}, "missing_key"),
            ({"key": b""}, "missing_key"),
            ({"key": b"\xff"}, "bad_key"),
            ({"key": b"pat_\x00"}, "bad_key"),
            ({"key": b"pat_other"}, "key_mismatch"),
            ({"value": None}, "null_value"),
            ({"headers": []}, "missing_type"),
            ({"headers": envelope(OrderPlace, ce_type="")}, "missing_type"),
            ({"headers": envelope(OrderPlace, ce_type="nl.herhaal.x.v1")}, "unknown_type"),
            ({"headers": envelope(PatientContacts)}, "unknown_type"),
            ({"headers": envelope(OrderPlace, ce_id="")}, "missing_id"),
            ({"headers": [*envelope(OrderPlace), ("ce_id", b"")]}, "missing_id"),
            ({"headers": envelope(OrderPlace, ce_id="a\x00")}, "bad_id"),
            ({"headers": envelope(OrderPlace, x=None)}, "null_header"),
            ({"headers": envelope(OrderPlace, ce_type=None)}, "null_header"),
            ({"headers": envelope(OrderPlace, x=b"\xff\xfe")}, "binary_header"),
            ({"headers": envelope(OrderPlace, x=b"a" * MAX_HEADER_BYTES)}, "oversize_header"),
            ({"headers": [("x", b"")] * (MAX_HEADERS + 1)}, "oversize_header"),
        ],
    )
    def test_each_has_its_reason(self, changes: dict[str, Any], reason: str) -> None:
        assert refused(order(**changes)).reason == reason

    def test_a_tombstone_needs_a_readable_key(self) -> None:
        body = make(MEDICATION_STATUS.bodies[0])
        record = delivered(MEDICATION_STATUS, body, value=None, key=b"pat_\x00")
        assert refused(record).reason == "bad_key"


GOOD = json.dumps(ORDER)


class TestBadBodies:
    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b" ",
            b"{",
            b"nonsense",
            GOOD.encode() + b"x",
            GOOD.encode() * 2,
            b"\xef\xbb\xbf" + GOOD.encode(),
            GOOD.encode("utf-16"),
            b"\xff",
            b"[" * 10_000,
            b"[" * 10_000 + b"]" * 10_000,
            b'{"a":' * 10_000,
            GOOD.replace('"portal"', '"\\ud800"').encode(),
            GOOD.replace("Metformine", "\x00").encode(),
            GOOD.replace("90}", "09}").encode(),
        ],
        ids=lambda value: repr(value[:12]),
    )
    def test_what_is_not_json_is_told_so(self, value: bytes) -> None:
        assert refused(order(value=value)) == Unreadable("bad_json", "the value is not JSON")

    @pytest.mark.parametrize(
        ("fields", "detail"),
        [
            ({"patient": 7}, "patient: string_type"),
            ({"patient": "Jansen"}, "patient: string_pattern_mismatch"),
            ({"lines": []}, "lines: too_short"),
            ({"lines": [LINE | {"medicine": "\u00a0"}]}, "lines.0.medicine: blank"),
            ({"lines": [LINE | {"quantity": "90"}]}, "lines.0.quantity: quantity_type"),
            ({"lines": [LINE | {"quantity": 10**400}]}, "lines.0.quantity: less_than_equal"),
            ({"lines": [LINE | {"quantity": 0.125}]}, "lines.0.quantity: decimal_max_places"),
            ({"lines": [LINE] * 2}, "body: value_error"),
            ({"remark": "a\x00b"}, "remark: string_pattern_mismatch"),
            ({"remark": "a" * 2001}, "remark: string_too_long"),
            ({"channel": "fax"}, "channel: enum"),
            ({"supply_until": "tomorrow"}, "supply_until: date_"),
        ],
    )
    def test_a_wrong_field_is_named_with_what_is_wrong(
        self, fields: dict[str, Any], detail: str
    ) -> None:
        why = refused(order_with(**fields))
        assert why.reason == "wrong_schema"
        assert why.detail.startswith(detail)
        assert ";" not in why.detail, "one wrong field is one error"

    @pytest.mark.parametrize("value", [b"null", b"7", b"[]", b'"a"', b"NaN", b"1e999999"])
    def test_json_that_is_no_object_has_the_wrong_schema(self, value: bytes) -> None:
        assert refused(order(value=value)).reason == "wrong_schema"

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 5000])
    def test_a_number_that_is_none_is_refused_where_a_number_is_wanted(self, number: str) -> None:
        why = refused(order(value=GOOD.replace("90}", number + "}").encode()))
        assert why.reason in ("wrong_schema", "bad_json")

    def test_of_a_field_given_twice_the_last_counts_and_must_match_the_key(self) -> None:
        twice = GOOD[:-1] + ', "patient": "pat_other"}'
        assert refused(order(value=twice.encode())).reason == "key_mismatch"

    def test_no_more_than_ten_problems_are_listed(self) -> None:
        body = next(body for body in BODIES if body.TYPE == "prescription.approved.v1")
        record = Delivered(TOPIC_OF[body].name, b"pat_abcd", b"{}", envelope(body))
        assert refused(record).detail.count(";") == 9

    @pytest.mark.parametrize("field", ["lines", "medications", "media", "statuses"])
    def test_of_a_list_only_the_first_bad_item_is_explained(self, field: str) -> None:
        body = next(body for body in BODIES if field in body.model_fields)
        topic = TOPIC_OF[body]
        value = b'{"%s":[%s]}' % (field.encode(), b",".join([b"{}"] * 100_000))
        why = refused(Delivered(topic.name, b"pat_abcd", value, envelope(body)))
        assert f"{field}.1" not in why.detail

    def test_an_import_of_which_no_entry_can_be_used_is_refused_without_quoting_one(self) -> None:
        body = json.loads(encode(an_import("pat_abcd"))) | {"medications": [{MARK: MARK}, MARK]}
        why = refused(
            delivered(MEDICATION_CHANGES, an_import("pat_abcd"), value=json.dumps(body).encode())
        )
        assert (why.reason, why.detail) == ("wrong_schema", "medications: no_usable_entry")


# Letters in no code, field name or kind of error: to find them in a reason proves a leak.
MARK = "ZQX"
MARKED = st.one_of(
    st.just(MARK), st.just(f"pat_{MARK}"), st.just(f"\x00{MARK}"), st.just(f"0101234{MARK}")
)

EXAMPLES = [json.loads(encode(make(body))) for body in BODIES]


def _json() -> st.SearchStrategy[Any]:
    leaves = st.one_of(MARKED, st.none(), st.booleans(), st.integers())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(MARKED, inner, max_size=3)
        ),
        max_leaves=5,
    )


@st.composite
def _spoilt_body(draw: st.DrawFn) -> bytes:
    """Draw a good body of any type with marked values in some fields, sometimes cut off."""
    body = dict(draw(st.sampled_from(EXAMPLES)))
    for name in draw(st.lists(st.sampled_from(sorted(body)), min_size=1, max_size=3)):
        body[name] = draw(_json())
    text = json.dumps(body)
    return (
        text[: draw(st.integers(0, len(text)))].encode() if draw(st.booleans()) else text.encode()
    )


@settings(max_examples=60)
@given(
    body=st.sampled_from(BODIES),
    value=st.one_of(_spoilt_body(), _json().map(json.dumps).map(str.encode)),
    key=st.sampled_from([b"pat_abcd", MARK.encode(), MARK.encode() + b"\xff"]),
    ce_type=st.sampled_from(["", None, MARK]),
    spare=st.sampled_from([MARK, MARK.encode() + b"\xff", None, MARK * MAX_HEADER_BYTES]),
    keep_type=st.booleans(),
)
def test_no_reason_ever_quotes_a_key_a_header_or_a_body(
    body: type[Body],
    value: bytes,
    key: bytes,
    ce_type: str | None,
    spare: str | bytes | None,
    keep_type: bool,
) -> None:
    changes = {} if keep_type else {"ce_type": ce_type, MARK: spare}
    topic = TOPIC_OF[body]
    parsed = PARSER.parse(Delivered(topic.name, key, value, envelope(body, **changes)))
    if isinstance(parsed, Unreadable):
        assert MARK not in parsed.reason + parsed.detail


def test_a_name_in_a_mapping_is_content_and_is_not_quoted() -> None:
    body = {"patient": "pat_abcd", "addresses": {MARK: "x"}}
    partition = partition_of(b"pat_abcd", PATIENTS_CONTACTS.partitions)
    record = Delivered(
        PATIENTS_CONTACTS.name,
        b"pat_abcd",
        json.dumps(body).encode(),
        envelope(PatientContacts),
        partition,
    )
    why = refused(record)
    assert why.detail.startswith("addresses.*")
    assert MARK not in why.detail
