"""The benchmark's data, which every engine gets."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from bench.data.orders import orders
from bench.data.patients import Population, patient_id
from bench.data.region import directory, practice_agb
from bench.expect import Oracle, comparable
from runtime.messages.encoding import encode
from schemas.records.directory import Approver
from schemas.records.medication import MedicationOverview
from schemas.records.orders import OrderPlace


def test_overviews_are_written_as_medication_writes_them() -> None:
    for given in Population(300).records():
        overview = MedicationOverview.model_validate_json(given.value)
        assert encode(overview) == given.value
        assert given.key.decode() == overview.patient
        assert 3 <= len(overview.medications) <= 10


def test_orders_are_written_as_the_api_writes_them() -> None:
    for given in orders(Population(500), 500):
        order = OrderPlace.model_validate_json(given.value)
        assert encode(order) == given.value
        assert given.key.decode() == order.patient
        assert 1 <= len(order.lines) <= 3


def test_the_same_orders_come_every_time_and_others_under_another_seed() -> None:
    people = Population(50)
    assert list(orders(people, 40)) == list(orders(people, 40))
    ids = {OrderPlace.model_validate_json(o.value).order_id for o in orders(people, 40)}
    others = {OrderPlace.model_validate_json(o.value).order_id for o in orders(people, 40, seed=2)}
    assert len(ids | others) == 80


def test_no_patient_orders_twice() -> None:
    """Given an order for each patient; then nobody is left out, and nobody can order more."""
    people = Population(200)
    assert {order.key for order in orders(people, 200)} == {p.key for p in people.records()}
    assert list(orders(people, 200))[:50] == list(orders(people, 50))
    with pytest.raises(ValueError, match="201 orders need as many patients"):
        orders(people, 201)


def test_a_patient_is_the_same_in_a_larger_population() -> None:
    assert list(Population(20).records()) == list(Population(5000).records())[:20]


def test_nobody_outside_the_population_has_an_overview() -> None:
    assert Population(3).record_of(patient_id(2)).key == patient_id(2).encode()
    with pytest.raises(ValueError, match="not one of 3"):
        Population(3).record_of(patient_id(3))


def test_most_lines_can_be_repeated_and_every_rule_has_some() -> None:
    people = Population(3000)
    oracle = Oracle(directory(review_everything=False), people)
    found: Counter[str] = Counter()
    lines = 0
    for order in orders(people, 3000):
        for line in comparable(oracle.decide(order)[0].value or b"")["lines"]:
            lines += 1
            found[line["outcome"]] += 1
            found.update(reason["code"] for reason in line["reasons"])
    assert 0.55 < found["approved"] / lines < 0.75
    assert 0.75 < (found["approved"] + found["review"]) / lines < 0.9
    for code in (
        *("OTHER_PRACTICE", "NOT_IN_OVERVIEW", "TEMPORARY_MEDICATION", "STOPPED_MEDICATION"),
        *("COVERED_BY_REPEAT_SERVICE", "HIGH_RISK_MEDICATION"),
        *("REMARK_NEEDS_READING", "LARGER_SUPPLY", "QUANTITY_ABOVE_LIMIT"),
    ):
        assert found[code] > 0, code


@pytest.mark.parametrize("review_everything", [True, False])
def test_the_data_does_not_age(review_everything: bool) -> None:
    """Given orders that come years later, as a run's do; then they are decided alike."""
    people, region = Population(500), directory(review_everything=review_everything)
    placed = [*orders(people, 500)]
    later_ms = int(datetime(2035, 6, 1, tzinfo=UTC).timestamp() * 1000)
    later = Oracle(region, people, later_ms).expected(placed)
    assert later == Oracle(region, people).expected(placed)


def test_when_practices_review_everything_each_order_leads_to_one_record() -> None:
    people = Population(500)
    oracle = Oracle(directory(review_everything=True), people)
    assert {len(oracle.decide(order)) for order in orders(people, 500)} == {1}


def test_practices_have_codes_of_practices() -> None:
    region = directory(review_everything=True)
    assert region.practices[0].agb == practice_agb(0)
    assert {practice.policy.approver for practice in region.practices} == {Approver.ASSISTANT}
