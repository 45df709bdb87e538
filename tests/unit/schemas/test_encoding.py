"""Bytes of records: the fast way of writing them is pydantic's, also of what is trusted."""

from typing import Any

import pytest

from runtime.records import encode, encode_parts
from schemas.base import Actor, Body, Role
from schemas.orders import DecidedLine, Outcome
from schemas.structs import trusted
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


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
def test_what_is_trusted_is_written_as_the_record_it_stands_for(body: type[Body]) -> None:
    """Given a record's fields; when they are trusted; then it has the type, key and bytes of the record."""
    maker: Any = trusted(body)
    for _ in range(20):
        made = make(body)
        said = maker(**vars(made))
        assert (said.TYPE, said.KEY, said.ce_type()) == (body.TYPE, body.KEY, body.ce_type())
        assert encode(said) == encode(made)
        assert [getattr(said, name) for name in body.model_fields] == [*vars(made).values()]


def test_what_is_trusted_has_the_defaults_of_its_model() -> None:
    asked = {"line": 1, "prk": "4677", "medicine": "Metformine", "quantity": 90}
    line = trusted(DecidedLine)(**asked, outcome=Outcome.APPROVED)  # type: ignore[arg-type]
    assert encode_parts(line) == encode_parts(
        DecidedLine(**asked, outcome=Outcome.APPROVED)  # type: ignore[arg-type]
    )


def test_a_field_that_was_forgotten_is_noticed_when_it_is_made() -> None:
    with pytest.raises(TypeError):
        trusted(Actor)(role=Role.GP)  # type: ignore[call-arg]
