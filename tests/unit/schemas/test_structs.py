"""Records read as structs: what a model takes, refuses and reads, and nothing else."""

import json
from datetime import UTC
from typing import Any

import pytest
from msgspec import Struct

from runtime.records import encode
from schemas.base import Actor, Body, Model, PlacedBy
from schemas.medication import Medication, MedicationOverview
from schemas.notifications import PickupPromised
from schemas.orders import (
    OrderCancelled,
    OrderDecided,
    OrderLine,
    OrderLineDecided,
    OrderPlace,
    OrderTimer,
)
from tests.bodies import make
from tests.unit.schemas.reading import (
    EXAMPLES,
    LINE,
    ORDER,
    READERS,
    TIMER,
    UUID,
    Json,
    agreed,
    text,
)


class TestGoodRecords:
    @pytest.mark.parametrize("body", READERS, ids=lambda body: body.TYPE)
    def test_they_are_read_as_structs_with_their_models_values(self, body: type[Body]) -> None:
        for _ in range(20):
            assert isinstance(agreed(READERS[body], encode(make(body))), Struct)

    @pytest.mark.parametrize(
        "body",
        [OrderPlace, MedicationOverview, OrderDecided, OrderLineDecided, OrderCancelled],
        ids=lambda body: body.TYPE,
    )
    def test_those_that_come_by_the_thousand_are_read_as_structs(self, body: type[Body]) -> None:
        assert isinstance(READERS[body].read(encode(make(body))), Struct)

    @pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: body.TYPE)
    def test_what_the_properties_start_from_is_read_as_a_struct(self, body: type[Body]) -> None:
        assert isinstance(agreed(READERS[body], text(EXAMPLES[body])), Struct)

    def test_what_is_absent_is_as_the_model_has_it(self) -> None:
        needed = {name: ORDER[name] for name in ORDER if name not in ("remark", "supply_until")}
        found = agreed(READERS[OrderPlace], text(needed))
        assert isinstance(found, Struct)
        assert (found.remark, found.supply_until) == (None, None)


def order(**changes: Any) -> bytes:
    return text(ORDER | changes)


REFUSED = {
    "a newline at the end of a code": order(practice="01012345\n"),
    "a newline before a code": order(practice="\n01012345"),
    "digits that are not ASCII": order(practice="0101234٥"),
    "two codes in one field and none in the next": order(
        patient="pat_abcd\n01012345", practice="02012345", pharmacy=""
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
    "a fraction for a number": order(lines=[LINE | {"quantity": 90.0}]),
    "true for a number": order(lines=[LINE | {"quantity": True}]),
    "a string for a number": order(lines=[LINE | {"quantity": "90"}]),
}


class TestRefused:
    """Where msgspec by itself, or one look at several strings, might take what a model refuses."""

    @pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
    def test_it_is_refused_as_its_model_refuses_it(self, value: bytes) -> None:
        assert agreed(READERS[OrderPlace], value) is None

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
    def test_a_field_that_nobody_reads_must_still_be_json(self, unread: bytes) -> None:
        assert agreed(READERS[OrderPlace], order()[:-1] + b', "new": %s}' % unread) is None

    def test_a_name_that_nobody_reads_must_still_be_utf_8(self) -> None:
        assert agreed(READERS[OrderPlace], order()[:-1] + b', "\xff": 1}') is None

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
        assert agreed(READERS[OrderTimer], text(TIMER | {"due_at": at})) is None

    def test_a_time_that_a_person_reads_needs_an_offset_as_well(self) -> None:
        value = json.loads(encode(make(PickupPromised))) | {"from": "2026-11-10T12:00:00"}
        assert agreed(READERS[PickupPromised], text(value)) is None


class TestTaken:
    """What a model takes and a struct cannot say is read as the model reads it."""

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
        found: Any = agreed(READERS[OrderTimer], value)
        assert found.due_at.isoformat() == wanted
        assert found.due_at.tzinfo is UTC

    @pytest.mark.parametrize(
        ("again", "remark"),
        [('"remark": "b"', "b"), ('"remark": null', None), ('"rem\\u0061rk": "b"', "b")],
    )
    def test_of_a_field_given_twice_the_last_counts(self, again: str, remark: str | None) -> None:
        found: Any = agreed(READERS[OrderPlace], order()[:-1] + f", {again}}}".encode())
        assert found.remark == remark

    @pytest.mark.parametrize("first", ["7", '"a\\u0000b"', "[[[]]]"])
    def test_of_a_field_given_twice_the_first_may_be_anything(self, first: str) -> None:
        value = f'{{"remark": {first}, {order().decode()[1:]}'.encode()
        found: Any = agreed(READERS[OrderPlace], value)
        assert found.remark == ORDER["remark"]

    def test_unknown_fields_are_ignored_at_every_depth(self) -> None:
        lines = [LINE | {"new": {"deep": [1]}}]
        found: Any = agreed(READERS[OrderPlace], order(new="é", lines=lines))
        assert [line.prk for line in found.lines] == ["4677"]

    def test_what_only_looks_like_an_escaped_nul_is_text(self) -> None:
        found: Any = agreed(READERS[OrderPlace], order(remark="\\u0000"))
        assert found.remark == "\\u0000"

    @pytest.mark.parametrize("id", [UUID.upper(), UUID.replace("-", ""), f"urn:uuid:{UUID}"])
    def test_other_ways_to_write_a_uuid_are_read(self, id: str) -> None:
        found: Any = agreed(READERS[OrderPlace], order(order_id=id))
        assert str(found.order_id) == UUID

    @pytest.mark.parametrize("more", [{}, {"from_": "2026-11-10T12:00:00+01:00"}])
    def test_a_field_has_the_name_of_the_record(self, more: Json) -> None:
        value = json.loads(encode(make(PickupPromised)))
        assert agreed(READERS[PickupPromised], text(value | more)) is not None
        assert agreed(READERS[PickupPromised], text(more | value)) is not None

    def test_a_time_that_a_person_reads_keeps_its_offset(self) -> None:
        value = json.loads(encode(make(PickupPromised)))
        found: Any = agreed(
            READERS[PickupPromised], text(value | {"from": "2026-11-10T12:00:00+01:00"})
        )
        assert found.from_.isoformat() == "2026-11-10T12:00:00+01:00"


class TestInstances:
    def test_a_struct_is_an_instance_of_its_model_and_of_what_that_is(self) -> None:
        found: Any = READERS[OrderPlace].read(order())
        assert all(isinstance(found, kind) for kind in (Struct, OrderPlace, Body, Model))
        assert isinstance(found.placed_by, PlacedBy)
        assert all(isinstance(line, OrderLine) for line in found.lines)

    def test_a_struct_is_no_instance_of_another_model(self) -> None:
        found: Any = READERS[OrderPlace].read(order())
        assert not isinstance(found, OrderDecided)
        assert not isinstance(found.placed_by, Actor)
        assert not isinstance(found.placed_by, Body)
        assert not isinstance(found.lines[0], Medication)

    def test_what_pydantic_made_is_an_instance_as_ever(self) -> None:
        made = OrderPlace.model_validate_json(order())
        assert isinstance(made, OrderPlace)
        assert isinstance(made, Body)
        assert not isinstance(made, OrderDecided)
        assert not isinstance(made.placed_by, Actor)

    def test_a_struct_tells_the_type_and_key_of_its_model(self) -> None:
        found: Any = READERS[OrderPlace].read(order())
        told = (found.TYPE, found.KEY, found.ce_type())
        assert told == (OrderPlace.TYPE, OrderPlace.KEY, OrderPlace.ce_type())
