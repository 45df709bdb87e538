"""pytest plugin of the tests against Keycloak: they run with `--keycloak` only."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `herhaal test keycloak` passes."""
    help_ = "Download, build and start a Keycloak, and run the tests against it."
    parser.getgroup("access").addoption("--keycloak", action="store_true", help=help_)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless it is asked for."""
    wanted = config.getoption("--keycloak") or not collection_path.is_relative_to(HERE)
    return None if wanted else True
