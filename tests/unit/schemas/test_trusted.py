"""Structs of `schemas.trusted`: their encoding, and `isinstance` with models."""

from typing import Any

import pytest
from msgspec import Struct

from runtime.messages.encoding import encode, encode_parts
from schemas.base import Actor, Body, Model, PlacedBy, Role
from schemas.records.orders import DecidedLine, OrderDecided, OrderPlace, Outcome
from schemas.trusted import trusted
from tests.bodies import BODIES, make

LINE: dict[str, Any] = {
    "line": 1,
    "prk": "4677",
    "medicine": "Metformine",
    "quantity": 90,
    "outcome": Outcome.APPROVED,
}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
def test_a_struct_has_the_type_key_and_bytes_of_its_record(body: type[Body]) -> None:
    maker: Any = trusted(body)
    for _ in range(20):
        made = make(body)
        struct = maker(**vars(made))
        assert (struct.TYPE, struct.KEY, struct.ce_type()) == (body.TYPE, body.KEY, body.ce_type())
        assert encode(struct) == encode(made)
        assert [getattr(struct, name) for name in body.model_fields] == [*vars(made).values()]


def test_a_struct_has_the_defaults_of_its_model() -> None:
    assert encode_parts(trusted(DecidedLine)(**LINE)) == encode_parts(DecidedLine(**LINE))


def test_a_struct_without_a_required_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        trusted(Actor)(role=Role.GP)  # type: ignore[call-arg]


def test_a_struct_is_an_instance_of_its_model_and_the_models_bases() -> None:
    made = trusted(OrderPlace)(**vars(make(OrderPlace)))
    assert all(isinstance(made, kind) for kind in (Struct, OrderPlace, Body, Model))
    assert not isinstance(made, OrderDecided)
    actor = trusted(Actor)(role=Role.GP, id="gp-1")
    assert isinstance(actor, Actor)
    assert not isinstance(actor, Body | PlacedBy)


def test_a_struct_matches_the_class_pattern_of_its_model() -> None:
    line = trusted(DecidedLine)(**LINE)
    match line:
        case DecidedLine(outcome=Outcome.APPROVED, prk=prk):
            assert prk == "4677"
        case _:
            pytest.fail("a struct matches as its model does")


def test_instances_of_pydantic_models_are_unaffected() -> None:
    made = make(OrderPlace)
    assert isinstance(made, OrderPlace)
    assert isinstance(made, Body)
    assert not isinstance(made, OrderDecided)
