"""Runs a service as a process: settings from the environment, shutdown on a signal or failure."""

import argparse
import asyncio
import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import structlog
import uvicorn
from pydantic import ValidationError

from runtime import event_loop
from runtime.app import create_app
from runtime.http.bounded_protocol import BoundedProtocol
from runtime.loop.failpoints import FailpointHook, ignore_failpoint
from runtime.observability.logs import configure_logs
from runtime.resources import connect
from runtime.service import Service
from runtime.settings import Part, Settings

log = structlog.get_logger()


def main(service: Service[Any]) -> None:
    """Run a service with settings from the environment. Exits with a sentence for each invalid setting."""
    parser = argparse.ArgumentParser(prog=f"herhaal serve {service.name}")
    parser.add_argument("--only", choices=["api", "worker"], default="all")
    parser.add_argument("--insecure-listen", action="store_true")
    arguments = parser.parse_args()
    if arguments.insecure_listen:
        os.environ["HERHAAL_INSECURE_LISTEN"] = "true"
    try:
        settings = service.settings.from_environment()
    except ValidationError as error:
        sys.exit("\n".join(_sentences(error)))
    except ValueError as error:
        sys.exit(str(error))
    sys.exit(run(service, settings, arguments.only))


def _sentences(error: ValidationError) -> list[str]:
    problems = error.errors(include_url=False, include_input=False)
    return [
        f"HERHAAL_{str(p['loc'][0]).upper()}: {p['msg']}" if p["loc"] else p["msg"]
        for p in problems
    ]


_GC_THRESHOLD = 200_000
"""More objects than a batch creates, as few are in cycles."""


_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has no others; older ones are off."""


MAX_SHUTDOWN_S = 22.0
"""A process that is to stop is ended after this time, even if tasks still run."""


def run(
    service: Service[Any],
    settings: Settings,
    part: Part = "all",
    at_failpoint: FailpointHook = ignore_failpoint,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, 1 when the service failed."""
    configure_logs(service.name, settings.log)
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.shut_down()

    resources = connect(service.name, settings, service.tables)
    config = uvicorn.Config(
        create_app(service, resources, part, fail, at_failpoint),
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_ciphers=_CIPHERS,
        log_config=None,
        access_log=False,
        http=BoundedProtocol,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        # Longer than clients keep an idle connection: if they close it first, no request is cut off.
        timeout_keep_alive=65,
        lifespan="on",
    )
    server = _Server(config)
    # uvicorn exits with a code of its own when it cannot listen.
    with suppress(SystemExit), asyncio.Runner(loop_factory=event_loop.EventLoop) as runner:
        runner.run(server.serve())
    faulthandler.cancel_dump_traceback_later()
    return 1 if failures or not server.started else 0


class _Server(uvicorn.Server):
    """Exits with code 0 after a signal, which uvicorn would raise again, and within `MAX_SHUTDOWN_S`.

    A shutdown that takes longer ends the process as a kill does, which loses nothing.
    """

    _shutting_down = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down on a signal."""
        super().handle_exit(sig, frame)
        self.shut_down()

    def shut_down(self) -> None:
        """Begin to shut down."""
        self.should_exit = True
        if not self._shutting_down:
            self._shutting_down = True
            faulthandler.dump_traceback_later(MAX_SHUTDOWN_S, exit=True)
            asyncio.get_running_loop().call_later(MAX_SHUTDOWN_S - 0.2, _log_running_tasks)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _log_running_tasks() -> None:
    names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    log.error("tasks still running at shutdown", tasks=names)
