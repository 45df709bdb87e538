"""A service process: settings from the environment, serving until it is told to stop."""

import argparse
import asyncio
import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import structlog
import uvicorn
from pydantic import ValidationError

from runtime import event_loop
from runtime.app import create_app
from runtime.loop.failpoints import Reached, pass_by
from runtime.observability.logs import configure_logs
from runtime.resources import connect
from runtime.service import Service
from runtime.settings import Part, Settings

log = structlog.get_logger()


def main(service: Service[Any]) -> None:
    """Run a service with settings from the environment; wrong ones end it with one sentence each."""
    parser = argparse.ArgumentParser(prog=f"herhaal serve {service.name}")
    parser.add_argument("--only", choices=["api", "worker"], default="all")
    parser.add_argument("--insecure-listen", action="store_true")
    arguments = parser.parse_args()
    if arguments.insecure_listen:
        os.environ["HERHAAL_INSECURE_LISTEN"] = "true"
    try:
        settings = service.settings()
    except ValidationError as error:
        sys.exit("\n".join(_sentences(error)))
    sys.exit(run(service, settings, arguments.only))


def _sentences(error: ValidationError) -> list[str]:
    problems = error.errors(include_url=False, include_input=False)
    return [
        f"HERHAAL_{str(p['loc'][0]).upper()}: {p['msg']}" if p["loc"] else p["msg"]
        for p in problems
    ]


_GARBAGE = 200_000
"""New objects after which the collector looks for cycles. There are few, and a batch has fewer objects."""


END_S = 22.0
"""When a process that was told to stop, or cannot go on, ends at the latest, whatever still keeps it."""


def run(
    service: Service[Any], settings: Settings, part: Part = "all", reached: Reached = pass_by
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code, 1 when the service could not go on."""
    configure_logs(service.name, settings.log)
    gc.set_threshold(_GARBAGE, 20, 100)
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.end()

    resources = connect(service.name, settings, service.tables)
    config = uvicorn.Config(
        create_app(service, resources, part, fail, reached),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        # Longer than clients keep an idle connection, so that they close it and no request is cut off.
        timeout_keep_alive=65,
        lifespan="on",
    )
    server = _Server(config)
    with asyncio.Runner(loop_factory=event_loop.Loop) as runner:
        runner.run(server.serve())
    faulthandler.cancel_dump_traceback_later()
    return 1 if failures or not server.started else 0


class _Server(uvicorn.Server):
    """Ends with exit code 0 when it was told to stop: uvicorn itself would raise the signal once more.

    Once it is to end it does within `END_S`, by the operating system's means; nothing is lost by that, as by a
    kill.
    """

    _ending = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """Begin to stop, by our own will."""
        self.should_exit = True
        if not self._ending:
            self._ending = True
            faulthandler.dump_traceback_later(END_S, exit=True)
            asyncio.get_running_loop().call_later(END_S - 0.2, _tell_what_runs)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _tell_what_runs() -> None:
    names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    log.error("still running though it is to end", tasks=names)
