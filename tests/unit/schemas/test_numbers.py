"""Quantities are exact, whole numbers are what JSON Schema takes for integers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.base import LineNumber, Prk
from schemas.numbers import Quantity
from schemas.records.orders import OrderLine

LINE = {"line": 1, "prk": "5487", "medicine": "Metformine", "quantity": 180}
_quantity: TypeAdapter[Decimal] = TypeAdapter(Quantity)


def line(**changes: Any) -> OrderLine:
    """The line with these changes, read from JSON."""
    return OrderLine.model_validate_json(json.dumps(LINE | changes))


@pytest.mark.parametrize(
    ("sent", "written"),
    [("180", "180"), ("180.0", "180"), ("1.8e2", "180"), ("0.4", "0.4"), ("0.40", "0.4")],
)
def test_the_same_quantity_is_written_in_one_way(sent: str, written: str) -> None:
    exact = _quantity.validate_json(sent)
    assert exact == Decimal(written)
    assert _quantity.dump_json(exact).decode() == written


@given(st.integers(1, 10_000_000))
def test_every_number_of_hundredths_is_exact(hundredths: int) -> None:
    exact = Decimal(hundredths) / 100
    assert _quantity.validate_json(str(exact)) == exact
    assert _quantity.validate_json(_quantity.dump_json(exact)) == exact


@pytest.mark.parametrize(
    "sent", ["0", "0.001", "-1", "100000.01", "1e400", "NaN", "true", "null", '"180"', "[1]"]
)
def test_what_is_no_quantity_is_refused(sent: str) -> None:
    with pytest.raises(ValidationError):
        _quantity.validate_json(sent)


def test_tenths_add_up_exactly() -> None:
    assert sum(line(quantity=0.1).quantity or 0 for _ in range(3)) == Decimal("0.3")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON Schema takes 1.0 for an integer."""
    assert TypeAdapter(LineNumber).validate_json("1.0") == 1
    with pytest.raises(ValidationError):
        TypeAdapter(LineNumber).validate_json("1.5")


@pytest.mark.parametrize(("sent", "prk"), [("00005487", "5487"), ("5487", "5487"), ("0", "0")])
def test_a_prk_code_has_one_form_whether_it_is_padded_or_not(sent: str, prk: str) -> None:
    assert TypeAdapter(Prk).validate_python(sent) == prk
