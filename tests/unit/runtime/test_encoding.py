"""Encoding of record bodies."""

from runtime.messages.encoding import encode
from schemas.records.orders import OrderPlace
from tests.harness.made import an_order


def test_a_body_is_encoded_without_loss() -> None:
    order = an_order("pat_anna0001", remark='é "x" \n ☃')
    assert OrderPlace.model_validate_json(encode(order)) == order
