"""`./herhaal demo`, as run right after cloning the project."""

import json
import subprocess
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
ORDERS = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The demo, run once, and the file of its figures."""
    figures = tmp_path_factory.mktemp("demo") / "figures.json"
    command = [str(ROOT / "herhaal"), "demo", "--orders", str(ORDERS), "--json", str(figures)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150), figures


def test_every_order_is_decided_answered_and_counted_once(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, path = demo
    assert run.returncode == 0, run.stderr[-2000:]
    figures = json.loads(path.read_text())
    assert figures["orders"] == figures["decided"] == figures["answers"] == ORDERS
    assert figures["prescriptions"] == figures["approved_lines"] > 0
    assert figures["counted_lines"] >= ORDERS
    assert figures["dead_letters"] == figures["duplicates"] == figures["missing"] == 0
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert figures["seconds"].keys() == {"start", "run"}


def test_it_shows_an_answer_in_both_languages_and_what_to_try_next(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, _ = demo
    for words in ("Ophalen", "Collecting", "NOT_IN_OVERVIEW", "Order → answer", "./herhaal up"):
        assert words in run.stdout


def test_it_shows_what_the_rules_say_of_earlier_orders_and_a_policy_that_is_tried(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, _ = demo
    shown = " ".join(run.stdout.replace("│", " ").split())
    for words in (
        "refused, TOO_EARLY",
        "refused, DUPLICATE_ORDER",
        "the reason names the first order",
        "review by the gp, AUTHORISATION_EXPIRED",
        "would be decided otherwise",
    ):
        assert words in shown


def test_it_leaves_nothing_running(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    assert demo[0].returncode == 0
    left = [p.pid for p in psutil.process_iter(["cmdline", "cwd"]) if _is_of_a_demo(p)]
    assert left == []


def test_a_wrong_option_is_told_without_a_trace() -> None:
    run = subprocess.run(
        [ROOT / "herhaal", "demo", "--orders", "none"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1
    assert "--orders" in run.stderr
    assert "Traceback" not in run.stderr


def _is_of_a_demo(process: psutil.Process) -> bool:
    words = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
    return any("herhaal-demo-" in word for word in words)
