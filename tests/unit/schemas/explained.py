"""What ordering tells of the past of an order of one medicine, which a GP approved."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.api.explanations import (
    DecisionView,
    ExplainedLine,
    ExplanationView,
    FactView,
    NamedLine,
    RuleView,
    TimelineEntry,
    TimelineView,
    VersionsView,
)
from schemas.base import Reviewer, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.orders import Outcome, Signal

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
METFORMINE = NamedLine(line=1, medicine="Metformine")
_WORDS = "Graag op tijd."


def a_timeline(order_id: UUID) -> TimelineView:
    """Placed by the patient, and approved by a GP."""
    return TimelineView(
        order_id=order_id,
        language="en",
        complete=True,
        entries=[
            TimelineEntry(
                at=NOW,
                event="order.placed",
                by=Role.PATIENT,
                by_id=None,
                through=None,
                text="The patient placed the order.",
                lines=[],
                details=[],
                words=None,
            ),
            TimelineEntry(
                at=LATER,
                event="order.line-decided",
                by=Role.GP,
                by_id="usr-gijs",
                through=None,
                text="A GP approved this.",
                lines=[METFORMINE],
                details=["The check that belongs to this medicine is due."],
                words=_WORDS,
            ),
        ],
    )


def a_rule(name: str, answer: str, *, held: bool) -> RuleView:
    """A rule that looked at the class of the medicine."""
    facts = [FactView(name="risk_class", label="Class of the medicine", value="B: care")]
    return RuleView(
        rule=name, version=2, question="Is it so?", held=held, answer=answer, facts=facts
    )


def an_explanation(order_id: UUID) -> ExplanationView:
    """The rules passed it on to a GP, who approved it."""
    rules = [
        a_rule("stopped", "The medicine had not been stopped.", held=False),
        a_rule("high_risk", "The medicine needs extra care.", held=True),
    ]
    by_rules = ExplainedLine(
        line=1,
        medicine="Metformine",
        outcome=Outcome.REVIEW,
        text="Passed on to a GP.",
        reviewer=Reviewer.GP,
        reasons=(Reason(code=ReasonCode.HIGH_RISK_MEDICATION),),
        signals=(Signal.CONTROL_DUE,),
        rules=rules,
    )
    by_gp = by_rules.model_copy(
        update={"outcome": Outcome.APPROVED, "text": "A GP approved this.", "rules": []}
    )
    versions = VersionsView(rules=2, overview=7, policy=3, medicines=1)
    unknown = VersionsView(rules=None, overview=7, policy=3, medicines=1)
    return ExplanationView(
        order_id=order_id,
        language="en",
        complete=True,
        decisions=[
            DecisionView(
                at=NOW,
                by=Role.POLICY,
                versions=versions,
                lines=[by_rules],
                words=None,
                not_kept=["The practice's choices of then are not kept any more."],
            ),
            DecisionView(
                at=LATER, by=Role.GP, versions=unknown, lines=[by_gp], words=_WORDS, not_kept=[]
            ),
        ],
    )
