"""Which modules may import which, and what a domain may not do."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.source import (
    CLIENTS,
    PACKAGES,
    ROOT,
    SERVICES,
    files,
    imported,
    module_file,
    name,
    parsed,
)

IMPURE = {
    *("asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets"),
    *("shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time"),
    "urllib",
}
"""Modules of the standard library that read a clock, give random values, or do I/O."""

STRUCTS = {"msgspec.Struct", "msgspec.structs.replace"}
"""What a domain uses of msgspec (decision 9): it defines values, and encodes or decodes nothing."""

CALENDARS = "services/notification/domain/calendars.py"
HOURS = "services/notification/domain/hours.py"
NAMES = "services/notification/people/domain/names.py"
LIBRARIES = {CALENDARS: {"holidays"}, HOURS: {"opening_hours"}, NAMES: {"anyascii"}}
"""What else a domain's file may import. Dutch holidays, OpenStreetMap's opening hours and the letters of all
scripts are too much to write ourselves, and the libraries are pure functions of a day and a text.
"""

CLOCKS_AND_DICE = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}


def pure_files(service: str) -> set[Path]:
    """The files of a service's domain, and the services' modules that these import, directly or indirectly."""
    found: set[Path] = set()
    folder = ROOT / "services" / service
    inner = (path for path in folder.rglob("*.py") if path.parent.name == "domain")
    todo = [path for path in (folder / "domain.py", *inner) if path.exists()]
    assert todo, f"{service} has no domain"
    while todo:
        path = todo.pop()
        found.add(path)
        ours = (module_file(m) for m in imported(path) if m.startswith("services."))
        todo += [file for file in ours if file and file not in found]
    return found


def test_the_import_rules_of_pyproject_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{CLIENTS}"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports within functions and imports for types only count as well."""
    arrows = {
        path: {file for module in imported(path) if (file := module_file(module))} - {path}
        for path in files(*PACKAGES)
    }
    assert len(arrows) > 300
    sorter = TopologicalSorter(arrows)
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(name(path) for path in error.args[1]))


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_imports_the_standard_library_schemas_structs_and_pure_modules_beside_it(
    service: str,
) -> None:
    allowed = sys.stdlib_module_names - IMPURE | {"schemas"}
    foreign = {
        f"{name(path)} imports {module}"
        for path in pure_files(service)
        for module in imported(path)
        if module.partition(".")[0] not in allowed | LIBRARIES.get(name(path), set())
        and module not in STRUCTS
        and not module.startswith(f"services.{service}.")
    }
    assert foreign == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_reads_no_clock_throws_no_dice_and_opens_nothing(service: str) -> None:
    calls = {
        f"{name(path)}:{node.lineno} calls {called}"
        for path in pure_files(service)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and (called := _called(node.func)) in CLOCKS_AND_DICE
    }
    assert calls == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_is_not_async(service: str) -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await)
    found = [
        f"{name(path)}:{node.lineno}"
        for path in pure_files(service)
        for node in ast.walk(parsed(path))
        if isinstance(node, waiting)
    ]
    assert found == []


def _called(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=called) | ast.Name(id=called):
            return called
        case _:
            return ""
