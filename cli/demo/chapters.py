"""Chapters after the orders: what the rules say of one patient's orders, why, and a policy that is tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson

from cli.console import UserError
from deploy.local import LocalStack
from samples.people import CHRONIC, Medicine
from schemas.api.explanations import ExplanationView
from schemas.api.ordering import OrderView
from schemas.api.policies import PolicyTrialRequest, PolicyTrialView
from schemas.records.directory import AutoApprove, Policy
from schemas.records.orders import Outcome

PATIENT = "pat_demochapters"
PRACTICE = "01999001"
PHARMACY = "02999001"

METFORMINE, OMEPRAZOL, *_, LEVOTHYROXINE = CHRONIC[:5]
TRIED = Policy(auto_approve=AutoApprove.ALL_PLAIN, too_early_days=7)
"""Approves without a GP's authorisation, and less early."""


@dataclass(frozen=True)
class Chapter:
    """One thing that the demo shows, in words."""

    title: str
    text: str


async def chapters(stack: LocalStack, http: httpx.AsyncClient, today: date) -> Sequence[Chapter]:
    """Order as one patient, and say what became of it; `today` is in Europe/Amsterdam. Raises UserError."""
    client = _Client(http, stack.endpoints["medication"], stack.endpoints["ordering"])
    await client.import_overview(overview(today))
    early = await client.order(METFORMINE)
    first, again = await client.order(OMEPRAZOL), await client.order(OMEPRAZOL)
    ended = await client.order(LEVOTHYROXINE)
    why = await client.explain(early)
    tried = await client.try_policy(TRIED)
    return [
        Chapter("Refused, too early", _too_early(early)),
        Chapter("Ordered twice", _duplicate(first, again)),
        Chapter("An authorisation that ran out", _ended(ended)),
        Chapter("The explanation, in words", _explained(why)),
        Chapter("A policy, tried on these orders", _tried(tried)),
    ]


def overview(today: date) -> Mapping[str, Any]:
    """The patient's overview: metformine supplied three weeks ago, levothyroxine authorised until yesterday."""
    supplied = {"on": f"{today - timedelta(days=21)}", "quantity": METFORMINE.quantity}
    return {
        "practice": PRACTICE,
        "by": {"role": "gp", "id": "demo-gp"},
        "medications": [
            _entry(METFORMINE, today + timedelta(days=300), today) | {"dispensed": [supplied]},
            _entry(OMEPRAZOL, today + timedelta(days=300), today),
            _entry(LEVOTHYROXINE, today - timedelta(days=1), today),
        ],
    }


def _entry(medicine: Medicine, until: date, today: date) -> dict[str, Any]:
    return {
        "prk": medicine.prk,
        "medicine": medicine.name,
        "status": "chronic",
        "dosage": medicine.dosage,
        "quantity": medicine.quantity,
        "unit": medicine.unit,
        "days_supply": medicine.days,
        "authorisation": {"by": "gp", "on": f"{today - timedelta(days=65)}", "until": f"{until}"},
    }


class _Client:
    """Asks the services as a portal and a manager do. Raises UserError for another answer than expected."""

    def __init__(self, http: httpx.AsyncClient, medication: str, ordering: str) -> None:
        self._http = http
        self._medication = medication
        self._ordering = ordering

    async def import_overview(self, body: Mapping[str, Any]) -> None:
        await self._ask("PUT", f"{self._medication}/patients/{PATIENT}/overview", body)

    async def order(self, medicine: Medicine) -> OrderView:
        order = {
            "order_id": f"{uuid4()}",
            "patient": PATIENT,
            "practice": PRACTICE,
            "pharmacy": PHARMACY,
            "channel": "portal",
            "placed_by": {"role": "patient", "id": PATIENT},
            "lines": [{"line": 1, "prk": medicine.prk, "medicine": medicine.name}],
        }
        answer = await self._ask("POST", f"{self._ordering}/orders", order)
        return OrderView.model_validate_json(answer)

    async def explain(self, order: OrderView) -> ExplanationView:
        url = f"{self._ordering}/orders/{order.order_id}/explanation?language=en"
        return ExplanationView.model_validate_json(await self._ask("GET", url))

    async def try_policy(self, policy: Policy) -> PolicyTrialView:
        body = PolicyTrialRequest(policy=policy, months=1).model_dump(mode="json")
        url = f"{self._ordering}/practices/{PRACTICE}/policy-trials"
        return PolicyTrialView.model_validate_json(await self._ask("POST", url, body))

    async def _ask(self, method: str, url: str, body: Any = None) -> bytes:
        headers = {"content-type": "application/json", "prefer": "wait=5"}
        content = None if body is None else orjson.dumps(body)
        answer = await self._http.request(method, url, content=content, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise UserError(f"{url} answered {answer.status_code}.")
        return answer.content


def _too_early(order: OrderView) -> str:
    line = order.lines[0]
    until = ", ".join(f"{reason.earliest_date:%-d %B %Y}" for reason in line.reasons)
    return (
        f"{line.medicine}: {line.outcome}, {_codes(order)}. It can be ordered again from {until}."
    )


def _duplicate(first: OrderView, again: OrderView) -> str:
    others = [reason.other_order for reason in again.lines[0].reasons if reason.other_order]
    same = "the first order" if others == [first.order_id] else "another order"
    return (
        f"{first.lines[0].medicine}: the first order is {first.lines[0].outcome}, the second"
        f" {again.lines[0].outcome}, {_codes(again)}; the reason names {same}."
    )


def _ended(order: OrderView) -> str:
    line = order.lines[0]
    return f"{line.medicine}: {line.outcome} by the {line.reviewer}, {_codes(order)}."


def _codes(order: OrderView) -> str:
    return ", ".join(reason.code for reason in order.lines[0].reasons)


def _explained(why: ExplanationView) -> str:
    return "\n".join(_held(why))


def _held(why: ExplanationView) -> Iterator[str]:
    for decision in why.decisions:
        for line in decision.lines:
            yield line.text
            for rule in line.rules:
                if rule.held:
                    facts = "; ".join(f"{fact.label}: {fact.value}" for fact in rule.facts)
                    yield f"- {rule.answer} ({facts})"


def _tried(trial: PolicyTrialView) -> str:
    before = sum(each.lines for each in trial.outcomes if each.decided is Outcome.REVIEW)
    after = sum(each.lines for each in trial.outcomes if each.tried is Outcome.REVIEW)
    return (
        f"{trial.judged} lines of practice {PRACTICE} decided again without a GP's authorisation and with a"
        f" margin of 7 days: {trial.changed} would be decided otherwise; {after} in review instead of"
        f" {before}. Nothing is published."
    )
