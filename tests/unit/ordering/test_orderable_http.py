"""What can be ordered over HTTP: whose, at which pharmacy, and before an overview has arrived."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from runtime.messages.encoding import encode_parts
from samples.callers import Permitted
from schemas.access import Party
from schemas.api.orderable import OrderableView
from schemas.reasons import ReasonCode
from schemas.records.directory import Approver, Pharmacy, Policy, Practice
from schemas.records.medication import Medication
from schemas.records.orders import Outcome
from services.ordering import store
from services.ordering.app import SERVICE
from services.ordering.domain.overview import read_overview
from tests.harness.made import METFORMINE, OMEPRAZOL, PHARMACY, PRACTICE, entry
from tests.unit.ordering.story import ANNA, BERT, overview, pharmacy, practice
from tests.unit.served import Served, claimed

PATH = f"/patients/{ANNA}/orderable"
NOTHING: dict[str, Any] = {"overview_version": None, "practice": None, "medicines": []}


def served(*medications: Medication, policy: Policy | None = None) -> Served:
    """ordering with these medicines in Anna's overview; without any, with no overview."""
    made = Served(SERVICE, tokens=Permitted(claimed))
    made.tables[Practice].rows[PRACTICE] = practice(policy)
    made.tables[Pharmacy].rows[PHARMACY] = pharmacy()
    kept = read_overview(overview(*medications, version=4))
    row: Any = (ANNA, kept.practice, kept.version, encode_parts(kept.medications))
    made.api.answers[store._OVERVIEWS] = lambda _: [row] if medications else []
    made.api.answers[store._HISTORIES] = lambda _: []
    return made


def bearer(role: Party, **scope: Any) -> dict[str, str]:
    """The header of somebody in this role."""
    return {"authorization": f"Bearer {claimed(role, **scope)}"}


async def test_each_medicine_has_its_verdict_and_what_is_usual() -> None:
    made = served(entry(METFORMINE, dosage="2x daags 1"), entry(OMEPRAZOL, high_risk=True))
    answer = await made.ask("GET", PATH, params={"pharmacy": PHARMACY})
    assert answer.status_code == 200
    shown = OrderableView.model_validate_json(answer.content)
    assert (shown.overview_version, shown.practice) == (4, PRACTICE)
    first, second = shown.medicines
    assert (first.prk, first.medicine, first.dosage) == (*METFORMINE, "2x daags 1")
    assert (first.quantity, first.unit, first.outcome) == (Decimal(180), "stuk", Outcome.APPROVED)
    assert [reason.code for reason in second.reasons] == [ReasonCode.HIGH_RISK_MEDICATION]


async def test_the_practices_policy_counts() -> None:
    made = served(entry(), policy=Policy(approver=Approver.ASSISTANT))
    (medicine,) = (await made.ask("GET", PATH)).json()["medicines"]
    assert (medicine["outcome"], medicine["reasons"]) == ("review", [])


@pytest.mark.parametrize(
    ("query", "outcome"),
    [({}, "approved"), ({"pharmacy": PHARMACY}, "approved"), ({"pharmacy": "02999009"}, "review")],
    ids=["none", "known", "unknown"],
)
async def test_a_pharmacy_that_is_not_connected_needs_a_person_and_none_does_not(
    query: dict[str, str], outcome: str
) -> None:
    (medicine,) = (await served(entry()).ask("GET", PATH, params=query)).json()["medicines"]
    assert medicine["outcome"] == outcome


async def test_before_an_overview_a_patient_sees_nothing_and_a_practice_a_404() -> None:
    made = served()
    answer = await made.ask("GET", PATH)
    assert (answer.status_code, orjson.loads(answer.content)) == (200, NOTHING)
    for headers in (bearer(Party.GP, practice=PRACTICE), bearer(Party.PATIENT, patients=(BERT,))):
        assert (await made.ask("GET", PATH, headers=headers)).status_code == 404
    assert [entry.outcome for entry in made.audit.entries] == ["nothing", "refused", "refused"]


async def test_only_the_patients_own_practice_sees_it() -> None:
    made = served(entry())
    own, other = (bearer(Party.GP, practice=agb) for agb in (PRACTICE, "01999002"))
    assert (await made.ask("GET", PATH, headers=own)).status_code == 200
    assert (await made.ask("GET", PATH, headers=other)).status_code == 404
