"""What is installed with the client suffices, and is what this repository tests with."""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tests.architecture.source import CLIENTS, ROOT, files, imported


def dependencies(folder: Path) -> dict[str, Requirement]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    requirements = [Requirement(text) for text in project["dependencies"]]
    return {requirement.name.replace("-", "_"): requirement for requirement in requirements}


def test_the_client_needs_the_versions_that_are_tested_here() -> None:
    here = dependencies(ROOT)
    assert {name: here.get(name) for name in dependencies(CLIENTS)} == dependencies(CLIENTS)


def test_the_client_and_the_contracts_import_nothing_that_is_not_installed_with_them() -> None:
    """`pydantic_core` comes with pydantic."""
    known = {*sys.stdlib_module_names, *dependencies(CLIENTS), "pydantic_core"}
    used = {
        module.partition(".")[0]
        for path in files("herhaal_client", "schemas")
        for module in imported(path)
    }
    assert used - known == {"herhaal_client", "schemas"}
