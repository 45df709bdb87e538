"""What a trial found, as a body."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar

from schemas.api.policies import (
    NotJudged,
    OutcomeChange,
    PolicyLines,
    PolicyTrialView,
    ReasonChange,
    ReviewerChange,
    TrialAnswer,
    TrialExample,
    WhyNotJudged,
)
from schemas.base import Reviewer
from schemas.reasons import ReasonCode
from schemas.times import local_date
from services.ordering.domain.trial import Answer, Judged, Trial

K = TypeVar("K")


def trial_view(trial: Trial, practice: str, since: date, *, with_orders: bool) -> PolicyTrialView:
    """The response body for a trial; `with_orders` if its examples say which orders they are of."""
    return PolicyTrialView(
        practice=practice,
        since=since,
        orders=trial.orders,
        lines=trial.lines,
        judged=trial.judged,
        changed=trial.changed,
        not_judged=[NotJudged(why=why, lines=trial.not_judged[why]) for why in WhyNotJudged],
        outcomes=[
            OutcomeChange(decided=decided, tried=tried, lines=lines)
            for (decided, tried), lines in sorted(trial.outcomes.items())
        ],
        reasons=[
            ReasonChange(code=code, decided=decided, tried=tried)
            for code, decided, tried in _both(
                ReasonCode, trial.reasons_decided, trial.reasons_tried
            )
        ],
        reviewers=[
            ReviewerChange(reviewer=reviewer, decided=decided, tried=tried)
            for reviewer, decided, tried in _both(
                Reviewer, trial.reviewers_decided, trial.reviewers_tried
            )
        ],
        policies=[
            PolicyLines(version=version, lines=lines)
            for version, lines in sorted(trial.policies.items(), key=lambda each: each[0] or 0)
        ],
        examples=[_example(each, with_orders=with_orders) for each in trial.examples],
    )


def _both(
    all_of: Iterable[K], decided: Counter[K], tried: Counter[K]
) -> Sequence[tuple[K, int, int]]:
    """Everything that was counted on either side, in this order."""
    return [(each, decided[each], tried[each]) for each in all_of if decided[each] or tried[each]]


def _example(line: Judged, *, with_orders: bool) -> TrialExample:
    return TrialExample(
        order_id=line.order.order_id if with_orders else None,
        day=local_date(line.order.placed_at),
        medicine=line.line.medicine,
        decided=_answer_view(line.decided),
        tried=_answer_view(line.tried),
    )


def _answer_view(answer: Answer) -> TrialAnswer:
    return TrialAnswer(outcome=answer.outcome, reasons=[*answer.reasons], reviewer=answer.reviewer)
