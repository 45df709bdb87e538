"""The stored form of an order: its bytes never change, and older ones stay readable."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from pydantic import ValidationError

from runtime.messages.encoding import decoder, encode_parts
from schemas.base import Actor, Channel, PlacedBy, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import OrderState, Outcome
from services.ordering.domain.order import Line, Order

read = decoder(Order).decode

ORDER = Order(
    order_id=UUID("0192aaaa-0000-7000-8000-000000000001"),
    patient="pat_anna0001",
    practice="01999001",
    pharmacy="02999001",
    channel=Channel.E_CONSULT,
    placed_by=PlacedBy(role=Role.PROXY, id="proxy-1"),
    placed_at=datetime(2026, 11, 23, 9, 12, 0, 41000, UTC),
    digest="43fc030909df83b5df6432dbefc92bc6",
    seq=3,
    lines=(
        Line(
            number=1,
            prk="5487",
            medicine="Metformine 500 mg tablet",
            quantity=Decimal(90),
            outcome=Outcome.APPROVED,
            dosage="1x daags 1",
            decided_by=Actor(role=Role.GP, id="gp-1"),
            decided_as=Outcome.APPROVED,
            unit="stuk",
            ordered_as="Glucophage",
            decided_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
            explanation="Eerst\ncontrole",
        ),
        Line(
            number=2,
            prk="21105",
            medicine="Amoxicilline “500” mg",
            quantity=Decimal("2.5"),
            outcome=Outcome.REFUSED,
            reasons=(
                Reason(code=ReasonCode.TOO_EARLY, earliest_date=date(2027, 1, 16)),
                Reason(
                    code=ReasonCode.DUPLICATE_ORDER,
                    other_order=UUID("0192aaaa-0000-7000-8000-000000000002"),
                ),
            ),
        ),
    ),
    remark="’s avonds",
    supply_until=date(2027, 1, 31),
    cancelled=True,
    cancelled_by=Actor(role=Role.PHARMACY, id="02999001"),
    cancelled_at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    cancel_reason="niet leverbaar",
)
STORED = (
    '{"order_id":"0192aaaa-0000-7000-8000-000000000001","patient":"pat_anna0001",'
    '"practice":"01999001","pharmacy":"02999001","channel":"e_consult",'
    '"placed_by":{"role":"proxy","id":"proxy-1"},"placed_at":"2026-11-23T09:12:00.041000Z",'
    '"digest":"43fc030909df83b5df6432dbefc92bc6","seq":3,"lines":['
    '{"number":1,"prk":"5487","medicine":"Metformine 500 mg tablet","quantity":90,'
    '"outcome":"approved","dosage":"1x daags 1",'
    '"decided_by":{"role":"gp","id":"gp-1"},"decided_as":"approved","unit":"stuk",'
    '"ordered_as":"Glucophage","decided_at":"2026-11-23T10:00:00Z",'
    '"explanation":"Eerst\\ncontrole"},'
    '{"number":2,"prk":"21105","medicine":"Amoxicilline “500” mg","quantity":2.5,'
    '"outcome":"refused","reasons":['
    '{"code":"TOO_EARLY","earliest_date":"2027-01-16","other_order":null},'
    '{"code":"DUPLICATE_ORDER","earliest_date":null,'
    '"other_order":"0192aaaa-0000-7000-8000-000000000002"}]}],'
    '"remark":"’s avonds","supply_until":"2027-01-31","cancelled":true,'
    '"cancelled_by":{"role":"pharmacy","id":"02999001"},"cancelled_at":"2026-11-24T09:00:00Z",'
    '"cancel_reason":"niet leverbaar"}'
)


def test_an_order_is_stored_in_these_bytes() -> None:
    assert ORDER.state is OrderState.CANCELLED
    assert encode_parts(ORDER).decode() == STORED
    assert read(STORED) == ORDER


def test_fields_that_an_older_order_lacks_have_their_defaults() -> None:
    older = STORED[: STORED.index(',"cancelled":true')] + "}"
    order = read(older)
    assert (order.lines, order.cancelled, order.cancelled_by) == (ORDER.lines, False, None)


def test_unknown_fields_are_ignored_at_every_depth_of_an_order() -> None:
    newer = STORED.replace('{"number"', '{"new":[1],"number"').replace(
        '{"role"', '{"new":{},"role"'
    )
    assert newer.count("new") == 5
    assert read(newer.replace('{"code"', '{"new":1,"code"')) == ORDER


@pytest.mark.parametrize("part", ['"seq":3,', '"role":"gp",', '"number":1,', '"code":"TOO_EARLY",'])
def test_an_order_without_a_required_field_is_not_read(part: str) -> None:
    assert part in STORED
    with pytest.raises((msgspec.ValidationError, ValidationError)):
        read(STORED.replace(part, ""))
