"""Runs the command: run the demo, print it, write the figures, check the proof."""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from cli.console import ConsoleReport, UserError, stdout
from cli.demo.outcome import Outcome
from cli.demo.run import run
from cli.demo.show import Progress, show


def run_demo(orders: int, per_s: float, json: Path | None, seed: int) -> None:
    """Run the demo. Raises UserError that names the orders when the proof does not hold."""
    console = stdout()
    with ConsoleReport() as report, Progress(console) as progress:
        outcome = asyncio.run(run(orders, per_s, seed, report, progress))
    show(outcome, console)
    if json is not None:
        json.write_bytes(orjson.dumps(figures(outcome), option=orjson.OPT_INDENT_2))
    if not outcome.proof.holds or outcome.refused:
        raise UserError(_complaint(outcome))
    console.print("Everything is stopped. Next: [bold]./herhaal up[/bold] for a stack that stays.")


def figures(outcome: Outcome) -> dict[str, Any]:
    """Make the content of the `--json` file."""
    proof = outcome.proof
    return {
        "orders": proof.orders,
        "decided": proof.decided,
        "answers": proof.answers,
        "prescriptions": proof.prescriptions,
        "approved_lines": proof.approved_lines,
        "counted_lines": proof.counted_lines,
        "dead_letters": proof.dead_letters,
        "duplicates": len(proof.duplicates),
        "missing": len(proof.missing),
        "latency_ms": {"p50": round(outcome.latency(50), 1), "p99": round(outcome.latency(99), 1)},
        "seconds": {"start": round(outcome.start_s, 2), "run": round(outcome.run_s, 2)},
    }


def _complaint(outcome: Outcome) -> str:
    refused = [f"{order}: HTTP {status}" for order, status in outcome.refused.items()]
    problems = [
        *(f"missing: {what}" for what in outcome.proof.missing),
        *(f"more than once: {what}" for what in outcome.proof.duplicates),
        *refused,
    ]
    counted = f"{outcome.proof.counted_lines} of {outcome.proof.ordered_lines} lines counted"
    letters = f"{outcome.proof.dead_letters} dead letters"
    return "\n".join(["The proof does not hold.", counted, letters, *problems[:50]])
