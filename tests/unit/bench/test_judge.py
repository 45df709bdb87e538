"""The judge: which outputs spoil a run, and how a rate is measured."""

from dataclasses import replace

import pytest

from bench.errors import BenchError
from bench.judge import Verdict, judge_outputs, rate
from bench.kafka import Output
from tests.unit.bench.made import FILLED_MS, ORACLE, decided, placed

ORDERS = placed(40)
EXPECTED = ORACLE.expected(ORDERS)


def judge(outputs: list[Output], *, decides: bool = True) -> Verdict:
    return judge_outputs(outputs, EXPECTED, decides, FILLED_MS)


def test_right_and_complete_outputs_have_a_rate() -> None:
    verdict = judge(decided(ORDERS))
    assert (verdict.orders, verdict.duplicates) == (40, 0)
    assert verdict.per_s == pytest.approx(1000)
    assert (verdict.first_ms, verdict.last_ms) == (1000, 1039)


def test_an_order_without_an_output_spoils_the_run() -> None:
    with pytest.raises(BenchError, match="1 of 40 orders have no output"):
        judge(decided(ORDERS)[1:])


def test_a_decision_that_differs_in_one_reason_spoils_the_run() -> None:
    outputs = decided(ORDERS)
    number = next(n for n, o in enumerate(outputs) if b'"reasons":[{' in o.value)
    changed = outputs[number].value.replace(b'"code":"', b'"code":"NOT_', 1)
    outputs[number] = replace(outputs[number], value=changed)
    with pytest.raises(BenchError, match="decided otherwise"):
        judge(outputs)


@pytest.mark.parametrize("header", ["ce_id", "traceparent", "ce_subject", "ce_type"])
def test_another_envelope_spoils_the_run(header: str) -> None:
    first, *others = decided(ORDERS)
    changed = replace(first, headers={**first.headers, header: b"other"})
    with pytest.raises(BenchError, match="decided otherwise"):
        judge([changed, *others])


def test_another_key_spoils_the_run() -> None:
    first, *others = decided(ORDERS)
    with pytest.raises(BenchError, match="decided otherwise"):
        judge([replace(first, key=b"pat_other"), *others])


def test_outputs_of_an_earlier_run_spoil_it() -> None:
    """Given orders placed at another time than this run; then they are refused."""
    with pytest.raises(BenchError, match="another time"):
        judge_outputs(decided(ORDERS), EXPECTED, True, (5000, 6000))


def test_an_order_that_nobody_placed_spoils_the_run() -> None:
    with pytest.raises(BenchError, match="was never placed"):
        judge([*decided(ORDERS), *decided(placed(41)[40:])])


def test_repeats_are_counted_and_make_nothing_faster() -> None:
    once = judge(decided(ORDERS))
    outputs = decided(ORDERS)
    twice = judge([*outputs, *(replace(o, at_ms=o.at_ms + 5000) for o in outputs)])
    assert twice.duplicates == 40
    assert twice.per_s == once.per_s


def test_who_only_passes_on_is_counted_but_not_compared() -> None:
    outputs = [replace(o, value=o.value.replace(b"in_review", b"x")) for o in decided(ORDERS)]
    assert judge(outputs, decides=False).orders == 40
    with pytest.raises(BenchError, match="no output"):
        judge(outputs[1:], decides=False)


def test_what_came_together_with_the_start_does_not_count() -> None:
    """Given a burst of 100, then 10 in a second; then the rate is 10 per second, not 110."""
    assert rate([0] * 100 + [100 * step for step in range(1, 11)]) == pytest.approx(10)


def test_the_warm_up_does_not_count() -> None:
    slow = [1000 * step for step in range(10)]
    fast = [9000 + step for step in range(1, 91)]
    assert rate(slow + fast, 0.1) == pytest.approx(1000, rel=0.05)


def test_one_burst_has_no_rate() -> None:
    with pytest.raises(BenchError, match="too few batches"):
        rate([7] * 1000)
