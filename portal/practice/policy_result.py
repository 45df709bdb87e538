"""What a policy would have changed, in a practice's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import yaml

from portal.practice.words import NO_REASON, REASONS, REVIEWERS
from portal.web import formats
from portal.web.languages import mark
from portal.web.visit import Visit
from schemas.api.policies import PolicyTrialView, TrialAnswer, TrialExample, WhyNotJudged
from schemas.records.directory import Policy
from schemas.records.orders import Outcome

K = TypeVar("K")

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.APPROVED: mark("Approved without a person"),
    Outcome.REVIEW: mark("A person looks first"),
    Outcome.REFUSED: mark("Refused"),
    Outcome.E_CONSULT: mark("To an e-consult"),
    Outcome.REPEAT_SERVICE: mark("Comes through the repeat service"),
    Outcome.WAITING: mark("Waits for the medication list"),
    Outcome.CANCELLED: mark("Cancelled"),
}

_MORE_AND_FEWER: Mapping[Outcome, tuple[str, str]] = {
    Outcome.REVIEW: (mark("%(n)s more to review"), mark("%(n)s fewer to review")),
    Outcome.REFUSED: (mark("%(n)s more refused"), mark("%(n)s fewer refused")),
    Outcome.APPROVED: (
        mark("%(n)s more approved without a person"),
        mark("%(n)s fewer approved without a person"),
    ),
}
SUM = mark("%(changes)s, of %(lines)s lines")
NOTHING = mark("Nothing changes in %(lines)s lines")
OTHERWISE = mark(
    "As many of each, but %(changed)s of %(lines)s lines for other reasons or to somebody else"
)

NOT_JUDGED: Mapping[WhyNotJudged, str] = {
    WhyNotJudged.FACTS_UNKNOWN: mark(
        "Lines that are not counted, as what was known of them is not kept any more: %(lines)s."
    ),
    WhyNotJudged.OTHER_RULES: mark(
        "Lines that are not counted, as other rules decided them: %(lines)s."
    ),
}


@dataclass(frozen=True)
class Row:
    """One row of a table: how many were decided, how many would be, and the difference in words."""

    text: str
    decided: int
    tried: int
    change: str


@dataclass(frozen=True)
class Side:
    """What was decided, or would be; in English."""

    outcome: str
    whys: Sequence[str]
    reviewer: str | None


@dataclass(frozen=True)
class Example:
    """A line that would be decided otherwise."""

    day: date
    medicine: str
    decided: Side
    tried: Side


@dataclass(frozen=True)
class Result:
    """What a trial found, to be shown. `yaml` is what the region enters to switch."""

    headline: str
    found: PolicyTrialView
    left_out: Sequence[str]
    outcomes: Sequence[Row]
    reasons: Sequence[Row]
    reviewers: Sequence[Row]
    examples: Sequence[Example]
    yaml: str


def result_of(visit: Visit, found: PolicyTrialView, policy: Policy) -> Result:
    """Put what a trial found in words."""
    sums = sums_of(found)
    return Result(
        headline(visit, found),
        found,
        [
            visit.translate(NOT_JUDGED[each.why]) % {"lines": _number(visit, each.lines)}
            for each in found.not_judged
            if each.lines
        ],
        [_row(visit, OUTCOMES[each], *sums[each]) for each in OUTCOMES if any(sums[each])],
        [
            _row(visit, REASONS[each.code], each.decided, each.tried)
            for each in found.reasons
            if each.decided != each.tried
        ],
        [
            _row(visit, REVIEWERS[each.reviewer].text, each.decided, each.tried)
            for each in found.reviewers
        ],
        [_example(each) for each in found.examples],
        as_yaml(policy),
    )


def sums_of(found: PolicyTrialView) -> Mapping[Outcome, tuple[int, int]]:
    """How many lines were decided with each outcome, and how many would be."""
    return {
        outcome: (
            sum(each.lines for each in found.outcomes if each.decided is outcome),
            sum(each.lines for each in found.outcomes if each.tried is outcome),
        )
        for outcome in OUTCOMES
    }


def headline(visit: Visit, found: PolicyTrialView) -> str:
    """What changes, in one sentence: 41 fewer to review, 3 more refused, of 812 lines."""
    sums, lines = sums_of(found), _number(visit, found.judged)
    changes = [
        visit.translate(texts[tried < decided]) % {"n": _number(visit, abs(tried - decided))}
        for outcome, texts in _MORE_AND_FEWER.items()
        for decided, tried in [sums[outcome]]
        if tried != decided
    ]
    if changes:
        return visit.translate(SUM) % {"changes": ", ".join(changes), "lines": lines}
    if found.changed:
        changed = _number(visit, found.changed)
        return visit.translate(OTHERWISE) % {"changed": changed, "lines": lines}
    return visit.translate(NOTHING) % {"lines": lines}


def as_yaml(policy: Policy) -> str:
    """The lines of a region's directory file for this policy: what differs from the defaults."""
    differs = policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump({"policy": differs}, sort_keys=False)


def _row(visit: Visit, text: str, decided: int, tried: int) -> Row:
    return Row(text, decided, tried, _change(visit, tried - decided))


def _change(visit: Visit, more: int) -> str:
    if more == 0:
        return "–"
    return f"{'+' if more > 0 else '−'}{_number(visit, abs(more))}"


def _number(visit: Visit, number: int) -> str:
    return formats.number(number, visit.language)


def _example(example: TrialExample) -> Example:
    return Example(example.day, example.medicine, _side(example.decided), _side(example.tried))


def _side(answer: TrialAnswer) -> Side:
    whys: Iterable[str] = [REASONS[code] for code in answer.reasons]
    if answer.outcome is Outcome.REVIEW and not answer.reasons:
        whys = [NO_REASON]
    reviewer = REVIEWERS[answer.reviewer].text if answer.reviewer else None
    return Side(OUTCOMES[answer.outcome], [*whys], reviewer)
