"""`herhaal dependencies`, without a network: what an audit means, and the list of what is locked."""

import json
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import dependencies
from cli.console import UserError
from cli.dependencies import ROOT, audited

GOOD = {"name": "orjson", "version": "3.13.0", "vulns": []}
BAD = {
    "name": "httpx",
    "version": "0.28.1",
    "vulns": [
        {"id": "PYSEC-2099-1", "fix_versions": ["0.29.0"]},
        {"id": "PYSEC-2099-2", "fix_versions": []},
    ],
}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


class Uv:
    """Answers as uv and pip-audit do, and keeps what it was asked."""

    def __init__(self, *packages: dict[str, Any], fails: str = "") -> None:
        self.asked: list[Sequence[str]] = []
        self._report = json.dumps({"dependencies": packages})
        self._fails = fails

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(arguments)
        if "pip-audit" not in arguments:
            return subprocess.CompletedProcess(arguments, 0, "", "")
        if self._fails:
            return subprocess.CompletedProcess(arguments, 1, "", self._fails)
        return subprocess.CompletedProcess(arguments, 0, self._report, "")


def test_what_is_known_of_a_package_is_told_with_what_mends_it() -> None:
    found = audited(Uv(GOOD, BAD))
    assert found.vulnerable == {
        "httpx 0.28.1": ["PYSEC-2099-1 (fixed in 0.29.0)", "PYSEC-2099-2 (not fixed yet)"]
    }
    assert (found.packages, found.unknown) == (2, [])


def test_a_package_that_could_not_be_looked_up_is_not_good() -> None:
    """pip-audit itself would say that no vulnerability was found, and exit with 0."""
    assert audited(Uv(GOOD, UNKNOWN)).unknown == ["ours"]


def test_every_group_of_the_lock_is_audited_by_its_hashes() -> None:
    uv = Uv(GOOD)
    audited(uv)
    export, audit = uv.asked
    assert "--all-groups" in export
    assert {"--require-hashes", "--disable-pip", "--frozen"} <= {*audit}


def test_without_a_network_it_says_so() -> None:
    uv = Uv(fails="Traceback\n  File x\nrequests.exceptions.ConnectionError: no route\n")
    with pytest.raises(UserError, match=r"needs the network: requests\.exceptions"):
        audited(uv)


def test_the_list_has_every_package_that_we_ship_with_its_hashes(tmp_path: Path) -> None:
    """Compared with the lock itself, for which no network is needed."""
    file = tmp_path / "sbom.json"
    result = CliRunner().invoke(dependencies.app, ["sbom", "--json", str(file)])
    assert result.exit_code == 0, result.output
    document = json.loads(file.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    hashes = {
        (package["name"], package["version"]): {
            distribution["hash"].removeprefix("sha256:")
            for distribution in [*package.get("wheels", []), package.get("sdist", {})]
            if distribution
        }
        for package in locked
    }
    listed = {(c["name"], c["version"]): c for c in document["components"]}
    assert {"aiokafka", "asyncpg", "fastapi", "joserfc"} <= {name for name, _ in listed}
    assert "pytest" not in {name for name, _ in listed}
    for package, component in listed.items():
        files = component["externalReferences"]
        assert {h["content"] for f in files for h in f["hashes"]} == hashes[package], package
