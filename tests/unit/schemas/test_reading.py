"""What a record's model refuses, and how it reads unusual spellings."""

import json
from datetime import UTC
from typing import Any

import pytest
from pydantic import ValidationError

from runtime.messages.encoding import encode
from schemas.base import Body
from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderPlace, OrderTimer
from tests.bodies import make

Json = dict[str, Any]

UUID = "0192aaaa-0000-7000-8000-00000000000a"
LINE: Json = {"line": 1, "prk": "4677", "medicine": "Metformine 47.5 mg", "quantity": 90}
ORDER: Json = {
    "order_id": UUID,
    "patient": "pat_abcd",
    "practice": "01999345",
    "pharmacy": "02999345",
    "channel": "portal",
    "placed_by": {"role": "patient", "id": "x"},
    "lines": [LINE, LINE | {"line": 2}],
    "remark": "Graag vóór vrijdag.",
    "supply_until": "2026-12-31",
}
TIMER: Json = {
    "order_id": UUID,
    "patient": "pat_abcd",
    "kind": "review_overdue",
    "due_at": "2026-11-10T12:00:00Z",
}


def text(fields: Json) -> bytes:
    return json.dumps(fields).encode()


def read(model: type[Body], value: bytes) -> Any:
    """Read a value with the model; None when it refuses."""
    try:
        return model.model_validate_json(value)
    except ValidationError:
        return None


def order(**changes: Any) -> bytes:
    return text(ORDER | changes)


REFUSED = {
    "a newline at the end of a code": order(practice="01999345\n"),
    "a newline before a code": order(practice="\n01012345"),
    "digits that are not ASCII": order(practice="0101234٥"),
    "two codes in one field and none in the next": order(
        patient="pat_abcd\n01012345", practice="02999345", pharmacy=""
    ),
    "a newline at the end of a code in a line": order(lines=[LINE | {"prk": "4677\n"}]),
    "a newline within a code in a line": order(lines=[LINE | {"prk": "46\n77"}]),
    "U+0000 within a code in a line": order(lines=[LINE | {"prk": "46\x0077"}]),
    "two codes in one line and none in the next": order(
        lines=[LINE | {"prk": "46\n77"}, LINE | {"line": 2, "prk": ""}]
    ),
    "two lines with the same number": order(lines=[LINE, LINE]),
    "two lines with the same number, in lines that are given again": order()[:-1]
    + b', "lines": [%s, %s]}' % (text(LINE), text(LINE)),
    "no lines": order(lines=[]),
    "null for lines": order(lines=None),
    "more lines than allowed": order(lines=[LINE | {"line": n} for n in range(1, 52)]),
    "a line number that is too high": order(lines=[LINE | {"line": 100}]),
    "U+0000 in a text": order(remark="a\x00b"),
    "U+0000 in a part": order(placed_by={"role": "patient", "id": "\x00"}),
    "a role that may not place an order": order(placed_by={"role": "gp", "id": "x"}),
    "a text that is too long": order(remark="😀" * 2001),
    "an empty name": order(lines=[LINE | {"medicine": ""}]),
    "half a surrogate pair": order(remark="\ud800"),
    "a name of blanks": order(lines=[LINE | {"medicine": "  "}]),
    "a name of no-break spaces": order(lines=[LINE | {"medicine": "\u00a0\u00a0"}]),
    "a name of characters without width": order(lines=[LINE | {"medicine": "\u200b\ufeff\u00ad"}]),
    "an actor of blanks": order(placed_by={"role": "patient", "id": " "}),
    "a quantity with three decimals": order(lines=[LINE | {"quantity": 0.125}]),
    "a quantity of nothing": order(lines=[LINE | {"quantity": 0}]),
    "a fraction for a line number": order(lines=[LINE | {"line": 1.5}]),
    "true for a number": order(lines=[LINE | {"quantity": True}]),
    "a string for a number": order(lines=[LINE | {"quantity": "90"}]),
}


class TestRefused:
    @pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
    def test_it_is_refused(self, value: bytes) -> None:
        assert read(OrderPlace, value) is None

    @pytest.mark.parametrize(
        "unread",
        [
            b'"\xff"',
            b'"\xc0\x80"',
            b'"\\ud800"',
            b"[" * 250 + b"]" * 250,
            b"[" * 100_000,
            b"9" * 5000,
        ],
        ids=lambda unread: repr(unread[:8]),
    )
    def test_an_unknown_field_must_be_valid_json(self, unread: bytes) -> None:
        assert read(OrderPlace, order()[:-1] + b', "new": %s}' % unread) is None

    def test_the_name_of_an_unknown_field_must_be_valid_utf_8(self) -> None:
        assert read(OrderPlace, order()[:-1] + b', "\xff": 1}') is None

    @pytest.mark.parametrize(
        "at",
        [
            "2026-11-10T12:00:00",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-11-10T12:00:60Z",
            "2026-11-10T24:00:00Z",
        ],
    )
    def test_a_time_without_offset_or_outside_the_calendar_is_refused(self, at: str) -> None:
        assert read(OrderTimer, text(TIMER | {"due_at": at})) is None

    def test_a_time_that_a_person_reads_needs_an_offset_as_well(self) -> None:
        value = json.loads(encode(make(PickupPromised))) | {"from": "2026-11-10T12:00:00"}
        assert read(PickupPromised, text(value)) is None


class TestTaken:
    @pytest.mark.parametrize(
        ("at", "wanted"),
        [
            ("2026-11-10T13:00:00+01:00", "2026-11-10T12:00:00+00:00"),
            ("2026-11-10t12:00:00z", "2026-11-10T12:00:00+00:00"),
            ("2026-11-10 12:00:00-00:00", "2026-11-10T12:00:00+00:00"),
            ("2026-11-10T12:00:00.1234567Z", "2026-11-10T12:00:00.123456+00:00"),
            ("2026-11-10T12:00:00.9999999Z", "2026-11-10T12:00:00.999999+00:00"),
            ("2026-11-10T12:00:00,1234567Z", "2026-11-10T12:00:00.123456+00:00"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999+00:00"),
            (r"2026-11-10T12:00:00\u002e1234567Z", "2026-11-10T12:00:00.123456+00:00"),
            (r"2026-11-10T12:00:00.12345\u00367Z", "2026-11-10T12:00:00.123456+00:00"),
        ],
    )
    def test_a_time_becomes_utc_and_loses_what_is_below_a_microsecond(
        self, at: str, wanted: str
    ) -> None:
        value = text(TIMER).replace(TIMER["due_at"].encode(), at.encode())
        found = read(OrderTimer, value)
        assert found.due_at.isoformat() == wanted
        assert found.due_at.tzinfo is UTC

    @pytest.mark.parametrize(
        ("again", "remark"),
        [('"remark": "b"', "b"), ('"remark": null', None), ('"rem\\u0061rk": "b"', "b")],
    )
    def test_the_last_of_duplicate_fields_counts(self, again: str, remark: str | None) -> None:
        found = read(OrderPlace, order()[:-1] + f", {again}}}".encode())
        assert found.remark == remark

    @pytest.mark.parametrize("first", ["7", '"a\\u0000b"', "[[[]]]"])
    def test_the_first_of_duplicate_fields_may_have_any_value(self, first: str) -> None:
        value = f'{{"remark": {first}, {order().decode()[1:]}'.encode()
        found = read(OrderPlace, value)
        assert found.remark == ORDER["remark"]

    def test_unknown_fields_are_ignored_at_every_depth(self) -> None:
        lines = [LINE | {"new": {"deep": [1]}}]
        found = read(OrderPlace, order(new="é", lines=lines))
        assert [line.prk for line in found.lines] == ["4677"]

    def test_a_string_that_resembles_an_escaped_nul_is_text(self) -> None:
        found = read(OrderPlace, order(remark="\\u0000"))
        assert found.remark == "\\u0000"

    @pytest.mark.parametrize("id", [UUID.upper(), UUID.replace("-", ""), f"urn:uuid:{UUID}"])
    def test_other_ways_to_write_a_uuid_are_read(self, id: str) -> None:
        found = read(OrderPlace, order(order_id=id))
        assert str(found.order_id) == UUID

    @pytest.mark.parametrize("more", [{}, {"from_": "2026-11-10T12:00:00+01:00"}])
    def test_a_field_has_the_name_of_the_record(self, more: Json) -> None:
        value = json.loads(encode(make(PickupPromised)))
        assert read(PickupPromised, text(value | more)) is not None
        assert read(PickupPromised, text(more | value)) is not None

    def test_a_time_that_a_person_reads_keeps_its_offset(self) -> None:
        value = json.loads(encode(make(PickupPromised)))
        found = read(PickupPromised, text(value | {"from": "2026-11-10T12:00:00+01:00"}))
        assert found.from_.isoformat() == "2026-11-10T12:00:00+01:00"
