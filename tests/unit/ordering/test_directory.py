"""The directory over HTTP: public facts for everybody with a token, and no entry in anybody's audit trail."""

import pytest

from samples.callers import Permitted
from samples.codes import pharmacy_code, practice_code
from schemas.access import Party
from schemas.api.directory import PharmaciesView, PracticeView
from schemas.records.directory import Pharmacy, Practice
from services.ordering.app import SERVICE
from tests.harness.made import PRACTICE
from tests.unit.ordering.story import pharmacy, practice
from tests.unit.served import Served, claimed


def served(*pharmacies: Pharmacy) -> Served:
    """ordering with one practice and these pharmacies in the directory."""
    made = Served(SERVICE, tokens=Permitted(lambda *_, **__: claimed(Party.MANAGER)))
    made.tables[Practice].rows[PRACTICE] = practice()
    made.tables[Pharmacy].rows |= {each.agb: each for each in pharmacies}
    return made


async def test_pharmacies_come_by_city_and_name() -> None:
    named = [("Zeist", "De Arend"), ("Almen", "De Vijzel"), ("Almen", "De Eenhoorn")]
    pharmacies = [
        pharmacy().model_copy(update={"agb": pharmacy_code(n), "city": city, "name": name})
        for n, (city, name) in enumerate(named, start=1)
    ]
    answer = await served(*pharmacies).ask("GET", "/pharmacies")
    assert answer.status_code == 200
    shown = PharmaciesView.model_validate_json(answer.content).pharmacies
    assert [(each.city, each.name) for each in shown] == sorted(named)
    assert {each.agb for each in shown} == {each.agb for each in pharmacies}
    assert "version" not in answer.json()["pharmacies"][0]


async def test_a_practice_is_shown_without_its_policy_and_list_size() -> None:
    answer = await served().ask("GET", f"/practices/{PRACTICE}")
    assert answer.status_code == 200
    assert PracticeView.model_validate_json(answer.content).agb == PRACTICE
    assert answer.json().keys() == PracticeView.model_fields.keys()


async def test_a_practice_that_is_not_in_the_directory_is_a_404() -> None:
    answer = await served().ask("GET", f"/practices/{practice_code(2)}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such practice.")


@pytest.mark.parametrize("role", [Party.PATIENT, Party.REGION, Party.OPERATOR])
async def test_a_token_that_names_nothing_is_enough(role: Party) -> None:
    made = served(pharmacy())
    headers = {"authorization": f"Bearer {claimed(role)}"}
    for path in ("/pharmacies", f"/practices/{PRACTICE}"):
        assert (await made.ask("GET", path, headers=headers)).status_code == 200
    assert made.audit.entries == []
