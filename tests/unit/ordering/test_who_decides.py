"""Who is to decide a line that needs a person, by class of medicine, list and policy."""

from datetime import date, time
from typing import Any

import pytest

from schemas.base import Reviewer, RiskClass
from schemas.reasons import ReasonCode
from schemas.records.directory import Approver, AutoApprove, OrderHours, Policy
from schemas.records.medication import Dispensed
from schemas.records.medicines import MedicineList
from schemas.records.orders import Outcome, Signal
from services.ordering.domain.rules import decide
from services.ordering.handlers import OrderingHandler
from tests.harness.made import METFORMINE, PHARMACY, PRACTICE, an_order, entry
from tests.unit.ordering.line_facts import HOLDS, Changes, facts, together
from tests.unit.ordering.story import ANNA, NOON, Story, given, overview, pharmacy, practice

METHOTREXATE = ("90115", "Methotrexaat tablet 2,5 mg")


def decided(changes: Any) -> Reviewer | None:
    """Who is to decide a line with these changes."""
    return decide(facts(changes)).reviewer


@pytest.mark.parametrize("approver", Approver)
def test_class_a_is_the_gps_whatever_the_policy_says(approver: Approver) -> None:
    policy = {"approver": approver, "approver_class_b": approver}
    changes = {"line": {"risk_class": RiskClass.A}, "policy": policy}
    assert decided(changes) is Reviewer.GP


@pytest.mark.parametrize(
    ("approver", "reviewer"),
    [(Approver.GP, Reviewer.GP), (Approver.ASSISTANT, Reviewer.ASSISTANT), (Approver.POLICY, None)],
)
def test_class_b_is_decided_by_whom_the_practice_says(
    approver: Approver, reviewer: Reviewer | None
) -> None:
    changes = {"line": {"risk_class": RiskClass.B}, "policy": {"approver_class_b": approver}}
    assert decided(changes) is reviewer


@pytest.mark.parametrize("lapsed", ["not_authorised", "authorisation_to_renew"])
def test_the_policy_approves_class_b_only_while_it_is_authorised_and_checked(lapsed: str) -> None:
    by_policy: Changes = {
        "line": {"risk_class": RiskClass.B},
        "policy": {"approver_class_b": Approver.POLICY},
    }
    assert decided(together(by_policy, HOLDS[lapsed])) is Reviewer.GP
    overdue: Changes = {"entry": {"control_due": date(2026, 11, 20)}}
    assert decided(together(by_policy, overdue)) is Reviewer.GP


def test_a_remark_is_read_by_the_assistant_and_by_the_gp_if_the_gp_decides() -> None:
    assert decided(HOLDS["remark_to_read"]) is Reviewer.ASSISTANT
    both = together(HOLDS["remark_to_read"], HOLDS["not_authorised"])
    assert decided(both) is Reviewer.GP


@pytest.mark.parametrize(
    ("until", "reviewer"),
    [(date(2027, 3, 29), Reviewer.ASSISTANT), (date(2027, 3, 30), Reviewer.GP)],
    ids=["31 days more than usual", "32 days more"],
)
def test_a_little_more_than_usual_is_the_assistants_and_more_is_the_gps(
    until: date, reviewer: Reviewer
) -> None:
    """Given 90 days as usual, on 28 November."""
    assert decided({"facts": {"supply_until": until}}) is reviewer


def test_weekly_packing_is_the_pharmacys_also_for_a_larger_supply() -> None:
    packed = HOLDS["packed_by_the_week"]
    assert decided(packed) is Reviewer.PHARMACY
    assert decided(together(packed, {"facts": {"supply_until": date(2027, 5, 30)}})) is (
        Reviewer.PHARMACY
    )


@pytest.mark.parametrize("name", ["from_a_specialist", "restart_after_gap", "weekly_taken_daily"])
def test_what_only_a_prescriber_can_judge_is_the_gps(name: str) -> None:
    assert decided(HOLDS[name]) is Reviewer.GP


def test_what_the_gp_took_over_from_a_specialist_is_like_any_other() -> None:
    assert decided({"entry": {"specialist": True}}) is None


@pytest.mark.parametrize(("due", "reviewer"), [(29, None), (28, Reviewer.GP)])
def test_a_check_that_is_due_is_a_signal_first_and_the_gps_after_sixty_days(
    due: int, reviewer: Reviewer | None
) -> None:
    """Given a check due in September; sixty days before 28 November is the 29th."""
    verdict = decide(facts({"entry": {"control_due": date(2026, 9, due)}}))
    assert verdict.signals == (Signal.CONTROL_DUE,)
    assert verdict.reviewer is reviewer


def medicine_list(*groups: dict[str, Any]) -> MedicineList:
    """A list with these groups."""
    made = {
        "name": {"nl": "groep", "en": "group"},
        "valid_from": "2026-01-01",
        "sources": ["made up"],
        "sure": "L",
    }
    whole = {"name": "nl", "version": 5, "dated": "2026-11-28", "atc_version": "2026"}
    return MedicineList.model_validate(
        whole | {"groups": [made | group for group in groups]}, strict=False
    )


def with_list(*groups: dict[str, Any], policy: Policy | None = None) -> Story:
    """ordering with a list of medicines, which a region has put in the directory."""
    handler = OrderingHandler(
        {PRACTICE: practice(policy)},
        {PHARMACY: pharmacy()},
        lists={"nl": medicine_list(*groups)},
    )
    return Story(handler)


def test_the_list_of_medicines_says_which_class_a_medicine_has() -> None:
    story = with_list({"atc": ["N05BA"], "risk_class": "A"})
    story.when(overview(entry(atc="N05BA01"), entry(METHOTREXATE, atc="L04AX03")))
    story.when(an_order(ANNA, METFORMINE, METHOTREXATE))
    first, second = story.order.lines
    assert [r.code for r in first.reasons] == [ReasonCode.HIGH_RISK_MEDICATION]
    assert second.outcome is Outcome.APPROVED


@pytest.mark.parametrize(
    ("listed", "marked", "counts"),
    [("A", RiskClass.C, "A"), ("C", RiskClass.A, "A"), ("B", None, "B")],
)
def test_of_the_list_and_the_overview_the_more_careful_counts(
    listed: str, marked: RiskClass | None, counts: str
) -> None:
    story = with_list({"atc": ["A10"], "risk_class": listed})
    story.when(overview(entry(atc="A10BA02", risk_class=marked))).when(an_order(ANNA))
    (note,) = story.work.notes[story.order.order_id]
    assert note.known is not None
    assert note.known.lines[0].risk_class == counts
    assert note.known.list_version == 5


@pytest.mark.parametrize(("quantity", "passes"), [(31, True), (32, False)])
def test_a_supply_for_longer_than_the_list_allows_goes_to_a_person(
    quantity: int, passes: bool
) -> None:
    """Given a practice that supplies 90 tablets, one a day, of a group with 31 days at most."""
    story = with_list({"atc": ["A10"], "risk_class": "C", "most_days": 31})
    story.when(overview(entry(atc="A10BA02", quantity=90)))
    story.when(an_order(ANNA, quantity=quantity))
    reasons = [] if passes else [ReasonCode.QUANTITY_ABOVE_LIMIT]
    assert [r.code for r in story.order.lines[0].reasons] == reasons


@pytest.mark.parametrize(
    ("dosage", "alarm"),
    [
        ("1 keer per week 4 tabletten", False),
        ("1D1T", True),
        ("1x daags 1", True),
        ("volgens schema", True),
    ],
)
def test_a_weekly_medicine_whose_dosage_does_not_say_weekly_is_an_alarm_for_the_gp(
    dosage: str, alarm: bool
) -> None:
    story = with_list(
        {"atc": ["L04AX03"], "risk_class": "C", "weekly": True},
        policy=Policy(auto_approve=AutoApprove.ALL_PLAIN),
    )
    story.when(overview(entry(METHOTREXATE, atc="L04AX03", dosage=dosage, days_supply=None)))
    story.when(an_order(ANNA, METHOTREXATE))
    line = story.order.lines[0]
    assert line.outcome is (Outcome.REVIEW if alarm else Outcome.APPROVED)
    assert (ReasonCode.DOSAGE_TO_CHECK in [r.code for r in line.reasons]) == alarm


def test_twelve_tablets_of_four_a_week_last_three_weeks() -> None:
    """Given 12 tablets on 9 November; then they last until the 29th: 21 days, not 3 and not 12."""
    supply = Dispensed(on=date(2026, 11, 9), quantity=12)  # type: ignore[arg-type]
    weekly = entry(
        METHOTREXATE,
        dosage="1 keer per week 4 tabletten",
        quantity=12,
        days_supply=None,
        dispensed=(supply,),
    )
    story = given(overview(weekly)).when(an_order(ANNA, METHOTREXATE, quantity=12))
    assert story.order.lines[0].reasons[0].earliest_date == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("hours", "next_day"),
    [
        (OrderHours(days=("Mo",), first=time(8), last=time(12)), date(2026, 11, 30)),
        (OrderHours(first=time(14), last=time(16)), date(2026, 11, 23)),
        (OrderHours(first=time(8), last=time(12)), date(2026, 11, 24)),
        (OrderHours(days=("Tu", "Th")), date(2026, 11, 24)),
    ],
    ids=["only Mondays, in the morning", "from this afternoon", "until noon", "tomorrow"],
)
def test_outside_the_practices_hours_the_next_day_is_named(
    hours: OrderHours, next_day: date
) -> None:
    """Given Monday 23 November, 13:00 in Amsterdam."""
    story = given(overview(), policy=Policy(order_hours=hours)).when(an_order(ANNA), at=NOON)
    line = story.order.lines[0]
    assert (line.outcome, line.reasons[0].code) == (
        Outcome.REFUSED,
        ReasonCode.OUTSIDE_ORDER_HOURS,
    )
    assert line.reasons[0].earliest_date == next_day
