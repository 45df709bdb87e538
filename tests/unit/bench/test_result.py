"""The benchmark's rows, goals, tables and pictures."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.report.markdown import met_text, ratio_text
from bench.report.svg import Bar, bars, svg
from bench.result import Goal, alone, compare, missing
from bench.run import Result

FASTER = compare("speed", "orders/s", [30.0, 20.0, 40.0], [10.0, 20.0, 20.0], Goal(1.5))


def test_a_ratio_is_of_the_same_round() -> None:
    assert FASTER.ratio == 2.0
    assert FASTER.spread == (1.0, 3.0)
    assert (FASTER.ours, FASTER.peer) == (30.0, 20.0)
    assert FASTER.met is True
    assert ratio_text(FASTER) == "2.00 × (1.00–3.00)"


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(2.0), True),
        (Goal(2.1), False),
        (Goal(2.0, at="most"), True),
        (Goal(1.9, at="most"), False),
        (Goal(31, of="ours"), False),
        (Goal(30, at="most", of="ours"), True),
        (None, None),
    ],
)
def test_a_goal_is_met_at_its_bound(goal: Goal | None, met: bool | None) -> None:
    row = compare("x", "", [30.0, 20.0, 40.0], [10.0, 20.0, 20.0], goal)
    assert row.met is met


def test_what_could_not_be_measured_meets_nothing_and_says_why() -> None:
    row = missing("speed", "orders/s", Goal(1.5), "there is no Java")
    assert row.met is None
    assert met_text(row) == "n/a"
    assert row.as_json()["note"] == "there is no Java"


def test_goals_read_as_a_person_writes_them() -> None:
    assert str(Goal(1.5)) == "≥ 1.5 ×"
    assert str(Goal(120, at="most", of="ours", unit="MB")) == "≤ 120 MB"
    assert str(Goal(40000, of="ours", unit="events/s")) == "≥ 40,000 events/s"


RUNS = [
    {
        **{"figure": "validation", "engine": name, "job": 100, "round": 1, "per_s": per_s},
        **{"cpu_us": {"engine": 40.0, "kafka": 9.0}, "others": 0.25, "first_output_s": 1.5},
    }
    for name, per_s in (("ours-1", 30.0), ("raw", 60.0))
]
TITLES = {"ours-1": "ours & more", "raw": "raw"}


def test_everything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "made" / "results.json"
    rows = [FASTER, alone("memory", "MB", [80.0], Goal(120, at="most", of="ours", unit="MB"))]
    Result(rows, RUNS, {"cores": "2"}, TITLES).write(file)
    written = json.loads(file.read_text())
    assert [row["figure"] for row in written["rows"]] == ["speed", "memory"]
    assert written["rows"][0]["spread"] == [1.0, 3.0]
    assert written["machine"] == {"cores": "2"}
    assert written["runs"] == RUNS
    page = file.with_name("RESULTS.md").read_text()
    assert "| speed | orders/s | 30 | 20 | 2.00 × (1.00–3.00) | ≥ 1.5 × | yes |" in page
    assert "| ours-1 | 100 | 30 | 1.5 | engine 40, kafka 9 | 25%–25% |" in page
    assert "| cores | 2 |" in page
    ElementTree.parse(file.with_name("results.svg"))


def test_the_picture_has_a_bar_for_each_engine_slowest_first() -> None:
    panels = bars(RUNS, TITLES)
    assert panels == {"100 orders": [Bar("ours & more", (30.0,), True), Bar("raw", (60.0,), False)]}
    picture = ElementTree.fromstring(svg(panels, "Orders"))
    rects = [e for e in picture.iter() if e.tag.endswith("rect")]
    assert [e.get("class") for e in rects] == ["ours", "peer"]
    assert float(rects[1].get("width", 0)) == pytest.approx(2 * float(rects[0].get("width", 0)))


def test_the_longest_name_has_room_in_the_picture() -> None:
    """Given a name of 66 characters, when it is drawn to the left of its bar, then it fits."""
    name = "Kafka Streams, exactly_once_v2, tuned, a transaction in 1000 ms..."
    picture = ElementTree.fromstring(svg({"100": [Bar(name, (30.0,), False)]}, "Orders"))
    (end,) = [float(e.get("x", 0)) for e in picture.iter() if e.get("text-anchor") == "end"]
    assert end >= 7 * len(name)


def test_without_a_run_the_picture_is_still_one() -> None:
    ElementTree.fromstring(svg({}, "Nothing"))
