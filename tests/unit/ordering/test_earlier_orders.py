"""What a patient got and ordered before: too early, under way, authorised for so many orders."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from schemas.base import Channel, Role
from schemas.reasons import Reason, ReasonCode
from schemas.records.directory import ExpiredAuthorisation, Policy
from schemas.records.medication import Authorisation, Dispensed, Medication, Status
from schemas.records.orders import OrderReview, Outcome
from services.ordering.domain.history import MOST_OF_A_MEDICINE
from tests.harness.made import (
    AUTHORISED,
    FREELY,
    GP,
    METFORMINE,
    OMEPRAZOL,
    a_cancellation,
    an_order,
    entry,
)
from tests.unit.ordering.story import (
    ANNA,
    NOON,
    Story,
    approved,
    given,
    overview,
    refused,
    review,
)

EARLY = ReasonCode.TOO_EARLY
DUPLICATE = ReasonCode.DUPLICATE_ORDER
EXPIRED = ReasonCode.AUTHORISATION_EXPIRED


def metformine(*dispensed: Dispensed, **changes: Any) -> Medication:
    """Metformine, two a day, of which these supplies are known."""
    return entry(dosage="2x daags 1", dispensed=dispensed, **changes)


def supply(on: date, quantity: int = 180) -> Dispensed:
    """What the pharmacy supplied on a day."""
    return Dispensed(on=on, quantity=Decimal(quantity))


def amsterdam(day: int, hour: int, minute: int, month: int = 11) -> datetime:
    """A moment in November 2026, when Amsterdam is an hour ahead of UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


def reasons(story: Story) -> tuple[Reason, ...]:
    """The reasons of the newest order's first line."""
    return [*story.work.orders.current.values()][-1].lines[0].reasons


def outcome(story: Story) -> Outcome:
    """The outcome of the newest order's first line."""
    return [*story.work.orders.current.values()][-1].lines[0].outcome


# Too early


@pytest.mark.parametrize(
    ("days", "last_refused", "first_allowed"),
    [(90, 14, 15), (30, 21, 22), (15, 25, 26)],
    ids=["90 days: 14 before", "30 days: 7 before", "15 days: 3 before"],
)
def test_the_earliest_date_is_right_to_the_day(
    days: int, last_refused: int, first_allowed: int
) -> None:
    """Given a supply that lasts until Sunday 29 November 2026; then its margin depends on how long it lasts."""
    first_day = date(2026, 11, 29) - timedelta(days=days - 1)
    known = overview(metformine(supply(first_day, days * 2), days_supply=None))
    early = given(known).when(an_order(ANNA), at=amsterdam(last_refused, 23, 59))
    early.then(refused(EARLY))
    assert reasons(early)[0].earliest_date == date(2026, 11, first_allowed)
    given(known).when(an_order(ANNA), at=amsterdam(first_allowed, 0, 1)).then(approved())


def test_what_is_left_of_an_earlier_supply_counts() -> None:
    """Given 90 days on 1 June and again on 17 August; then 12 days are left: until 27 November, not 14."""
    supplies = (supply(date(2026, 6, 1)), supply(date(2026, 8, 17)))
    others = [entry((f"{n}", f"Middel {n}")) for n in range(101, 161)]
    known = overview(metformine(*supplies), *others)
    story = given(known).when(an_order(ANNA), at=amsterdam(2, 12, 0))
    story.then(refused(EARLY))
    assert reasons(story)[0].earliest_date == date(2026, 11, 13)


def test_a_supply_that_was_approved_here_counts_until_it_is_dispensed() -> None:
    story = given(overview(entry())).when(an_order(ANNA, quantity=180))
    story.when(an_order(ANNA, quantity=180), at=NOON + timedelta(days=10))
    assert [r.code for r in reasons(story)] == [EARLY]
    # Approved on 23 November for 90 days: until 20 February, less 14.
    assert reasons(story)[0].earliest_date == date(2027, 2, 6)


def test_what_was_dispensed_since_counts_instead_of_what_was_approved() -> None:
    story = given(overview(entry())).when(an_order(ANNA, quantity=180))
    dispensed = entry(dispensed=(supply(date(2026, 11, 25), 30),))
    story.when(overview(dispensed, version=2), at=NOON + timedelta(days=3))
    story.when(an_order(ANNA), at=NOON + timedelta(days=4))
    # 15 days from 25 November: until 9 December, less 3.
    assert [(r.code, r.earliest_date) for r in reasons(story)] == [(EARLY, date(2026, 12, 6))]


def test_without_any_supply_that_is_known_here_the_practices_last_order_counts() -> None:
    story = given(overview(entry(last_ordered_on="2026-11-01"))).when(an_order(ANNA))
    story.then(refused(EARLY))
    assert reasons(story)[0].earliest_date == date(2027, 1, 15)


@pytest.mark.parametrize("written", ["2026-11", "2026"])
def test_a_last_order_whose_day_is_not_known_says_nothing(written: str) -> None:
    given(overview(entry(last_ordered_on=written))).when(an_order(ANNA)).then(approved())


@pytest.mark.parametrize("dosage", ["1-2 tabletten zo nodig", "volgens schema trombosedienst"])
def test_where_no_days_can_be_computed_nothing_is_too_early(dosage: str) -> None:
    known = entry(dosage=dosage, dispensed=(supply(date(2026, 11, 22)),))
    given(overview(known)).when(an_order(ANNA)).then(approved())


def test_a_dosage_that_is_not_understood_says_nothing_unless_the_practice_says_the_days() -> None:
    unclear: dict[str, Any] = {
        "dosage": "3 dagen 1, dan 2",
        "dispensed": (supply(date(2026, 11, 22)),),
    }
    given(overview(entry(**unclear, days_supply=None))).when(an_order(ANNA)).then(approved())
    given(overview(entry(**unclear))).when(an_order(ANNA)).then(refused(EARLY))


@pytest.mark.parametrize("why", [{"remark": "op reis"}, {"supply_until": date(2027, 2, 1)}])
def test_an_early_order_that_says_why_goes_to_a_person(why: dict[str, Any]) -> None:
    story = given(overview(entry(last_ordered_on="2026-11-20"))).when(an_order(ANNA, **why))
    assert outcome(story) is Outcome.REVIEW
    assert reasons(story)[0].code is EARLY


@for_all(st.integers(1, 400), st.integers(0, 60), st.integers(0, 100), st.integers(0, 500))
@settings(deadline=None)
def test_the_earliest_date_is_never_wrong_by_a_day(
    days: int, margin: int, share: int, later: int
) -> None:
    """Given any supply and margin; then it is refused on each day before that date, and from it on not."""
    policy = Policy(too_early_days=margin, too_early_share=share, restart_gap_days=3650)
    known = overview(
        metformine(supply(date(2026, 11, 23), days * 2), days_supply=None, quantity=10_000)
    )
    at = NOON + timedelta(days=later)
    story = given(known, policy=policy).when(an_order(ANNA), at=at)
    if outcome(story) is Outcome.APPROVED:
        return
    earliest = reasons(story)[0].earliest_date
    assert earliest is not None
    assert earliest > at.date()
    on_the_day = NOON + (earliest - NOON.date())
    given(known, policy=policy).when(an_order(ANNA), at=on_the_day).then(approved())
    the_day_before = on_the_day - timedelta(days=1)
    given(known, policy=policy).when(an_order(ANNA), at=the_day_before).then(refused(EARLY))


# Under way


@pytest.mark.parametrize("channel", Channel)
def test_the_same_medicine_by_another_door_names_the_order_that_is_under_way(
    channel: Channel,
) -> None:
    """Given an order in review; then another is a duplicate, whichever way it comes."""
    first = an_order(ANNA, remark="graag bezorgen")
    story = given(overview()).when(first).when(an_order(ANNA, channel=channel))
    assert outcome(story) is Outcome.REFUSED
    assert reasons(story) == (Reason(code=DUPLICATE, other_order=first.order_id),)


def test_an_order_that_waits_for_its_overview_is_under_way() -> None:
    story = given().when(an_order(ANNA), an_order(ANNA))
    assert [r.code for r in reasons(story)] == [ReasonCode.STATUS_NOT_KNOWN_YET, DUPLICATE]
    assert outcome(story) is Outcome.REFUSED


def test_the_first_of_two_orders_is_decided_as_if_the_second_had_not_come() -> None:
    """Given the same millisecond, and any ids."""
    first, second = an_order(ANNA), an_order(ANNA)
    story = given().when(first, second).when(overview())
    orders = story.work.orders.current
    assert orders[first.order_id].lines[0].outcome is Outcome.APPROVED
    assert orders[second.order_id].lines[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize(("days", "under_way"), [(0, True), (6, True), (7, False)])
def test_an_approved_medicine_is_under_way_for_the_days_of_the_policy(
    days: int, under_way: bool
) -> None:
    story = given(overview(entry(dosage="zo nodig 1"))).when(an_order(ANNA))
    story.when(an_order(ANNA), at=NOON + timedelta(days=days))
    assert outcome(story) is (Outcome.REFUSED if under_way else Outcome.APPROVED)


def test_a_medicine_that_was_dispensed_is_not_under_way_any_more() -> None:
    story = given(overview(entry(dosage="zo nodig 1"))).when(an_order(ANNA))
    dispensed = entry(dosage="zo nodig 1", dispensed=(supply(date(2026, 11, 24)),))
    story.when(overview(dispensed, version=2), at=NOON + timedelta(days=1))
    story.when(an_order(ANNA), at=NOON + timedelta(days=2))
    assert outcome(story) is Outcome.APPROVED


@pytest.mark.parametrize("counts", [True, False])
def test_another_strength_is_a_duplicate_where_the_practice_says_so(counts: bool) -> None:
    strong = ("5495", "Metformine 850 mg tablet")
    known = overview(entry(atc="A10BA02"), entry(strong, atc="A10BA02"))
    story = given(known, policy=Policy(duplicate_other_strength=counts))
    story.when(an_order(ANNA), an_order(ANNA, strong))
    assert outcome(story) is (Outcome.REFUSED if counts else Outcome.APPROVED)


def test_what_was_cancelled_or_refused_is_not_under_way() -> None:
    first = an_order(ANNA)
    story = given(overview(entry(dosage="zo nodig 1"))).when(first, a_cancellation(first))
    story.when(an_order(ANNA))
    assert outcome(story) is Outcome.APPROVED


# Authorised


def authorised(**changes: Any) -> Medication:
    """Metformine as needed, authorised in this way."""
    given_by = AUTHORISED.model_copy(update={"until": date(2026, 11, 30)} | changes)
    return entry(dosage="zo nodig 1", authorisation=given_by)


def test_the_day_until_which_it_is_authorised_counts_in_amsterdam() -> None:
    known = overview(authorised())
    given(known).when(an_order(ANNA), at=amsterdam(30, 23, 59)).then(approved())
    given(known).when(an_order(ANNA), at=amsterdam(1, 0, 30, month=12)).then(review(EXPIRED))


def test_a_practice_may_refuse_what_is_not_authorised_any_more() -> None:
    policy = Policy(expired_authorisation=ExpiredAuthorisation.REFUSE)
    story = given(overview(authorised()), policy=policy)
    story.when(an_order(ANNA), at=amsterdam(1, 0, 30, month=12)).then(refused(EXPIRED))


@pytest.mark.parametrize("expired", ExpiredAuthorisation)
def test_an_order_placed_in_time_and_decided_later_is_reviewed_and_never_refused(
    expired: ExpiredAuthorisation,
) -> None:
    story = given(policy=Policy(expired_authorisation=expired))
    story.when(an_order(ANNA), at=amsterdam(30, 23, 59))
    story.when(overview(authorised()), at=amsterdam(1, 0, 30, month=12)).then(review(EXPIRED))


def test_of_two_orders_with_one_repeat_left_one_uses_it() -> None:
    known = overview(authorised(repeats=1))
    story = given(known, policy=Policy(under_way_days=0))
    story.when(an_order(ANNA)).then(approved())
    story.when(an_order(ANNA, channel=Channel.RECEPTENLIJN))
    assert (outcome(story), reasons(story)[0].code) == (Outcome.REVIEW, EXPIRED)


def test_a_cancelled_order_gives_its_repeat_back_once() -> None:
    """Given two repeats, one used; when its cancellation comes twice; then two are left, not three."""
    known = overview(authorised(repeats=2))
    first = an_order(ANNA)
    story = given(known, policy=Policy(under_way_days=0)).when(first)
    story.when(a_cancellation(first), a_cancellation(first))
    for expected in (Outcome.APPROVED, Outcome.APPROVED, Outcome.REVIEW):
        story = story.next_batch().when(an_order(ANNA))
        assert outcome(story) is expected


def test_a_line_that_a_person_refuses_gives_its_repeat_back() -> None:
    known = overview(authorised(repeats=1))
    first = an_order(ANNA, remark="liever morgen")
    story = given(known, policy=Policy(under_way_days=0)).when(first)
    assert [r.code for r in reasons(story)] == [ReasonCode.REMARK_NEEDS_READING]
    story.when(
        OrderReview(
            order_id=first.order_id,
            patient=ANNA,
            line=1,
            outcome=Outcome.REFUSED,
            decided_by=GP,
        )
    )
    story.when(an_order(ANNA))
    assert outcome(story) is Outcome.APPROVED


def test_what_was_ordered_before_it_was_authorised_uses_no_repeat() -> None:
    story = given(overview(authorised(repeats=1)), policy=Policy(under_way_days=0))
    story.when(an_order(ANNA), at=NOON - timedelta(days=1))
    renewed = Authorisation(by=Role.GP, on=date(2026, 11, 23), until=date(2027, 5, 1), repeats=1)
    story.when(overview(authorised(**renewed.model_dump()), version=2)).when(an_order(ANNA))
    assert outcome(story) is Outcome.APPROVED


def test_a_new_start_after_a_year_is_for_the_gp() -> None:
    known = overview(entry(dispensed=(supply(date(2025, 11, 23)),)))
    given(known).when(an_order(ANNA)).then(review(ReasonCode.RESTART_AFTER_GAP))
    a_day_later = overview(entry(dispensed=(supply(date(2025, 11, 24)),)))
    given(a_day_later).when(an_order(ANNA)).then(approved())


def test_without_a_quantity_it_is_the_usual_one() -> None:
    order = an_order(ANNA, METFORMINE, OMEPRAZOL)
    lines = [line.model_copy(update={"quantity": None}) for line in order.lines]
    story = given(overview(entry(quantity=60)))
    story.when(order.model_copy(update={"lines": tuple(lines)}))
    first, missing = story.order.lines
    assert (first.outcome, first.quantity) == (Outcome.APPROVED, Decimal(60))
    assert (missing.outcome, missing.quantity) == (Outcome.E_CONSULT, None)


@pytest.mark.parametrize("status", [Status.TEMPORARY, Status.STOPPED])
def test_a_medicine_that_may_not_be_repeated_and_is_too_early_has_both_reasons(
    status: Status,
) -> None:
    known = overview(entry(status=status, last_ordered_on="2026-11-20"))
    own = ReasonCode.TEMPORARY_MEDICATION if status is Status.TEMPORARY else None
    given(known).when(an_order(ANNA)).then(refused(own or ReasonCode.STOPPED_MEDICATION, EARLY))


def test_a_medicine_that_is_ordered_all_the_time_keeps_its_newest_lines() -> None:
    """Given a hundred and one orders, each dispensed at once; then the first is forgotten, so the row stays
    small."""
    story = given(overview(entry(**FREELY)))
    orders = [an_order(ANNA) for _ in range(MOST_OF_A_MEDICINE + 1)]
    story.when(*orders)
    assert [each.order_id for each in story.work.histories[ANNA]] == [
        order.order_id for order in orders[1:]
    ]
