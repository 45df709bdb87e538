"""Explanations and timelines over HTTP: for whom, in which language, and what the audit says."""

from typing import Any

import pytest

from runtime.messages.encoding import encode_parts
from samples.callers import Permitted
from schemas.access import Party
from schemas.api.explanations import ExplanationView, TimelineView
from schemas.records.directory import Policy, Practice
from services.ordering import intake, journals, store
from services.ordering.app import SERVICE
from services.ordering.domain.past import Past
from tests.harness.made import PHARMACY, PRACTICE, an_order, entry
from tests.unit.ordering.pasts import past
from tests.unit.ordering.story import ANNA, BERT, NOON, given, overview, practice
from tests.unit.served import Served, claimed

ASKED = an_order(ANNA)
EXPLANATION = f"/orders/{ASKED.order_id}/explanation"
TIMELINE = f"/orders/{ASKED.order_id}/timeline"
PATHS = [EXPLANATION, TIMELINE]


def served(kept: Past | None) -> Served:
    """ordering with this order; with None, it is in the intake."""
    made = Served(SERVICE, tokens=Permitted(claimed))
    made.tables[Practice].rows[PRACTICE] = practice(Policy())
    waiting = {
        "order_id": ASKED.order_id,
        "patient": ANNA,
        "received_at": NOON,
        "practice": PRACTICE,
        "pharmacy": PHARMACY,
    }
    row = _row(kept) if kept else None
    made.api.answers |= {
        intake._RECEIVED: lambda asked: [] if row or asked != ASKED.order_id else [waiting],
        store._ORDERS_BY_ID: lambda ids: [row] if row and ASKED.order_id in ids else [],
        journals._ORDER_WITH_JOURNAL: lambda _: [row] if row else [],
    }
    return made


def _row(kept: Past) -> dict[str, Any]:
    journal = "".join(f"{encode_parts(note).decode()}\n" for note in kept.notes)
    return {"body": encode_parts(kept.order), "journal": journal}


def a_review() -> Past:
    """An order of a medicine that needs care, with a remark of two lines, as some editors divide them."""
    order = an_order(ANNA, order_id=ASKED.order_id, remark="Eerst\u2028dan")
    return past(given(overview(entry(high_risk=True))).when(order))


def bearer(role: Party, **scope: Any) -> dict[str, str]:
    """The header of somebody in this role."""
    return {"authorization": f"Bearer {claimed(role, **scope)}"}


A_GP = bearer(Party.GP, practice=PRACTICE, sub="gp-1")
HERSELF = bearer(Party.PATIENT, patients=(ANNA,))


async def test_a_practice_sees_every_rule_and_a_patient_those_that_held() -> None:
    made = served(a_review())
    shown = {}
    for name, headers in (("gp", A_GP), ("patient", HERSELF)):
        answer = await made.ask("GET", EXPLANATION, headers=headers)
        view = ExplanationView.model_validate_json(answer.content)
        shown[name] = [rule.rule for rule in view.decisions[0].lines[0].rules]
    assert shown["patient"] == ["high_risk", "remark_to_read"]
    assert len(shown["gp"]) > len(shown["patient"])


@pytest.mark.parametrize("path", PATHS, ids=["explanation", "timeline"])
async def test_it_is_dutch_unless_english_is_asked_for(path: str) -> None:
    made = served(a_review())
    dutch, english = [
        (await made.ask("GET", path, params=asked, headers=HERSELF)).text
        for asked in ({}, {"language": "en"})
    ]
    assert "Voorgelegd aan een huisarts." in dutch
    assert "Passed on to a GP." in english
    wrong = await made.ask("GET", path, params={"language": "fr"}, headers=HERSELF)
    assert wrong.status_code == 422


@pytest.mark.parametrize("path", PATHS, ids=["explanation", "timeline"])
@pytest.mark.parametrize(
    "headers",
    [
        bearer(Party.PATIENT, patients=(BERT,)),
        bearer(Party.GP, practice="01999009", sub="gp-9"),
    ],
    ids=["another-patient", "another-practice"],
)
async def test_an_order_of_others_is_not_found(path: str, headers: dict[str, str]) -> None:
    made = served(a_review())
    assert (await made.ask("GET", path, headers=headers)).status_code == 404


@pytest.mark.parametrize("path", PATHS, ids=["explanation", "timeline"])
async def test_a_pharmacist_may_not_ask(path: str) -> None:
    answer = await served(a_review()).ask(
        "GET", path, headers=bearer(Party.PHARMACIST, pharmacy=PHARMACY)
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", PATHS, ids=["explanation", "timeline"])
async def test_the_audit_has_whose_order_was_looked_at(path: str) -> None:
    made = served(a_review())
    await made.ask("GET", path, headers=A_GP)
    (written,) = made.audit.entries
    assert (written.action, written.patient, written.practice, written.thing) == (
        "orders.history",
        ANNA,
        PRACTICE,
        f"{ASKED.order_id}",
    )


async def test_an_order_that_is_not_decided_has_no_decisions_and_was_received() -> None:
    made = served(None)
    answer = await made.ask("GET", EXPLANATION, headers=HERSELF)
    assert ExplanationView.model_validate_json(answer.content).decisions == []
    answer = await made.ask("GET", TIMELINE, headers=HERSELF)
    (entry,) = TimelineView.model_validate_json(answer.content).entries
    assert (entry.event, entry.at) == ("order.received", NOON)
