"""`herhaal test`: run all checks, with their times and a summary of what failed."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from rich.table import Table

from cli.chromium import find_chromium
from cli.console import UserError, stdout

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

PYTEST_SUITES = {
    "unit": "unit",
    "contract": "contract",
    "integration": "integration",
    "access": "integration/access",
    "keycloak": "integration/keycloak",
    "browser": "browser",
    "e2e": "e2e",
    "architecture": "architecture",
    "faults": "faults",
}
"""The folder of each suite in `tests/`."""

_OWN_OPTIONS = {"unit": ("-m", "not slow"), "keycloak": ("--keycloak",)}
"""pytest's options that a suite always has."""

SOAK_MINUTES = 30.0
"""Default length of `herhaal test soak`."""


@dataclass(frozen=True)
class Step:
    """One check: its name and its command, and another that runs beside it and is printed afterwards."""

    name: str
    command: tuple[str, ...]
    beside: "Step | None" = None


@dataclass(frozen=True)
class Outcome:
    """The result of a check: exit code and seconds."""

    name: str
    code: int
    seconds: float


@dataclass(frozen=True)
class SuiteOptions:
    """Options of some suites: the file for their table, the length of a soak, its seed."""

    json: Path | None = None
    minutes: float | None = None
    seed: int | None = None

    def of(self, suite: str | None) -> list[str]:
        """Make pytest's options for a suite. Raises UserError for an option that it does not take."""
        if self.json is not None and suite not in (None, "faults", "soak", "access"):
            raise UserError("--json is a table: it goes with faults, soak and access.")
        if suite != "soak" and (self.minutes is not None or self.seed is not None):
            raise UserError("--minutes and --seed go with soak.")
        table = "--cells" if suite == "access" else "--json"
        options = [f"{table}={self.json.absolute()}"] if self.json is not None else []
        if suite == "soak":
            minutes = SOAK_MINUTES if self.minutes is None else self.minutes
            options += ["--soak", f"--minutes={minutes:g}"]
            options += [f"--seed={self.seed}"] if self.seed is not None else []
        return options


LINT = (
    Step("ruff check", (str(BIN / "ruff"), "check", ".")),
    Step("ruff format", (str(BIN / "ruff"), "format", "--check", ".")),
    Step("mypy --strict", (str(BIN / "mypy"), "--strict")),
    Step("import rules", (str(BIN / "lint-imports"),)),
)


def run_test(
    suite: str | None,
    stack: str,
    kafka_image: str | None,
    postgres_image: str | None,
    own: SuiteOptions,
    extra: Sequence[str],
) -> None:
    """Run a suite; exit with 1 when a check failed.

    Raises UserError for invalid options, and where the suite `browser` finds no Chromium.
    """
    if suite is not None and suite.startswith("-"):
        # `herhaal test -- -k x`: what follows the dashes is not a suite.
        extra = [suite, *extra]
        suite = None
    options = [*stack_options(stack, kafka_image, postgres_image), *own.of(suite)]
    if suite == "browser":
        find_chromium()
    outcomes = run_all(steps(suite, [*options, *extra]), run_step)
    if any(outcome.code for outcome in outcomes):
        sys.exit(1)


def stack_options(stack: str, kafka_image: str | None, postgres_image: str | None) -> list[str]:
    """Make pytest's options for the servers, without defaults.

    Raises UserError for an image without `--stack containers`.
    """
    images = {"--kafka-image": kafka_image, "--postgres-image": postgres_image}
    given = [f"{name}={image}" for name, image in images.items() if image]
    if given and stack != "containers":
        raise UserError(f"{given[0]} needs --stack containers.")
    return ["--stack", stack, *given] if stack != "local" else []


def steps(suite: str | None, options: Sequence[str]) -> list[Step]:
    """List the checks of a suite."""
    if suite == "lint":
        return [*LINT]
    if suite is None:
        return [*LINT, *_all_tests(options)]
    if suite == "soak":
        return [_pytest("faults", options)]
    if suite not in PYTEST_SUITES:
        names = ", ".join((*PYTEST_SUITES, "soak", "lint"))
        raise UserError(f"There is no suite {suite}; there are {names}.")
    return [_pytest(PYTEST_SUITES[suite], [*_OWN_OPTIONS.get(suite, ()), *options])]


def _all_tests(options: Sequence[str]) -> list[Step]:
    """All tests in about 25 minutes on two cores; with options of pytest's own, as one run in order.

    Tests that mostly wait run in two processes, each with a stack of its own; beside them, at a lower priority,
    the benchmark and then the pages in a browser. Faults run alone at the end, as they are timed.
    """
    if any(not option.startswith("--json=") for option in options):
        return [_pytest("tests", options)]
    nice = ("nice", "-n", "5")
    beside = (sys.executable, "-m", "pytest", "tests/e2e", "tests/browser")
    folders = [f"tests/{name}" for name in ("integration", "unit", "contract", "architecture")]
    together = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *folders)
    return [
        Step("tests", together, Step("e2e and browser", (*nice, *beside))),
        replace(_pytest("faults", options), name="faults"),
    ]


def run_all(todo: Sequence[Step], run: Callable[[Step], Sequence[Outcome]]) -> list[Outcome]:
    """Run all checks, even after a failure. Print the summary of several at the end."""
    outcomes = [outcome for step in todo for outcome in run(step)]
    if len(outcomes) > 1:
        stdout().print(_summary(outcomes))
    return outcomes


def run_step(step: Step) -> list[Outcome]:
    """Run one check with its output on the console, and what runs beside it with its output after that."""
    if step.beside is None:
        return [_run(step)]
    with tempfile.TemporaryFile("w+") as said, ThreadPoolExecutor(1) as beside:
        other = beside.submit(_run, step.beside, said)
        done = _run(step)
        outcome = other.result()
        said.seek(0)
        stdout().rule(step.beside.name, align="left")
        shutil.copyfileobj(said, sys.stdout)
    return [done, outcome]


def _run(step: Step, to: IO[str] | None = None) -> Outcome:
    """Run one check, with its output on the console or into this file."""
    if to is None and step.name != "pytest":
        stdout().rule(step.name, align="left")
    started = time.monotonic()
    run = subprocess.run(step.command, cwd=ROOT, check=False, stdout=to, stderr=to)
    return Outcome(step.name, run.returncode, time.monotonic() - started)


def _pytest(folder: str, options: Sequence[str]) -> Step:
    where = folder if folder == "tests" else f"tests/{folder}"
    return Step("pytest", (sys.executable, "-m", "pytest", where, *options))


def _summary(outcomes: Sequence[Outcome]) -> Table:
    table = Table("check", "result", "seconds")
    for outcome in outcomes:
        result = "[red]FAILED[/red]" if outcome.code else "ok"
        table.add_row(outcome.name, result, f"{outcome.seconds:.1f}")
    return table
