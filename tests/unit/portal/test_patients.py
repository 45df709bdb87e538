"""A patient at the practice: searched, looked at, and a medicine's status set."""

from datetime import date

import httpx
import pytest

from herhaal_client import NotFound
from portal.practice import patients, search
from portal.web.forms import BadForm, Form
from samples.codes import bsns
from samples.persons import a_person
from schemas.api.people import FoundPerson, FoundView, PersonView, Purpose, SearchRequest
from schemas.records.medication import Change, MedicationOverview
from tests.harness.made import GP, PRACTICE, entry
from tests.unit.portal.visits import ASSISTANT, NOW, Told, a_visit, answering, look
from tests.unit.schemas.test_api_bodies import ID

ANNA = "pat_anna0001"
IN_PATH = {"patient": ANNA}
PAGE = patients.PATIENT
SET = f"{PAGE}/medications/{{prk}}/status"
PERSON = f"GET notification/patients/{ANNA}/person"
OVERVIEW = f"GET medication/patients/{ANNA}/overview"
BSN = next(bsns())
WHO = a_person(initials="A.M.", prefix=None, surname="Voorbeeld", birth_date=date(1949, 3, 1))
NAMED = answering(PersonView(**dict(WHO), patient=ANNA, practice=PRACTICE))
LISTED = answering(
    MedicationOverview(
        patient=ANNA,
        practice=PRACTICE,
        version=3,
        changed_at=NOW,
        change=Change(change_id=ID, kind="import", by=GP),
        medications=(entry(last_ordered_on="2026-09-06"),),
    )
)


async def test_a_patient_is_shown_by_name_and_birth_date_with_each_medicines_status() -> None:
    told = Told({PERSON: NAMED, OVERVIEW: LISTED})
    status, html = await look(
        patients.pages, "GET", PAGE, a_visit(ASSISTANT, told, in_path=IN_PATH)
    )
    assert status == 200
    for text in ("<h1>A.M. Voorbeeld</h1>", "1 March 1949", "Metformine", "6 September 2026"):
        assert text in html
    assert '<option value="chronic" selected>Repeatable</option>' in html
    assert "Metformine 500 mg tablet for A.M. Voorbeeld" in html


async def test_a_patient_of_another_practice_is_not_found() -> None:
    with pytest.raises(NotFound):
        await look(patients.pages, "GET", PAGE, a_visit(ASSISTANT, Told({}), in_path=IN_PATH))


async def test_when_medication_is_away_the_rest_is_shown() -> None:
    told = Told({PERSON: NAMED, OVERVIEW: httpx.ConnectError("refused")})
    _, html = await look(patients.pages, "GET", PAGE, a_visit(ASSISTANT, told, in_path=IN_PATH))
    assert "A.M. Voorbeeld" in html
    assert "We cannot show this part now" in html


async def test_a_status_is_set_for_the_patient_in_the_path() -> None:
    told = Told({f"PUT medication/patients/{ANNA}/medications/5487/status": LISTED})
    visit = a_visit(ASSISTANT, told, form={"status": "stopped"}, in_path={**IN_PATH, "prk": "5487"})
    (page,) = [each for each in patients.pages.all if each.path == SET]
    answer = await page.endpoint(visit)
    assert answer.headers["location"] == f"/practice/patients/{ANNA}?saved=5487"
    (sent,) = told.sent("PUT")
    assert b'"status":"stopped"' in sent.content


async def test_the_page_after_it_says_what_was_saved() -> None:
    told = Told({PERSON: NAMED, OVERVIEW: LISTED})
    visit = a_visit(ASSISTANT, told, in_path=IN_PATH, query={"saved": "5487"})
    _, html = await look(patients.pages, "GET", PAGE, visit)
    assert "Metformine 500 mg tablet is now: repeatable." in html


async def test_a_status_that_is_none_is_a_bad_form() -> None:
    visit = a_visit(
        ASSISTANT, Told({}), form={"status": "gone"}, in_path={**IN_PATH, "prk": "5487"}
    )
    with pytest.raises(BadForm):
        await look(patients.pages, "POST", SET, visit)


def a_form(**fields: str) -> Form:
    return Form([*({"why": "order"} | fields).items()])


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, ["surname"]),
        ({"surname": "Voorbeeld"}, ["birth_date"]),
        ({"birth_date": "1949-03-01"}, ["surname"]),
        ({"surname": "Voorbeeld", "birth_date": "31-02-1949"}, ["birth_date"]),
        ({"surname": "Voorbeeld", "birth_date": "1749-03-01"}, ["birth_date"]),
        ({"bsn": "123456789"}, ["bsn"]),
        ({"bsn": BSN, "surname": "Voorbeeld"}, ["bsn"]),
        ({"bsn": BSN, "why": ""}, ["why"]),
    ],
)
def test_a_search_that_is_not_right_says_which_field(
    fields: dict[str, str], wrong: list[str]
) -> None:
    errors = search.read_search(a_form(**fields))
    assert not isinstance(errors, SearchRequest)
    assert [each.field for each in errors] == wrong


def test_one_searches_by_bsn_or_by_surname_and_birth_date_as_people_write_them() -> None:
    assert search.read_search(a_form(bsn=f"{BSN[:3]} {BSN[3:]}")) == SearchRequest(
        bsn=BSN, why=Purpose.ORDER
    )
    by_name = a_form(surname="Voorbeeld", birth_date="1-3-1949")
    assert search.read_search(by_name) == SearchRequest(
        surname="Voorbeeld", birth_date=date(1949, 3, 1), why=Purpose.ORDER
    )


async def test_all_who_match_are_shown_with_what_tells_them_apart_and_none_is_chosen() -> None:
    twins = [
        FoundPerson(
            patient=f"pat_twin000{number}",
            street=street,
            **{
                name: getattr(WHO, name)
                for name in FoundPerson.model_fields
                if name not in ("patient", "street")
            },
        )
        for number, street in enumerate(("Denkbeeldweg", "Nergenspad"))
    ]
    told = Told({"POST notification/people/search": answering(FoundView(people=twins))})
    visit = a_visit(ASSISTANT, told, form={"bsn": BSN, "why": "order"})
    status, html = await look(search.pages, "POST", "/practice/patients", visit)
    assert status == 200
    assert "2 people match" in html
    assert "Denkbeeldweg" in html
    assert "Nergenspad" in html


async def test_nobody_who_matches_is_said_so() -> None:
    told = Told({"POST notification/people/search": answering(FoundView(people=[]))})
    visit = a_visit(ASSISTANT, told, form={"bsn": BSN, "why": "order"})
    _, html = await look(search.pages, "POST", "/practice/patients", visit)
    assert "Nobody matches" in html


async def test_the_error_of_the_purposes_leads_to_the_first_of_them() -> None:
    visit = a_visit(ASSISTANT, Told({}), form={"bsn": BSN})
    status, html = await look(search.pages, "POST", "/practice/patients", visit)
    assert status == 422
    assert 'href="#why-order"' in html
    assert 'id="why-order"' in html
