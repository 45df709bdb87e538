"""A process that was told to stop, or that cannot go on, ends, whatever keeps it."""

import signal
import subprocess
import sys
import time

import pytest

KEPT = """
import asyncio
import sys
import uvicorn
from runtime import process as ours

ours.END_S = 1.0

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print("up", flush=True)
    if sys.argv[1] == "by itself":
        server.end()
    await receive()
    await asyncio.Event().wait()

server = ours._Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
asyncio.run(server.serve())
"""


@pytest.mark.parametrize("ends", ["told to", "by itself"])
def test_a_process_that_something_keeps_ends_and_tells_what_it_was(ends: str) -> None:
    """Given a part that never closes; when it is to end; then it ends soon with 1, and names what still ran."""
    with subprocess.Popen(
        [sys.executable, "-c", KEPT, ends],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        if ends == "told to":
            process.send_signal(signal.SIGTERM)
        told_s = time.monotonic()
        out, error = process.communicate(timeout=10)
    assert process.returncode == 1
    assert 0.8 < time.monotonic() - told_s < 5
    assert "still running though it is to end" in out + error
    assert "LifespanOn.main" in out + error
    assert "Timeout" in error
