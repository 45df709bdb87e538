"""A person's data refuse to print, and say nothing in errors."""

import json
import logging
import traceback
from datetime import date

import pytest
from pydantic import ValidationError
from rich.pretty import pretty_repr

from samples.codes import bsns
from samples.persons import a_person
from schemas.api.people import Person, RegisterRequest, SearchRequest

BSN = next(bsns())
ANNA = a_person(BSN)
CONTENT = (BSN, "Angelo", "1949", "Verzonnen", "1234", "456799", "anna@")


@pytest.mark.parametrize(
    "shown",
    [
        repr(ANNA),
        str(ANNA),
        f"{ANNA}",
        f"{ANNA!r:>40}",
        f"{ANNA:>40}",
        "%s %r" % (ANNA, ANNA),  # noqa: UP031
        str([ANNA]),
        repr({"x": ANNA}),
        pretty_repr(ANNA),
        logging.LogRecord("x", 1, "x", 1, "%s", (ANNA,), None).getMessage(),
    ],
)
def test_however_it_is_printed_nothing_of_the_person_is_seen(shown: str) -> None:
    assert "Person(" in shown
    assert not [part for part in CONTENT if part in shown]


@pytest.mark.parametrize(
    "wrong",
    [
        {"bsn": "999912345"},
        {"bsn": "12345678"},
        {"birth_date": "1749-03-01"},
        {"birth_date": "9999-12-31"},
        {"phones": ["call Anna"]},
        {"surname": "   "},
        {"email": "anna at example"},
        {"postcode": ""},
    ],
    ids=str,
)
def test_an_error_names_the_field_and_never_what_was_sent(wrong: dict[str, object]) -> None:
    sent = json.loads(ANNA.model_dump_json()) | wrong
    with pytest.raises(ValidationError) as refused:
        Person.model_validate_json(json.dumps(sent))
    shown = "".join(traceback.format_exception(refused.value))
    assert next(iter(wrong)) in shown
    (value,) = wrong.values()
    text = value[0] if isinstance(value, list) else value
    assert not str(text).strip() or str(text) not in shown


def test_who_serialises_on_purpose_gets_everything() -> None:
    assert Person.model_validate_json(ANNA.model_dump_json()) == ANNA


@pytest.mark.parametrize("sent", ["1234ab", "1234 AB", " 1234 ab"])
def test_a_dutch_postcode_is_written_in_one_way(sent: str) -> None:
    assert a_person(postcode=sent).postcode == "1234 AB"


def test_a_request_is_more_than_its_person() -> None:
    body = json.dumps(json.loads(ANNA.model_dump_json()) | {"practice": "01999001"})
    assert RegisterRequest.model_validate_json(body).person() == ANNA


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"surname": "Angelo"},
        {"birth_date": date(1949, 3, 1)},
        {"bsn": BSN, "surname": "Angelo", "birth_date": date(1949, 3, 1)},
        {"bsn": BSN, "surname": "Angelo"},
    ],
)
def test_a_search_is_by_bsn_or_by_name_and_birth_date(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either bsn, or both"):
        SearchRequest.model_validate(sent | {"why": "order"}, strict=False)
