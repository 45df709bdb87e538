"""The commands that `herhaal serve` and `herhaal test` run, by options; which PostgreSQL is refused."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.backup import run_restore
from cli.console import UserError
from cli.serve import check_serve
from cli.test import (
    ROOT,
    Outcome,
    Step,
    SuiteOptions,
    run_all,
    run_step,
    run_test,
    stack_options,
    steps,
)
from cli.up import run_up
from cli.verify.command import addresses

LINT = ["ruff check", "ruff format", "mypy --strict", "import rules"]


def test_without_a_suite_everything_is_checked() -> None:
    """Benchmark and browser beside the tests that wait; the faults, which are timed, alone."""
    *lint, tests, faults = steps(None, ["--json=rows.json"])
    assert [step.name for step in lint] == LINT
    folders = {path.name for path in (ROOT / "tests").iterdir() if (path / "__init__.py").exists()}
    assert tests.beside is not None
    commands = (tests.command, tests.beside.command, faults.command)
    ran = " ".join(part for command in commands for part in command)
    assert {name for name in folders if f"tests/{name}" in ran} == folders - {"harness"}
    assert "--json=rows.json" in faults.command
    assert "--json=rows.json" not in tests.command


def test_with_options_of_pytest_everything_is_one_run() -> None:
    *lint, tests = steps(None, ["-k", "feed"])
    assert [step.name for step in lint] == LINT
    assert tests.command[1:] == ("-m", "pytest", "tests", "-k", "feed")


def test_what_runs_beside_a_check_is_printed_after_it(capfd: pytest.CaptureFixture[str]) -> None:
    """Given a check and another beside it, which is ready first and fails; both are reported."""
    slow = (sys.executable, "-c", "import time; time.sleep(0.3); print('first')")
    quick = (sys.executable, "-c", "print('second'); raise SystemExit(3)")
    outcomes = run_step(Step("slow", slow, Step("quick", quick)))
    assert [(outcome.name, outcome.code) for outcome in outcomes] == [("slow", 0), ("quick", 3)]
    printed = capfd.readouterr().out
    assert printed.index("first") < printed.index("second")


def test_a_suite_runs_its_own_tests_only_and_hands_the_rest_to_pytest() -> None:
    (step,) = steps("unit", ["-k", "ports"])
    assert step.command[1:] == ("-m", "pytest", "tests/unit", "-m", "not slow", "-k", "ports")


def test_access_is_a_part_of_the_integration_tests_with_a_table_of_its_own() -> None:
    options = SuiteOptions(json=Path("cells.json")).of("access")
    (step,) = steps("access", options)
    assert step.command[3:] == ("tests/integration/access", f"--cells={Path.cwd()}/cells.json")


def test_keycloak_is_tried_only_when_asked_for() -> None:
    (step,) = steps("keycloak", [])
    assert step.command[3:] == ("tests/integration/keycloak", "--keycloak")


def test_lint_runs_no_tests() -> None:
    assert "pytest" not in [step.name for step in steps("lint", [])]


def test_a_suite_that_does_not_exist_is_reported_with_those_that_do() -> None:
    with pytest.raises(UserError, match="no suite unti; there are unit, contract"):
        steps("unti", [])


def test_all_checks_run_also_after_one_failed() -> None:
    ran: list[str] = []

    def run(step: Step) -> list[Outcome]:
        ran.append(step.name)
        return [Outcome(step.name, code=1, seconds=0)]

    outcomes = run_all(steps(None, []), run)
    assert len(ran) == 6
    assert all(outcome.code for outcome in outcomes)


def test_the_local_stack_needs_no_option() -> None:
    assert stack_options("local", None, None) == []


def test_images_go_to_pytest_with_containers() -> None:
    assert stack_options("containers", "apache/kafka:4.3.0", None) == [
        "--stack",
        "containers",
        "--kafka-image=apache/kafka:4.3.0",
    ]


def test_an_image_without_containers_is_refused() -> None:
    with pytest.raises(UserError, match="needs --stack containers"):
        stack_options("local", None, "postgres:18")


def test_a_soak_is_the_long_forms_of_the_faults_for_so_many_minutes() -> None:
    (step,) = steps("soak", SuiteOptions(minutes=0.5, seed=7).of("soak"))
    assert step.command[3:] == ("tests/faults", "--soak", "--minutes=0.5", "--seed=7")


def test_the_table_of_faults_goes_where_the_user_is_not_where_the_checkout_is() -> None:
    assert SuiteOptions(json=Path("rows.json")).of("faults") == [f"--json={Path.cwd()}/rows.json"]


@pytest.mark.parametrize(
    ("suite", "given"),
    [
        ("unit", SuiteOptions(json=Path("rows.json"))),
        ("faults", SuiteOptions(minutes=1)),
        (None, SuiteOptions(seed=1)),
    ],
)
def test_an_option_of_other_suites_is_refused(suite: str | None, given: SuiteOptions) -> None:
    with pytest.raises(UserError, match="with"):
        given.of(suite)


def test_a_name_that_is_no_service_is_reported_with_those_that_are() -> None:
    with pytest.raises(UserError, match="no service odering; there are ordering, medication"):
        check_serve("odering")


def test_a_service_without_its_database_is_reported_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HERHAAL_DATABASE", raising=False)
    with pytest.raises(UserError, match="Set HERHAAL_DATABASE"):
        check_serve("ordering")


FAR = "postgresql://admin:secret@db.example.org/postgres"


@pytest.mark.parametrize(
    "command",
    [
        lambda folder: run_up(folder, 8100, 9092, 1, "json", tls=False),
        lambda folder: run_restore(folder / "backup", folder, databases_only=True),
        lambda folder: addresses(folder, "127.0.0.1:9092", FAR),
    ],
    ids=["up", "restore", "verify, progress and rebuild"],
)
def test_a_postgresql_elsewhere_needs_tls(
    command: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERHAAL_POSTGRES", FAR)
    with pytest.raises(UserError, match="needs sslmode=verify-full") as refused:
        command(tmp_path)
    assert "secret" not in str(refused.value)


def test_a_postgresql_elsewhere_without_tls_is_an_explicit_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERHAAL_INSECURE_DATABASE", "true")
    assert addresses(tmp_path, "127.0.0.1:9092", FAR) == ("127.0.0.1:9092", FAR)


def test_without_chromium_the_browser_suite_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HERHAAL_CHROMIUM", "no-such-chromium")
    with pytest.raises(UserError, match="apt-get install chromium"):
        run_test("browser", "local", None, None, SuiteOptions(), [])
