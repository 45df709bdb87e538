"""Options of the whole suite: where Kafka and PostgreSQL come from."""

import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.faults.plugin", "tests.e2e.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stack local` starts our own servers, `--stack containers` takes images."""
    group = parser.getgroup("herhaal")
    group.addoption("--stack", choices=["local", "containers"], default="local")
    group.addoption("--kafka-image", default="apache/kafka:4.3.0")
    group.addoption("--postgres-image", default="postgres:18")


_OWN = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A temporary folder of this run's own, unless one is given; Ctrl-C is heard.

    pytest's shared one gets its mode set again by every run that starts, which shuts the PostgreSQL of
    another run out of its own data when both are root's.
    """
    # How long one example takes says something of the machine's load, and nothing of the code.
    settings.register_profile("herhaal", deadline=None)
    settings.load_profile("herhaal")
    # A shell has what it starts in the background ignore Ctrl-C, and so would everything started by a test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.basetemp is None:
        config.stash[_OWN] = Path(tempfile.mkdtemp(prefix="herhaal-test-"))
        config.option.basetemp = str(config.stash[_OWN] / "pytest")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if own := config.stash.get(_OWN, None):
        shutil.rmtree(own, ignore_errors=True)
