"""Made-up bodies of every record type, with all fields filled in as their types allow."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from polyfactory.factories.base import BaseFactory
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel, ValidationError

from samples.codes import prk_codes
from schemas.base import Body
from schemas.numbers import quantity
from schemas.records.directory import Closure
from schemas.records.medication import EntryFlaw, Medication, ReviewedStatus
from schemas.records.orders import OrderLine
from schemas.topics import all_bodies

BODIES = tuple(all_bodies().values())

_numbers = count()
_prk_codes = prk_codes()


class _Factory(ModelFactory[Any]):
    __is_base_factory__ = True
    __randomize_collection_length__ = True
    __min_collection_length__ = 1
    __max_collection_length__ = 3
    __random_seed__ = 7

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a body; again when a text made from its pattern is blank, which a name must not be."""
        while True:
            try:
                return super().build(*args, **kwargs)
            except ValidationError as error:
                if {problem["type"] for problem in error.errors()} != {"blank"}:
                    raise


@lru_cache
def _factory(model: type[BaseModel]) -> type[BaseFactory[Any]]:
    return _Factory.create_factory(model)


def _closure() -> Closure:
    first = _Factory.__faker__.date_object()
    return Closure(first=first, last=first + timedelta(days=3), why="verbouwing")


def _line() -> OrderLine:
    line: OrderLine = _factory(OrderLine).build(line=next(_numbers) % 99 + 1)
    return line


def _medication() -> Medication:
    medication: Medication = _factory(Medication).build(
        prk=next(_prk_codes), last_ordered_on="2026-08-01", prescribed_on="1998"
    )
    return medication


def _reviewed() -> ReviewedStatus:
    reviewed: ReviewedStatus = _factory(ReviewedStatus).build()
    return reviewed


def _quantity() -> Decimal:
    return quantity(_Factory.__faker__.random_int(1, 10_000_000) / 100)


_Factory.add_provider(Decimal, _quantity)


def _flaw() -> EntryFlaw:
    flaw: EntryFlaw = _factory(EntryFlaw).build(prk=next(_prk_codes), fields=("days_supply",))
    return flaw


_Factory.add_provider(Closure, _closure)
_Factory.add_provider(OrderLine, _line)
_Factory.add_provider(Medication, _medication)


# By default a list gets up to the allowed 200 entries, which takes half a second.
_SHORT: dict[str, Callable[[], BaseModel]] = {
    "medications": _medication,
    "flaws": _flaw,
    "statuses": _reviewed,
}


def make(body: type[Body]) -> Body:
    """A valid body of this type, different each time."""
    lists = {
        name: (entry(), entry()) for name, entry in _SHORT.items() if name in body.model_fields
    }
    made: Body = _factory(body).build(**lists)
    return made
