"""pytest plugin of the fault tests: options, the table of faults, and soak runs of a number of minutes."""

import random
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table as Shown

from tests.faults.table import Table

_TABLE = pytest.StashKey[Table]()
_ENDS_S = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `herhaal test faults` and `herhaal test soak` pass."""
    group = parser.getgroup("faults")
    group.addoption("--json", default=None, help="Write the table of faults to this file.")
    group.addoption("--soak", action="store_true", help="The long forms of the fault tests.")
    group.addoption(
        "--minutes", type=float, help="Repeat in random order until so many minutes are over."
    )
    group.addoption("--seed", type=int, help="The same order as the run that printed it.")


def pytest_configure(config: pytest.Config) -> None:
    """Make an empty table of faults; for a soak, set its end and choose a seed."""
    path = config.getoption("--json")
    config.stash[_TABLE] = Table(Path(path) if path else None)
    minutes = config.getoption("--minutes")
    if minutes is not None:
        config.stash[_ENDS_S] = time.monotonic() + 60 * minutes
        if config.getoption("--seed") is None:
            config.option.seed = random.SystemRandom().randrange(1_000_000)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Show the seed that repeats a soak's order of tests."""
    if _ENDS_S not in config.stash:
        return None
    return f"soaking for {config.getoption('--minutes'):g} minutes, --seed {config.getoption('--seed')}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In a soak, repeat each test once per minute: no round is shorter, so there are always enough."""
    minutes = metafunc.config.getoption("--minutes")
    if minutes is not None:
        metafunc.fixturenames.append("_round")
        metafunc.parametrize("_round", range(max(1, ceil(minutes))))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests marked `crowd` last; in a soak, shuffle each round. Leave `soak_only` to the long form."""
    if not config.getoption("--soak"):
        left_out = [item for item in items if item.get_closest_marker("soak_only")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("soak_only")]
    if _ENDS_S not in config.stash:
        items.sort(key=lambda item: item.get_closest_marker("crowd") is not None)
        return
    chance = random.Random(config.getoption("--seed"))
    chance.shuffle(items)
    items.sort(key=_round)


def _round(item: pytest.Item) -> int:
    assert isinstance(item, pytest.Function)
    number = item.callspec.params["_round"]
    assert isinstance(number, int)
    return number


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End a soak after the test in which its minutes run out."""
    result = yield
    ends_s = item.config.stash.get(_ENDS_S, None)
    if ends_s is not None and time.monotonic() > ends_s:
        item.session.shouldstop = "the minutes are over"
    return result


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    """The table of faults of this run."""
    return request.config.stash[_TABLE]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run when a row is not clean; the end of a soak's minutes is no failure."""
    if session.shouldstop and _ENDS_S in session.config.stash and not session.testsfailed:
        session.exitstatus = pytest.ExitCode.OK
    if any(not row.clean for row in session.config.stash[_TABLE].rows):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of faults."""
    rows = config.stash[_TABLE].rows
    if not rows:
        return
    shown = Shown(
        "fault",
        "service",
        "sent",
        "acknowledged",
        "lost",
        "decided twice",
        "raw duplicates",
        "recovery s",
        title="Faults",
    )
    for row in rows:
        recovery = "" if row.recovery_s is None else f"{row.recovery_s:.1f}"
        numbers = (row.sent, row.acknowledged, row.lost, row.decided_twice, row.raw_duplicates)
        shown.add_row(
            row.fault, row.service, *map(str, numbers), recovery, style="" if row.clean else "red"
        )
    console = Console(width=120)
    with console.capture() as captured:
        console.print(shown)
    terminalreporter.write_line(captured.get())
