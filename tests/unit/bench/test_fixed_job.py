"""The benchmark's job is fixed: a rule added later is reported as wrong data, and not as a wrong peer."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from msgspec import structs

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.records import InputRecord
from bench.data.region import directory, write_for_peers
from bench.errors import BenchError
from bench.expect import Oracle
from bench.fixed_job import CHANGED, CODES, LaterRules
from bench.judge import judge_outputs
from bench.peers import rules
from bench.peers.arguments import region
from runtime.messages.message import Outgoing
from schemas.reasons import ReasonCode
from tests.unit.bench.made import FILLED_MS, ORACLE, PEOPLE, REGION, decided, placed

JAVA = Path(rules.__file__).parent / "kafka_streams" / "Rules.java"


def with_reason(value: bytes, code: str = ReasonCode.TOO_EARLY) -> bytes:
    """Return this decision with another reason on its first line, as a later rule adds it."""
    body = orjson.loads(value)
    body["lines"][0]["reasons"].append({"code": code})
    return orjson.dumps(body)


class LaterOracle(Oracle):
    """Ordering with one more rule."""

    def decide(self, order: InputRecord) -> tuple[Outgoing, ...]:
        first, *others = super().decide(order)
        return (structs.replace(first, value=with_reason(first.value or b"")), *others)


def a_decision(*lines: Iterable[ReasonCode]) -> dict[str, object]:
    return {"lines": [{"reasons": [{"code": code} for code in codes]} for codes in lines]}


def test_the_sentence_names_each_later_rule_and_its_lines() -> None:
    later = LaterRules()
    later.check(a_decision([ReasonCode.TOO_EARLY, ReasonCode.NOT_IN_OVERVIEW], []))
    later.check(a_decision([ReasonCode.TOO_EARLY], [ReasonCode.DUPLICATE_ORDER]))
    with pytest.raises(
        BenchError, match="TOO_EARLY on 2 lines, DUPLICATE_ORDER on 1 line, and no peer"
    ):
        later.require_none()


def test_the_job_s_own_rules_are_no_matter() -> None:
    later = LaterRules()
    later.check(a_decision(CODES - CHANGED))
    later.require_none()


def test_a_rule_that_means_something_else_by_now_is_named_as_a_later_one() -> None:
    later = LaterRules()
    later.check(a_decision([ReasonCode.UNKNOWN_PHARMACY]))
    with pytest.raises(BenchError, match="UNKNOWN_PHARMACY on 1 line"):
        later.require_none()


def test_what_is_no_decision_has_no_lines() -> None:
    later = LaterRules()
    later.check({"order_id": "x", "line": 1})
    later.require_none()


def test_data_that_trips_a_later_rule_is_refused_before_any_engine_runs() -> None:
    with pytest.raises(BenchError, match=r"TOO_EARLY on 40 lines.*Change the data"):
        LaterOracle(REGION, PEOPLE).expected(placed(40))


def test_a_later_rule_that_only_the_running_service_trips_is_no_wrong_decision() -> None:
    """Given a rule that the oracle cannot apply, as on the patient's other orders; then the rule is named."""
    given = placed(40)
    outputs = [replace(o, value=with_reason(o.value)) for o in decided(given)]
    with pytest.raises(BenchError, match="TOO_EARLY on 40 lines"):
        judge_outputs(outputs, ORACLE.expected(given), True, FILLED_MS)


def test_a_code_that_ordering_does_not_know_is_a_wrong_decision() -> None:
    given = placed(40)
    outputs = [replace(o, value=with_reason(o.value, code="TOO_LATE")) for o in decided(given)]
    with pytest.raises(BenchError, match="decided otherwise"):
        judge_outputs(outputs, ORACLE.expected(given), True, FILLED_MS)


def test_peers_give_every_code_of_the_job_and_no_other(tmp_path: Path) -> None:
    people = Population(3000)
    whole = region(write_for_peers(directory(review_everything=False), tmp_path / "region.json"))
    codes: set[str] = set()
    for given in orders(people, 3000):
        order = orjson.loads(given.value)
        overview = orjson.loads(people.record_of(order["patient"]).value)
        elsewhere = order | {"pharmacy": "02999999"}
        for asked, found in ((order, overview), (order, None), (elsewhere, overview)):
            event = rules.decide(asked, found, whole, "1970-01-01T00:00:00Z")
            codes |= {reason["code"] for line in event["lines"] for reason in line["reasons"]}
    assert codes == CODES
    java = JAVA.read_text()
    assert {code for code in ReasonCode if f'codes.add("{code}")' in java} == CODES
