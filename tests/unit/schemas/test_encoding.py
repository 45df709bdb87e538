"""Bytes of records: the fast way of writing them is pydantic's, and what is trusted is a model like any."""

import pytest
from pydantic_core import PydanticSerializationError, from_json, to_json

from runtime.records import encode
from schemas.base import Actor, Body, Role, trusted
from schemas.orders import DecidedLine, Outcome
from tests.bodies import BODIES, make


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
def test_a_record_is_written_as_pydantic_writes_it(body: type[Body]) -> None:
    for _ in range(20):
        made = make(body)
        assert encode(made) == made.model_dump_json(by_alias=True).encode()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
def test_a_record_is_read_back_as_it_was_written(body: type[Body]) -> None:
    made = make(body)
    assert body.model_validate_json(encode(made)) == made


def test_what_is_trusted_is_the_model_itself_with_its_defaults() -> None:
    line = trusted(DecidedLine)(
        line=1, prk="4677", medicine="Metformine", quantity=90, outcome=Outcome.APPROVED
    )
    assert line == DecidedLine(
        line=1, prk="4677", medicine="Metformine", quantity=90, outcome=Outcome.APPROVED
    )
    assert from_json(to_json(line)) == from_json(to_json(line.model_copy()))


def test_a_field_that_was_forgotten_is_noticed_when_it_is_written() -> None:
    actor = trusted(Actor)(role=Role.GP)  # type: ignore[call-arg]
    with pytest.raises((TypeError, PydanticSerializationError)):
        to_json(actor)
