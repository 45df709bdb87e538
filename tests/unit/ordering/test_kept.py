"""An order as it is kept: the same bytes for years, read as they were written."""

from datetime import UTC, date, datetime
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
    practice="01010001",
    pharmacy="02010001",
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
            quantity=90,
            outcome=Outcome.APPROVED,
            dosage="1x daags 1",
            decided_by=Actor(role=Role.GP, id="gp-1"),
            decided_as=Outcome.APPROVED,
        ),
        Line(
            number=2,
            prk="21105",
            medicine="Amoxicilline “500” mg",
            quantity=21,
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
)
KEPT = (
    '{"order_id":"0192aaaa-0000-7000-8000-000000000001","patient":"pat_anna0001",'
    '"practice":"01010001","pharmacy":"02010001","channel":"e_consult",'
    '"placed_by":{"role":"proxy","id":"proxy-1"},"placed_at":"2026-11-23T09:12:00.041000Z",'
    '"digest":"43fc030909df83b5df6432dbefc92bc6","seq":3,"lines":['
    '{"number":1,"prk":"5487","medicine":"Metformine 500 mg tablet","quantity":90,'
    '"outcome":"approved","reasons":[],"dosage":"1x daags 1",'
    '"decided_by":{"role":"gp","id":"gp-1"},"decided_as":"approved"},'
    '{"number":2,"prk":"21105","medicine":"Amoxicilline “500” mg","quantity":21,'
    '"outcome":"refused","reasons":['
    '{"code":"TOO_EARLY","earliest_date":"2027-01-16","other_order":null},'
    '{"code":"DUPLICATE_ORDER","earliest_date":null,'
    '"other_order":"0192aaaa-0000-7000-8000-000000000002"}],'
    '"dosage":"","decided_by":null,"decided_as":null}],'
    '"remark":"’s avonds","supply_until":"2027-01-31","cancelled":true}'
)


def test_an_order_is_kept_in_these_bytes_and_read_back_from_them() -> None:
    assert ORDER.state is OrderState.CANCELLED
    assert encode_parts(ORDER).decode() == KEPT
    assert read(KEPT) == ORDER


def test_fields_that_came_later_have_their_defaults_in_an_order_of_before() -> None:
    older = KEPT.replace(',"decided_by":null,"decided_as":null', "").replace(
        ',"cancelled":true', ""
    )
    order = read(older)
    assert (order.lines, order.cancelled) == (ORDER.lines, False)


def test_fields_that_are_not_known_here_are_passed_over_wherever_they_are() -> None:
    newer = KEPT.replace('{"number"', '{"new":[1],"number"').replace('{"role"', '{"new":{},"role"')
    assert newer.count("new") == 4
    assert read(newer.replace('{"code"', '{"new":1,"code"')) == ORDER


@pytest.mark.parametrize("part", ['"seq":3,', '"role":"gp",', '"number":1,', '"code":"TOO_EARLY",'])
def test_an_order_that_lacks_what_it_cannot_be_without_is_not_read(part: str) -> None:
    assert part in KEPT
    with pytest.raises((msgspec.ValidationError, ValidationError)):
        read(KEPT.replace(part, ""))
