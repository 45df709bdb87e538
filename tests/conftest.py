"""Options and settings of the whole suite."""

import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.faults.plugin",
    "tests.integration.access.plugin",
    "tests.integration.keycloak.plugin",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--stack`: `local` starts the project's own servers, `containers` starts images."""
    group = parser.getgroup("herhaal")
    group.addoption("--stack", choices=["local", "containers"], default="local")
    group.addoption("--kafka-image", default="apache/kafka:4.3.0")
    group.addoption("--postgres-image", default="postgres:18")


_OWN = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Use a new temporary folder for this run, unless one is given, and react to Ctrl-C.

    Every run that starts resets the mode of pytest's shared folder. When both runs are root's, that denies the
    PostgreSQL of the other run access to its own data.
    """
    # How long one example takes depends on the machine's load, not on the code.
    settings.register_profile("herhaal", deadline=None)
    settings.load_profile("herhaal")
    # Background jobs of a shell ignore SIGINT, and every process that a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.basetemp is None:
        config.stash[_OWN] = Path(tempfile.mkdtemp(prefix="herhaal-test-"))
        config.option.basetemp = str(config.stash[_OWN] / "pytest")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete this run's temporary folder."""
    if own := config.stash.get(_OWN, None):
        shutil.rmtree(own, ignore_errors=True)
