"""A person's decision on a line over HTTP: what is sent, and what is said of a line that is not in review."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from msgspec.structs import replace

from runtime.messages.encoding import encode_parts
from samples.callers import Permitted
from schemas.access import Party
from schemas.base import Actor, Role
from schemas.records.orders import OrderReview, Outcome
from schemas.topics import ORDERS_REVIEWS
from services.ordering import intake, store
from services.ordering.app import SERVICE
from services.ordering.domain.order import Line, Order
from tests.harness.made import METFORMINE, PHARMACY, PRACTICE, an_order
from tests.unit.ordering.story import ANNA, NOON
from tests.unit.served import Served, claimed

ASKED = an_order(ANNA, order_id=UUID("0192aaaa-0000-7000-8000-000000000001"))
PATH = f"/orders/{ASKED.order_id}/lines/1/review"
LINE = Line(1, *METFORMINE, ASKED.lines[0].quantity, Outcome.REVIEW)
ORDER = Order(
    order_id=ASKED.order_id,
    patient=ANNA,
    practice=PRACTICE,
    pharmacy=PHARMACY,
    channel=ASKED.channel,
    placed_by=ASKED.placed_by,
    placed_at=NOON,
    digest="",
    seq=1,
    lines=(LINE,),
)
APPROVED = {"outcome": "approved"}
REFUSED = {"outcome": "refused", "explanation": "Eerst controle."}
AT = datetime(2026, 11, 29, 9, 5, tzinfo=UTC)
GP_1 = Actor(role=Role.GP, id="gp-1")


@dataclass
class Desk:
    """ordering with one order, and somebody of the practice who decides."""

    served: Served

    async def decide(self, body: Any, sub: str = "gp-1", path: str = PATH) -> httpx.Response:
        """Decide the line as this GP."""
        headers = {"authorization": f"Bearer {claimed(Party.GP, practice=PRACTICE, sub=sub)}"}
        return await self.served.ask("PUT", path, json=body, headers=headers)


def desk(line: Line = LINE, *, known: bool = True, **changes: Any) -> Desk:
    """Show an order with this line; `known` if the patient's overview is here."""
    made = Served(SERVICE, tokens=Permitted(claimed))
    body = encode_parts(replace(ORDER, lines=(line,), **changes))
    overview: Any = (ANNA, PRACTICE, 1, b"[]")
    made.api.answers |= {
        intake._RECEIVED: lambda _: [],
        store._ORDERS_BY_ID: lambda ids: [{"body": body}] if ORDER.order_id in ids else [],
        store._OVERVIEWS: lambda _: [overview] if known else [],
    }
    return Desk(made)


async def test_a_decision_is_sent_to_the_loop_in_the_name_of_the_token() -> None:
    at = desk()
    answer = await at.decide(REFUSED | {"quantity": 30})
    assert (answer.status_code, answer.headers["location"]) == (202, f"/orders/{ORDER.order_id}")
    (record,) = at.served.sender.sent
    assert (record.topic, record.key) == (ORDERS_REVIEWS.name, ANNA.encode())
    sent = OrderReview.model_validate_json(record.value or b"")
    assert (sent.decided_by, sent.outcome, sent.quantity) == (GP_1, Outcome.REFUSED, Decimal(30))
    assert (sent.line, sent.explanation) == (1, "Eerst controle.")
    (entry,) = at.served.audit.entries
    assert (entry.action, entry.patient, entry.thing) == (
        "reviews.decide",
        ANNA,
        f"{ORDER.order_id}:1",
    )


@pytest.mark.parametrize("explanation", [{}, {"explanation": None}, {"explanation": " \u200b"}])
async def test_a_refusal_says_why(explanation: dict[str, Any]) -> None:
    at = desk()
    answer = await at.decide({"outcome": "refused"} | explanation)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "explanation", "reason": "must say why the line is refused"}
    ]
    assert (await at.decide(APPROVED | explanation)).status_code == 202


@pytest.mark.parametrize("body", [{"outcome": "e_consult"}, {"outcome": "review"}, {}])
async def test_a_decision_is_an_approval_or_a_refusal(body: dict[str, Any]) -> None:
    answer = await desk().decide(body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "outcome")


BY_GP = replace(
    LINE, outcome=Outcome.APPROVED, decided_by=GP_1, decided_as=Outcome.APPROVED, decided_at=AT
)


async def test_the_same_decision_again_by_the_same_person_is_a_repeat() -> None:
    at = desk(BY_GP)
    answer = await at.decide(APPROVED)
    assert (answer.status_code, answer.json()["lines"][0]["outcome"]) == (200, "approved")
    assert at.served.sender.sent == []


@pytest.mark.parametrize(
    ("line", "changes", "said"),
    [
        (BY_GP, {}, "A GP approved this line on 29 November 2026 at 10:05."),
        (
            replace(BY_GP, outcome=Outcome.REFUSED, decided_at=None),
            {},
            "A GP approved this line.",
        ),
        (
            replace(
                BY_GP,
                outcome=Outcome.REPEAT_SERVICE,
                decided_as=None,
                decided_by=Actor(role=Role.POLICY, id="x"),
            ),
            {},
            "The practice's policy decided this line on 29 November 2026 at 10:05.",
        ),
        (
            replace(LINE, outcome=Outcome.CANCELLED),
            {
                "cancelled": True,
                "cancelled_at": AT,
                "cancelled_by": Actor(role=Role.PROXY, id="x"),
            },
            "Somebody who acts for the patient cancelled the order on 29 November 2026 at 10:05.",
        ),
        (
            replace(LINE, outcome=Outcome.APPROVED),
            {},
            "This line was decided when the order came on 23 November 2026 at 13:00.",
        ),
        (
            replace(LINE, outcome=Outcome.WAITING),
            {},
            "This line waits for the patient's overview.",
        ),
    ],
    ids=["by a GP", "overruled, of before", "by policy", "cancelled", "at once", "waiting"],
)
async def test_a_line_that_is_not_in_review_says_who_decided_it_and_when(
    line: Line, changes: dict[str, Any], said: str
) -> None:
    answer = await desk(line, **changes).decide(APPROVED, sub="gp-2")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:herhaal:problem:not-in-review")
    assert answer.json()["detail"] == said


async def test_nothing_is_approved_without_an_overview_and_a_refusal_needs_none() -> None:
    at = desk(known=False)
    answer = await at.decide(APPROVED)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:herhaal:problem:no-overview")
    assert at.served.sender.sent == []
    assert (await at.decide(REFUSED)).status_code == 202


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PATH.replace("lines/1", "lines/2"), 404),
        (PATH.replace("lines/1", "lines/0"), 422),
        (PATH.replace("lines/1", "lines/1.5"), 422),
        (PATH.replace("0001", "0002"), 404),
    ],
)
async def test_only_a_line_of_an_order_can_be_decided(path: str, status: int) -> None:
    assert (await desk().decide(REFUSED, path=path)).status_code == status


async def test_without_kafka_nothing_is_taken() -> None:
    at = desk()
    at.served.sender.away = True
    answer = await at.decide(REFUSED)
    assert answer.status_code == 503
    assert orjson.loads(answer.content)["detail"].startswith("The decision could not be taken")
