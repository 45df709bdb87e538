"""The order form: what somebody typed, and what is read of it or said about it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.patient.order_form import (
    Known,
    Order,
    is_new,
    new_fields,
    order_id_of,
    read_order,
)
from portal.web.field_errors import FieldError
from portal.web.forms import Fields, Form
from samples.codes import pharmacy_code
from schemas.base import LONGEST_TEXT
from schemas.records.directory import Remarks

TODAY = date(2026, 11, 29)
PHARMACY = pharmacy_code(1)
ID = UUID(int=7)
MET, OME = "5487", "34371"
KNOWN = Known(
    {MET: "Metformine", OME: "Omeprazol"},
    frozenset({PHARMACY}),
    TODAY,
)


def filled_in(*ticked: str, **changed: str) -> Form:
    """A form that is right, unless a test changes a field; `amount_5487` for an amount."""
    fields = {
        "order": str(ID),
        f"amount-{MET}": "180",
        f"amount-{OME}": "90",
        "pharmacy": PHARMACY,
        "remark": "",
    }
    fields |= {name.replace("amount_", "amount-"): value for name, value in changed.items()}
    return Form([*fields.items(), *(("medicine", prk) for prk in ticked or (MET,))])


def read(form: Form) -> Order:
    """The order of a form that is right."""
    order = read_order(form, KNOWN)
    assert isinstance(order, Order), order
    return order


def wrong(form: Form) -> Sequence[str]:
    """The fields that are not right."""
    errors: Any = read_order(form, KNOWN)
    assert not isinstance(errors, Order)
    return [error.field for error in errors if isinstance(error, FieldError)]


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [
        ("180", "180"),
        (" 90 ", "90"),
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("90,0", "90"),
        ("1 000", "1000"),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed: str, quantity: str) -> None:
    (wanted,) = read(filled_in(amount_5487=typed)).wanted
    assert wanted.quantity == Decimal(quantity)


@pytest.mark.parametrize(
    "typed", ["", "veel", "0", "-1", "1e99", "NaN", "Infinity", "1/2", "٣x", "9" * 40]
)
def test_what_is_no_amount_is_said_at_its_field(typed: str) -> None:
    assert wrong(filled_in(amount_5487=typed)) == [f"amount-{MET}"]


@pytest.mark.parametrize(
    "typed", ["2026-12-31", "31-12-2026", "31/12/2026", "31.12.2026", "31 12 2026"]
)
def test_a_day_is_read_as_a_date_field_or_a_person_writes_it(typed: str) -> None:
    assert read(filled_in(supply_until=typed)).supply_until == date(2026, 12, 31)


@pytest.mark.parametrize(
    "typed",
    ["2026-11-29", "2026-11-28", "2027-12-01", "31-02-2027", "soon", "20270101x", "0-0-2027"],
)
def test_a_day_that_cannot_be_meant_is_said_at_its_field(typed: str) -> None:
    assert wrong(filled_in(supply_until=typed)) == ["supply_until"]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (Form([("pharmacy", PHARMACY)]), ["medicines"]),
        (filled_in("99"), ["medicines"]),
        (filled_in(pharmacy=""), ["pharmacy"]),
        (filled_in(pharmacy=pharmacy_code(9)), ["pharmacy"]),
        (filled_in(remark="👵" * (LONGEST_TEXT + 1)), ["remark"]),
        (Form([]), ["medicines", "pharmacy"]),
    ],
    ids=["nothing-ticked", "not-mine", "no-pharmacy", "unknown-pharmacy", "remark", "empty"],
)
def test_everything_that_is_not_right_is_said_at_once(form: Form, fields: list[str]) -> None:
    assert wrong(form) == fields


EARLY = replace(KNOWN, early=frozenset({OME}))


@pytest.mark.parametrize(
    "why", [{"supply_until": "2026-12-20"}, {"remark": "Ik ga op reis"}], ids=["period", "remark"]
)
def test_an_early_medicine_is_ordered_with_a_period_or_a_remark(why: dict[str, str]) -> None:
    order = read_order(filled_in(MET, OME, **why), EARLY)
    assert isinstance(order, Order)
    assert [one.prk for one in order.wanted] == [MET, OME]


@pytest.mark.parametrize("remark", ["", "\u200b"])
def test_an_early_medicine_without_a_reason_asks_for_the_period(remark: str) -> None:
    """Given an early medicine, and no remark that people can see; then the field of the period says so."""
    errors: Any = read_order(filled_in(MET, OME, remark=remark), EARLY)
    (error,) = errors
    assert error.field == "supply_until"
    assert error.values == {"medicine": "Omeprazol"}


@pytest.mark.parametrize(
    ("remarks", "written", "fields"),
    [
        (Remarks.OPTIONAL, "", []),
        (Remarks.OPTIONAL, "x" * 20, []),
        (Remarks.OPTIONAL, "x" * 21, ["remark"]),
        (Remarks.MANDATORY, "", ["remark"]),
        (Remarks.MANDATORY, "\u200b", ["remark"]),
        (Remarks.MANDATORY, "Zoals altijd", []),
        (Remarks.NOT_ALLOWED, "", []),
        (Remarks.NOT_ALLOWED, "Graag bellen", ["remark"]),
    ],
)
def test_a_remark_is_as_the_practice_wants_it(
    remarks: Remarks, written: str, fields: list[str]
) -> None:
    known = replace(KNOWN, remarks=remarks, remark_length=20)
    read = read_order(filled_in(remark=written), known)
    errors = [] if isinstance(read, Order) else [error.field for error in read]
    assert errors == fields


def test_the_longest_remark_is_right() -> None:
    assert read(filled_in(remark="👵" * LONGEST_TEXT)).remark == "👵" * LONGEST_TEXT


def test_a_medicine_that_is_ticked_twice_is_ordered_once() -> None:
    assert [one.prk for one in read(filled_in(MET, MET, OME)).wanted] == [MET, OME]


def test_a_form_is_new_until_somebody_fills_it_in() -> None:
    fields: Fields = new_fields()
    assert is_new(fields)
    assert not is_new(filled_in().fields)
    assert order_id_of(Form(fields)) == UUID(Form(fields).text("order"))


@pytest.mark.parametrize("id", ["", "x", "7"])
def test_a_form_without_an_id_gets_one(id: str) -> None:
    assert order_id_of(Form([("order", id)])).version == 4
