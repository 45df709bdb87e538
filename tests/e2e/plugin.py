"""Run the quick benchmark beside the unit tests, which need no servers and only one core."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICK = (str(ROOT / "herhaal"), "bench", "--quick")
WITHIN_S = 1100.0
STOPS_S = 60.0


@dataclass(frozen=True)
class Beside:
    """A quick benchmark that was started, and its folder of results."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results.json"

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; return its exit code and output. Raises subprocess.TimeoutExpired."""
        code = self.process.wait(WITHIN_S)
        said = (self.folder / "said").read_text()
        return subprocess.CompletedProcess(QUICK, code, stdout=said, stderr=said)

    def stop(self) -> None:
        """Terminate it, with all its processes, if it still runs; delete its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(STOPS_S)
        shutil.rmtree(self.folder)


_BESIDE = pytest.StashKey[Beside]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run unit tests first."""
    items.sort(key=lambda item: not item.path.is_relative_to(ROOT / "tests" / "unit"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the benchmark, at a lower priority, when a test uses `quick_bench`."""
    asked = any("quick_bench" in getattr(item, "fixturenames", ()) for item in session.items)
    if not asked or session.config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="herhaal-quick-"))
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            ["nice", "-n", "5", *QUICK, "--json", str(folder / "results.json")],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    session.config.stash[_BESIDE] = Beside(process, folder)


@pytest.fixture(scope="session")
def quick_bench(request: pytest.FixtureRequest) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The completed quick benchmark of this run, and its results file."""
    beside = request.config.stash[_BESIDE]
    return beside.ended(), beside.results


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the benchmark and delete its folder."""
    if beside := session.config.stash.get(_BESIDE, None):
        beside.stop()
