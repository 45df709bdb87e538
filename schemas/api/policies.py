"""Bodies of a practice's policy, and of another policy tried on its past orders."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from schemas.base import Model, Name, OrderId, PracticeAgb, Reviewer
from schemas.numbers import WHOLE
from schemas.reasons import ReasonCode
from schemas.records.directory import Policy
from schemas.records.orders import Outcome

MOST_MONTHS = 24


class PolicyView(Policy):
    """The policy by which a practice's orders are decided now."""


class PolicyTrialRequest(Model):
    """A policy to try on the orders of the last so many months."""

    policy: Policy
    months: Annotated[int, Field(ge=1, le=MOST_MONTHS), WHOLE] = 12


class WhyNotJudged(StrEnum):
    """Why a line is not decided again."""

    FACTS_UNKNOWN = "facts_unknown"
    """What the rules read is not known any more."""
    OTHER_RULES = "other_rules"
    """Other rules than today's decided."""


class NotJudged(BaseModel):
    """How many lines are not decided again for this reason."""

    why: WhyNotJudged
    lines: int


class OutcomeChange(BaseModel):
    """How many lines had one outcome, and would have this one; the same one where nothing changes."""

    decided: Outcome
    tried: Outcome
    lines: int


class ReasonChange(BaseModel):
    """How many lines have a reason as decided, and as tried."""

    code: ReasonCode
    decided: int
    tried: int


class ReviewerChange(BaseModel):
    """How many lines somebody is to decide, as decided and as tried."""

    reviewer: Reviewer
    decided: int
    tried: int


class PolicyLines(BaseModel):
    """How many lines this version of the practice's policy decided; None: the default policy."""

    version: int | None
    lines: int


class TrialAnswer(BaseModel):
    """An outcome with its reasons, and who is to decide it if it is in review."""

    outcome: Outcome
    reasons: list[ReasonCode]
    reviewer: Reviewer | None


class TrialExample(BaseModel):
    """A line that the policy would decide otherwise; `order_id` only for who may see orders."""

    order_id: OrderId | None
    day: date
    medicine: Name
    decided: TrialAnswer
    tried: TrialAnswer


class PolicyTrialView(BaseModel):
    """What a policy would have changed in the lines of orders placed from `since` on (Europe/Amsterdam).

    Each order is judged as it stood when it was decided; what would have followed is not simulated. `judged`
    lines are decided again, `changed` of them with another outcome, other reasons or somebody else to decide.
    """

    practice: PracticeAgb
    since: date
    orders: int
    lines: int
    judged: int
    changed: int
    not_judged: list[NotJudged]
    outcomes: list[OutcomeChange]
    reasons: list[ReasonChange]
    reviewers: list[ReviewerChange]
    policies: list[PolicyLines]
    examples: list[TrialExample]
