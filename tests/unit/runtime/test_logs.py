"""Log lines are JSON and never contain record content."""

import json
import subprocess
import sys
from typing import Any

import pytest

SECRET = "pat_anna0001 metformine"

# In a subprocess, because logging is configured per process.
PROGRAM = f"""
import asyncio, gc, logging, structlog
from runtime.observability.logs import configure_logs

configure_logs("ordering", "json")
log = structlog.get_logger()

def fail():
    raise ValueError("{SECRET}")

async def forgotten():
    async def doomed():
        fail()
    task = asyncio.ensure_future(doomed())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

log.info("plain", records=3)
try:
    fail()
except ValueError as error:
    log.error("ours", exc_info=error)
    log.error("ours too", exc_info=True)
    logging.getLogger("library").exception("theirs")
    try:
        raise RuntimeError("outer {SECRET}") from error
    except RuntimeError:
        logging.getLogger("library").exception("chained")
asyncio.run(forgotten())
logging.getLogger("aiokafka").info("chatter")
logging.getLogger("aiokafka").warning("worth reading")
"""


@pytest.fixture(scope="module")
def output() -> str:
    """The program's stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stderr


@pytest.fixture(scope="module")
def written(output: str) -> list[dict[str, Any]]:
    """The log lines, parsed."""
    return [json.loads(line) for line in output.splitlines()]


def test_every_line_is_json_with_service_level_and_utc_time(written: list[dict[str, Any]]) -> None:
    assert written[0]["event"] == "plain"
    assert written[0]["records"] == 3
    assert {line["service"] for line in written} == {"ordering"}
    assert all(line["timestamp"].endswith("Z") for line in written)
    assert {line["level"] for line in written} == {"info", "error", "warning"}


@pytest.mark.parametrize("event", ["ours", "ours too", "theirs", "chained"])
def test_an_exception_is_logged_with_type_and_frames(
    written: list[dict[str, Any]], event: str
) -> None:
    (line,) = [line for line in written if line["event"] == event]
    assert line["error"] == ("RuntimeError" if event == "chained" else "ValueError")
    assert line["frames"]
    assert "exc_info" not in line


def test_the_message_of_an_exception_is_never_logged(output: str) -> None:
    assert SECRET not in output


def test_the_error_of_a_task_that_is_never_awaited_is_logged_without_its_message(
    written: list[dict[str, Any]],
) -> None:
    (line,) = [line for line in written if "never retrieved" in line["event"]]
    assert line["error"] == "ValueError"


def test_libraries_log_warnings_and_above_only(written: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in written].count("chatter") == 0
    assert [line["event"] for line in written].count("worth reading") == 1
