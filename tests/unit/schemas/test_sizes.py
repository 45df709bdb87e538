"""What a schema allows fits: into a request, into the record that it becomes, and into what that leads to."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from runtime.http.requests import max_body_bytes
from schemas.api.medication import OverviewRequest, StatusRequest
from schemas.api.ordering import CancelRequest, PlaceRequest
from schemas.base import Body
from schemas.sizes import ESCAPED, WRITTEN, Encoding, largest
from schemas.topics import ALL, Topic, prescriptions
from tests.bodies import make
from tests.harness.largest import CONTROL, OUTSIDE_BMP, an_order, an_overview, escaped

HEADERS_BYTES = 4096
"""For a record's key and headers, also those of a dead letter."""

ITEMS = {"lines": 50, "reasons": 20, "closures": 50, "media": 4}
"""Lists without a bound in their schema: an order has 50 lines, and a line has at most 20 reasons."""


@pytest.mark.parametrize("character", ["a", "é", OUTSIDE_BMP, CONTROL])
@pytest.mark.parametrize(
    ("model", "body"), [(OverviewRequest, an_overview), (PlaceRequest, an_order)]
)
def test_the_largest_body_is_within_the_bound_in_any_script(
    model: type[BaseModel], body: Any, character: str
) -> None:
    sent = escaped(body("pat_" + "x" * 64, character))
    read = model.model_validate_json(sent)
    assert len(sent) <= largest(model, ESCAPED)
    assert len(read.model_dump_json().encode()) <= largest(model, WRITTEN)


@pytest.mark.parametrize("model", [OverviewRequest, StatusRequest, PlaceRequest, CancelRequest])
def test_every_request_has_a_bound_and_room_for_white_space(model: type[BaseModel]) -> None:
    assert max_body_bytes(model) == largest(model, ESCAPED) + 64 * 1024


def test_the_bound_follows_the_schema() -> None:
    assert max_body_bytes(PlaceRequest) < 512 * 1024
    assert 5_000_000 < max_body_bytes(OverviewRequest) < 9_000_000


@pytest.mark.parametrize(
    ("topic", "body"),
    [(topic, body) for topic in (*ALL, prescriptions("02999001")) for body in topic.bodies],
    ids=lambda value: getattr(value, "name", None) or value.TYPE,
)
def test_the_largest_record_fits_its_topic(topic: Topic, body: type[Body]) -> None:
    """Given the largest order or overview; then neither its record nor what follows is too large for Kafka."""
    assert largest(body, WRITTEN, ITEMS) + HEADERS_BYTES <= topic.max_bytes


def test_a_dead_letter_of_the_largest_record_fits() -> None:
    letters = min(topic.max_bytes for topic in ALL if topic.name.endswith(".dead-letters"))
    others = max(t.max_bytes for t in ALL if not t.name.endswith(".dead-letters"))
    assert others + HEADERS_BYTES <= letters


@pytest.mark.parametrize("body", [b for topic in ALL for b in topic.bodies], ids=lambda b: b.TYPE)
def test_a_made_up_body_is_within_its_bound(body: type[Body]) -> None:
    text = make(body).model_dump_json().encode()
    assert len(text) <= largest(body, WRITTEN, ITEMS)


class _Text(BaseModel):
    text: str


class _Many(BaseModel):
    many: tuple[int, ...]


class _Pattern(BaseModel):
    text: str = Field(pattern="^x+$")


@pytest.mark.parametrize("model", [_Text, _Many, _Pattern])
def test_a_field_without_a_bound_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(ValueError, match="has no bound"):
        largest(model, Encoding(1, 1))
