"""A process that is to stop, on a signal or a failure, ends in bounded time."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

KEPT = """
import asyncio
import sys
import uvicorn
from runtime import server as ours

ours.MAX_SHUTDOWN_S = 1.0

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print("up", flush=True)
    if sys.argv[1] == "failure":
        server.shut_down()
    await receive()
    await asyncio.Event().wait()

server = ours._Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
asyncio.run(server.serve())
"""


ISSUER = {"url": "http://127.0.0.1:1", "jwks": "http://127.0.0.1:1/jwks", "audience": "herhaal"}


def test_a_service_whose_port_is_taken_ends_with_1_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "services.metrics"],
            env=os.environ
            | {
                "HERHAAL_DATABASE": "postgresql://nobody@127.0.0.1:1/none",
                "HERHAAL_KAFKA": "127.0.0.1:1",
                "HERHAAL_LISTEN": f"127.0.0.1:{port}",
                "HERHAAL_ISSUERS": json.dumps([ISSUER]),
                "HERHAAL_AUDIT_KEY": "ab" * 32,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    assert "address already in use" in ended.stderr


@pytest.mark.parametrize("ends", ["signal", "failure"])
def test_a_process_with_a_stuck_task_ends_and_logs_the_task(ends: str) -> None:
    """Given a part that never closes; when the process is to stop; then it exits with 1 and logs the task."""
    with subprocess.Popen(
        [sys.executable, "-c", KEPT, ends],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        if ends == "signal":
            process.send_signal(signal.SIGTERM)
        stopped_s = time.monotonic()
        out, error = process.communicate(timeout=10)
    assert process.returncode == 1
    assert 0.8 < time.monotonic() - stopped_s < 5
    assert "tasks still running at shutdown" in out + error
    assert "LifespanOn.main" in out + error
    assert "Timeout" in error
