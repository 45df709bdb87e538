"""A process that was told to stop ends, whatever keeps it."""

import signal
import subprocess
import sys
import time

KEPT = """
import asyncio
import uvicorn
from runtime import service

service.END_S = 1.0

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print("up", flush=True)
    await receive()
    await asyncio.Event().wait()

asyncio.run(service._Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on")).serve())
"""


def test_a_process_that_something_keeps_ends_and_tells_what_it_was() -> None:
    """Given a part that never closes; when told to stop; then it ends soon, and names what still ran."""
    with subprocess.Popen(
        [sys.executable, "-c", KEPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        told_s = time.monotonic()
        out, error = process.communicate(timeout=10)
    assert process.returncode == 1
    assert 0.9 < time.monotonic() - told_s < 5
    assert "still running after being told to stop" in out + error
    assert "LifespanOn.main" in out + error
    assert "Timeout" in error
