"""The stored form of orders and facts: their bytes never change, and older ones stay readable."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from runtime.messages.encoding import decoder, encode_parts
from schemas.base import Role
from schemas.reasons import ReasonCode
from schemas.records.orders import Outcome
from services.notification.domain.messages import (
    Answer,
    AnsweredLine,
    Cancellation,
    NoPickup,
    OtherLine,
    PharmacyContact,
    PracticeContact,
    ReasonText,
)
from services.notification.domain.order import Line, Order
from services.notification.domain.pickup import Window
from tests.unit.notification.made import MONDAY, amsterdam

PRACTICE = PracticeContact("01999001", "Huisartsenpraktijk De Linde", "0123-456710")
PHARMACY = PharmacyContact(
    "02999001", "Apotheek De Gouden Vijzel", "Marktplein 4", "Lindewaard", "0123-456730"
)

ORDER = Order(
    UUID("0192aaaa-0000-7000-8000-000000000001"),
    "pat_anna0001",
    2,
    (Line(1, "Metformine", Outcome.APPROVED), Line(2, "Amoxicilline", Outcome.REFUSED)),
    "02999001",
    MONDAY,
)
STORED_ORDER = (
    '{"order_id":"0192aaaa-0000-7000-8000-000000000001","patient":"pat_anna0001","seq":2,'
    '"lines":[{"number":1,"medicine":"Metformine","outcome":"approved"},'
    '{"number":2,"medicine":"Amoxicilline","outcome":"refused"}],'
    '"pharmacy":"02999001","approved_at":"2026-11-23T09:12:00Z"}'
)

ANSWER = Answer(
    practice=PRACTICE,
    pharmacy=PHARMACY,
    lines=(
        AnsweredLine(1, "Metformine", Decimal("2.5"), Outcome.APPROVED, unit="ml"),
        AnsweredLine(
            *(2, "Amoxicilline", Decimal(21), Outcome.REFUSED),
            reasons=(
                ReasonText(
                    ReasonCode.TOO_EARLY,
                    {"nl": "Te vroeg.", "en": "Too early."},
                    {"nl": "Wacht.", "en": "Wait."},
                    date(2027, 1, 16),
                ),
            ),
            ordered_as="Clavulaanzuur",
            sent_by_practice=True,
        ),
    ),
    window=Window(amsterdam("2026-11-25 15:30"), amsterdam("2027-06-25 17:30")),
    no_pickup=NoPickup.NO_OPENING,
    explanation="Tot ziens",
    explained_by=Role.GP,
    rest=(OtherLine("Omeprazol", Outcome.REVIEW),),
    withdrawn=True,
)
STORED_ANSWER = (
    '{"practice":{"agb":"01999001","name":"Huisartsenpraktijk De Linde","phone":"0123-456710"},'
    '"pharmacy":{"agb":"02999001","name":"Apotheek De Gouden Vijzel","address":"Marktplein 4",'
    '"city":"Lindewaard","phone":"0123-456730"},'
    '"lines":[{"line":1,"medicine":"Metformine","quantity":2.5,"outcome":"approved","reasons":[],"unit":"ml",'
    '"ordered_as":null,"sent_by_practice":false},'
    '{"line":2,"medicine":"Amoxicilline","quantity":21,"outcome":"refused","reasons":['
    '{"code":"TOO_EARLY","why":{"nl":"Te vroeg.","en":"Too early."},'
    '"next_step":{"nl":"Wacht.","en":"Wait."},"earliest_date":"2027-01-16"}],"unit":null,'
    '"ordered_as":"Clavulaanzuur","sent_by_practice":true}],'
    '"window":{"start":"2026-11-25T15:30:00+01:00","until":"2027-06-25T17:30:00+02:00"},'
    '"no_pickup":"no_opening","explanation":"Tot ziens","explained_by":"gp",'
    '"rest":[{"medicine":"Omeprazol","outcome":"review"}],"withdrawn":true}'
)

CANCELLATION = Cancellation(
    PRACTICE,
    None,
    ("Metformine",),
    True,
    True,
    "Verhuisd",
    Role.GP,
    (OtherLine("Omeprazol", Outcome.REFUSED),),
)
STORED_CANCELLATION = (
    '{"practice":{"agb":"01999001","name":"Huisartsenpraktijk De Linde","phone":"0123-456710"},'
    '"pharmacy":null,"medicines":["Metformine"],"was_approved":true,"by_practice":true,'
    '"reason":"Verhuisd","by":"gp","rest":[{"medicine":"Omeprazol","outcome":"refused"}]}'
)

STORED = [(ORDER, STORED_ORDER), (ANSWER, STORED_ANSWER), (CANCELLATION, STORED_CANCELLATION)]


@pytest.mark.parametrize(("value", "stored"), STORED)
def test_a_value_is_stored_in_these_bytes(value: msgspec.Struct, stored: str) -> None:
    assert encode_parts(value).decode() == stored
    assert decoder(type(value)).decode(stored) == value


@pytest.mark.parametrize(("value", "stored"), STORED)
def test_unknown_fields_are_ignored_at_every_depth_of_a_value(
    value: msgspec.Struct, stored: str
) -> None:
    newer = stored.replace('{"', '{"new":{"x":[1]},"').replace('":{"new":{"x":[1]},"nl"', '":{"nl"')
    assert newer.count("new") >= 2
    assert decoder(type(value)).decode(newer) == value


def test_fields_that_an_older_value_lacks_have_their_defaults() -> None:
    older = decoder(Order).decode(STORED_ORDER.partition(',"pharmacy"')[0] + "}")
    assert (older.lines, older.pharmacy, older.approved_at) == (ORDER.lines, None, None)
    answer = decoder(Answer).decode(STORED_ANSWER.partition(',"no_pickup"')[0] + "}")
    assert (answer.lines, answer.no_pickup, answer.explanation) == (ANSWER.lines, None, None)
    assert (answer.explained_by, answer.rest, answer.withdrawn) == (None, (), False)
    cancellation = decoder(Cancellation).decode(STORED_CANCELLATION.partition(',"by"')[0] + "}")
    assert (cancellation.reason, cancellation.by, cancellation.rest) == ("Verhuisd", None, ())


def test_a_line_that_was_stored_with_a_whole_quantity_and_without_a_unit_is_read() -> None:
    older = '{"line":1,"medicine":"Metformine","quantity":90,"outcome":"approved","reasons":[]}'
    line = decoder(AnsweredLine).decode(older)
    assert line == AnsweredLine(1, "Metformine", Decimal(90), Outcome.APPROVED)


def test_an_answer_without_a_required_field_is_not_read() -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder(Answer).decode(STORED_ANSWER.replace('"outcome":"approved",', ""))
