"""Every command's exit code is what its help says, as far as that needs no server.

With servers: `test_topics`, `test_dlq`, `test_progress_command`, `test_verify` and `rebuilding` in
tests/integration.
"""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import main
from cli.app import app

DEPLOY = Path(__file__).parents[3] / "deploy"
EXAMPLE = str(DEPLOY / "example" / "directory.yaml")
MEDICINES = str(DEPLOY / "lists" / "medicines-nl.yaml")
NOWHERE = "127.0.0.1:1"
KAFKA = ("--kafka", NOWHERE)
POSTGRES = ("--postgres", "postgresql://postgres@127.0.0.1:1/postgres")
SERVERS = (*KAFKA, *POSTGRES)
OLD = ("--service", "ordering", "--before")
DROP = ("--by", "op-1", "--why", "test")

SAYS = {
    ("up",): {0, 1},
    ("serve",): {0, 1},
    ("token",): {0, 1, 2},
    ("lag",): {0, 1},
    ("verify",): {0, 1},
    ("rebuild",): {0, 1, 2},
    ("test",): {1},
    ("topics", "plan"): {0, 1, 2},
    ("topics", "apply"): {0, 1},
    ("directory", "check"): {0, 1},
    ("directory", "apply"): {0, 1},
    ("medicines", "check"): {0, 1},
    ("medicines", "apply"): {0, 1},
    ("medicines", "show"): set(),
    ("schemas", "check"): {0, 1},
    ("dlq", "replay"): {0, 1, 2},
    ("systems", "add"): {0, 1},
    ("systems", "list"): set(),
    ("systems", "rotate"): set(),
    ("systems", "remove"): set(),
    ("revoke",): set(),
    ("explain",): set(),
    ("people", "import"): {0, 1, 2},
    ("people", "erase"): set(),
    ("people", "rotate"): set(),
    ("policy", "try"): {0, 1},
    ("progress", "show"): {0, 1},
    ("audit", "verify"): {0, 1},
    ("audit", "export"): set(),
    ("audit", "expire"): set(),
    ("parts", "list"): set(),
    ("parts", "make"): set(),
    ("parts", "detach"): set(),
    ("backup",): set(),
    ("restore",): set(),
    ("demo",): set(),
    ("bench",): set(),
    ("dependencies", "audit"): {0, 1},
    ("dependencies", "sbom"): set(),
    ("schemas", "snapshot"): set(),
    ("schemas", "asyncapi"): set(),
    ("dlq", "list"): set(),
    ("dlq", "show"): set(),
    ("dlq", "drop"): set(),
    ("progress", "accept"): set(),
}
"""The codes that each command's help names; without any: 0 done, 1 not, as the help of `herhaal` says."""


@pytest.mark.parametrize("command", SAYS, ids=" ".join)
def test_the_help_names_the_codes(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"]).output
    text = " ".join(shown.partition("Options")[0].split())
    said = re.search(r"exits? with (.*?)(?:\.|$)", text, re.IGNORECASE)
    codes = re.findall(r"\b\d\b", said[1]) if said else []
    assert {int(code) for code in codes} == SAYS[command]


def test_no_command_is_left_out() -> None:
    assert {*_commands(app)} == {*SAYS}


def _commands(group: object, *above: str) -> list[tuple[str, ...]]:
    names = re.compile(r"^  ([a-z-]+) +\S", re.MULTILINE)
    shown = CliRunner().invoke(app, [*above, "--help"]).output
    listed = names.findall(shown.partition("Commands:")[2])
    return [path for name in listed for path in _commands(group, *above, name)] or [above]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["topics", "plan", *KAFKA], 1),
        (["audit", "verify", *SERVERS, "--key-file", "{tmp}/none"], 1),
        (["audit", "export", "Jansen", "trail.csv", *SERVERS], 1),
        (["audit", "export", "pat_anna0001", "trail.txt", *SERVERS], 1),
        (["audit", "export", "pat_anna0001", "trail.csv", "--from", "may", *SERVERS], 1),
        (["audit", "expire", "--years", "4", *SERVERS], 1),
        (["topics", "apply", *KAFKA], 1),
        (["directory", "check", EXAMPLE], 0),
        (["directory", "check", __file__], 1),
        (["directory", "check", "/none"], 1),
        (["directory", "apply", EXAMPLE, *KAFKA], 1),
        (["directory", "apply", __file__, *KAFKA], 1),
        (["medicines", "check", MEDICINES], 0),
        (["medicines", "check", __file__], 1),
        (["medicines", "check", "/none"], 1),
        (["medicines", "apply", MEDICINES, *KAFKA], 1),
        (["medicines", "apply", __file__, *KAFKA], 1),
        (["medicines", "show", *KAFKA], 1),
        (["medicines", "show", "N05AN01", *KAFKA], 1),
        (["medicines", "show", "lithium", *KAFKA], 1),
        (["schemas", "check"], 0),
        (["schemas", "check", "--folder", "{tmp}"], 1),
        (["schemas", "snapshot", "--folder", "{tmp}"], 0),
        (["schemas", "asyncapi", "ordering"], 0),
        (["schemas", "asyncapi", "odering"], 1),
        (["lag", *KAFKA], 1),
        (["explain", "0192aaaa-0000-7000-8000-000000000001", *SERVERS], 1),
        (["explain", "42", *SERVERS], 1),
        (["explain", "0192aaaa-0000-7000-8000-000000000001", "--data", "{tmp}"], 1),
        (["revoke", "proxy-1", *KAFKA], 1),
        (["revoke", " ", *KAFKA], 1),
        (["revoke", "proxy-1", "--why", "because", *KAFKA], 1),
        (["people", "import", __file__, "--data", "{tmp}"], 1),
        (["people", "import", "/none", *POSTGRES], 1),
        (["people", "import", __file__, *POSTGRES], 1),
        (["people", "erase", "pat_anna0001", "--data", "{tmp}"], 1),
        (["people", "erase", "Anna", *SERVERS, "--keys", "{tmp}"], 1),
        (["people", "rotate", *POSTGRES, "--keys", "{tmp}"], 1),
        (["dlq", "list", "ordering", *KAFKA], 1),
        (["dlq", "show", "ordering", "0:0", *KAFKA], 1),
        (["dlq", "replay", "ordering", "--all", *KAFKA], 1),
        (["dlq", "replay", "ordering", *KAFKA], 1),
        (["dlq", "drop", "ordering", "0:0", *DROP, *KAFKA], 1),
        (["policy", "try", "{tmp}/none.yaml", "--practice", "01999001", *POSTGRES], 1),
        (["policy", "try", os.devnull, "--practice", "01999001", *POSTGRES], 1),
        (["policy", "try", os.devnull, "--practice", "01999001", "--data", "{tmp}"], 1),
        (["progress", "show", *SERVERS], 1),
        (["progress", "accept", "ordering", *SERVERS], 1),
        (["verify", "--wait", "0", *SERVERS], 1),
        (["verify", "--data", "{tmp}"], 1),
        (["rebuild", "metrics", *SERVERS], 1),
        (["rebuild", "metrics", "--compare-only", *SERVERS], 1),
        (["rebuild", "medication", *SERVERS], 1),
        (["parts", "list", *POSTGRES], 1),
        (["parts", "list", "--service", "metrics", *POSTGRES], 1),
        (["parts", "make", "--data", "{tmp}"], 1),
        (["parts", "detach", *OLD, "2006-01", "--yes", *SERVERS], 1),
        (["parts", "detach", *OLD, "2026-01", "--yes", *SERVERS], 1),
        (["parts", "detach", *OLD, "then", "--yes", *SERVERS], 1),
        (["backup", "{tmp}/x.tar.gz", "--data", "{tmp}"], 1),
        (["backup", "{tmp}/x.tar.gz", "--data", "{tmp}", "--databases-only"], 1),
        (["restore", "{tmp}/x.tar.gz", "--data", "{tmp}"], 1),
        (["up", "--data", "{tmp}", "--brokers", "2"], 1),
        (["serve", "odering"], 1),
        (["token", "--as", "operator", "--data", "{tmp}"], 1),
        (["token", "--as", "gp", "--data", "{tmp}"], 2),
        (["token", "--as", "gp", "--practice", "1"], 1),
        (["bench", "--only", "nothing"], 1),
        (["test", "unti"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_command_exits_with_the_code_that_its_help_gives(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    assert main([part.format(tmp=tmp_path) for part in arguments]) == code


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics", "plan", "--kafka", "here"],
        ["topics", "plan", "--nonsense"],
        ["dlq", "replay", "ordering", "--since", "yesterday"],
        ["rebuild", "metrics", "--compare-only", "--processes", "many"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_a_command_that_was_typed_wrong_is_not_done(arguments: list[str]) -> None:
    """Given commands that exit with 2 for something else; then a wrong option is no 2."""
    assert main(arguments) == 1


@pytest.mark.parametrize("command", [["verify"], ["rebuild", "metrics"], ["demo"]], ids=" ".join)
def test_a_result_that_could_not_be_written_is_refused_before_the_work(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*command, "--json", str(tmp_path / "none" / "x.json")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_help_is_done() -> None:
    assert main(["--help"]) == 0
