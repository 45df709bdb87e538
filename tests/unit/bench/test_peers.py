"""The Python peers decide as ordering does. The Java peer is compared when the benchmark runs."""

from pathlib import Path

import orjson
import pytest

from bench.data.orders import orders
from bench.data.patients import Population
from bench.data.region import directory, write_for_peers
from bench.expect import Oracle, output_digest
from bench.kafka import Output
from bench.peers import rules
from bench.peers.arguments import region


@pytest.mark.parametrize("review_everything", [True, False])
def test_the_rules_on_dictionaries_decide_as_ordering_does(
    tmp_path: Path, review_everything: bool
) -> None:
    people, whole = Population(2000), directory(review_everything=review_everything)
    known = region(write_for_peers(whole, tmp_path / "region.json"))
    placed = list(orders(people, 2000))
    expected = Oracle(whole, people).expected(placed)
    for given in placed:
        order = orjson.loads(given.value)
        overview = orjson.loads(people.record_of(order["patient"]).value)
        event = rules.decide(order, overview, known, "1970-01-01T00:00:00Z")
        parent = dict(given.headers)["traceparent"].decode()
        headers = dict(rules.headers(order["order_id"], event["decided_at"], parent))
        written = Output("orders.events", 0, given.key, orjson.dumps(event), headers, 0)
        assert output_digest(written) == expected[order["order_id"]]


def test_without_an_overview_an_order_waits(tmp_path: Path) -> None:
    known = region(write_for_peers(directory(review_everything=True), tmp_path / "region.json"))
    order = orjson.loads(next(iter(orders(Population(1), 1))).value)
    event = rules.decide(order, None, known, "1970-01-01T00:00:00Z")
    assert event["state"] == "waiting"
    assert event["overview_version"] is None
