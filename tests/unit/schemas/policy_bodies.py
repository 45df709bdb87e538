"""Examples of the bodies of a practice's policy and of trials."""

from datetime import date, time
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from schemas.api.policies import (
    NotJudged,
    OutcomeChange,
    PolicyLines,
    PolicyTrialRequest,
    PolicyTrialView,
    PolicyView,
    ReasonChange,
    ReviewerChange,
    TrialAnswer,
    TrialExample,
    WhyNotJudged,
)
from schemas.base import Reviewer
from schemas.reasons import ReasonCode
from schemas.records.directory import Approver, OrderHours, Policy
from schemas.records.orders import Outcome
from tests.harness.made import PRACTICE

POLICY = PolicyView(
    approver=Approver.GP,
    most_times_usual=Decimal("1.5"),
    order_hours=OrderHours(days=("Mo", "Tu"), first=time(8), last=time(17)),
)
TRY = PolicyTrialRequest(policy=Policy(approver=Approver.GP), months=12)
TRIAL = PolicyTrialView(
    practice=PRACTICE,
    since=date(2025, 11, 29),
    orders=500,
    lines=822,
    judged=812,
    changed=44,
    not_judged=[NotJudged(why=WhyNotJudged.OTHER_RULES, lines=10)],
    outcomes=[
        OutcomeChange(decided=Outcome.APPROVED, tried=Outcome.APPROVED, lines=768),
        OutcomeChange(decided=Outcome.REVIEW, tried=Outcome.APPROVED, lines=41),
        OutcomeChange(decided=Outcome.APPROVED, tried=Outcome.REFUSED, lines=3),
    ],
    reasons=[ReasonChange(code=ReasonCode.NOT_AUTHORISED, decided=41, tried=0)],
    reviewers=[ReviewerChange(reviewer=Reviewer.GP, decided=41, tried=0)],
    policies=[PolicyLines(version=None, lines=12), PolicyLines(version=3, lines=800)],
    examples=[
        TrialExample(
            order_id=UUID("0192aaaa-0000-7000-8000-000000000001"),
            day=date(2026, 10, 1),
            medicine="Omeprazol 20 mg capsule",
            decided=TrialAnswer(
                outcome=Outcome.REVIEW,
                reasons=[ReasonCode.NOT_AUTHORISED],
                reviewer=Reviewer.GP,
            ),
            tried=TrialAnswer(outcome=Outcome.APPROVED, reasons=[], reviewer=None),
        )
    ],
)

POLICY_BODIES: list[BaseModel] = [POLICY, TRY, TRIAL]
