"""Records are encoded as pydantic encodes them."""

import pytest

from runtime.messages.encoding import encode
from schemas.base import Body
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
