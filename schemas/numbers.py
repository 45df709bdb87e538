"""Numbers in records: exact quantities, and whole numbers as JSON has them."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

_SMALLEST, LARGEST = Decimal("0.01"), Decimal(100_000)


def _whole(sent: Any) -> Any:
    """Read `180.0` as 180: to JSON and its schemas both are integers."""
    return int(sent) if type(sent) is float and sent.is_integer() else sent


def quantity(sent: Any) -> Decimal:
    """Read a quantity exactly: a number from 0.01 to 100,000 with at most two decimals; 180.0 becomes 180.

    Raises a pydantic error for everything else, and for text: JSON has numbers.
    """
    if type(sent) is int and 1 <= sent <= 100_000:
        return Decimal(sent)
    if type(sent) not in (int, float, Decimal):
        raise PydanticCustomError("quantity_type", "must be a number")
    # The shortest text that gives this float, such as 0.1, and not the float's binary value.
    number = Decimal(sent if type(sent) is int else str(sent))
    if not number.is_finite():
        raise PydanticKnownError("finite_number")
    if number < _SMALLEST:
        raise PydanticKnownError("greater_than_equal", {"ge": float(_SMALLEST)})
    if number > LARGEST:
        raise PydanticKnownError("less_than_equal", {"le": float(LARGEST)})
    if number % _SMALLEST:
        raise PydanticKnownError("decimal_max_places", {"decimal_places": 2})
    whole = int(number)
    return Decimal(whole) if whole == number else number.normalize()


def _as_number(exact: Decimal) -> int | float:
    return int(exact) if exact == exact.to_integral_value() else float(exact)


Quantity = Annotated[
    Decimal,
    PlainValidator(quantity),
    PlainSerializer(_as_number, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": 100_000}),
]
"""How much, in the unit of the overview's entry: exact, with at most two decimals; a number in JSON."""
WHOLE = BeforeValidator(_whole)
"""Put it last in an annotation of a whole number."""
