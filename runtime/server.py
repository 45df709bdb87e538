"""Serves an ASGI app as a process: TLS, bounds, shutdown on a signal or failure."""

import asyncio
import faulthandler
import gc
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import structlog
import uvicorn
from pydantic import ValidationError
from starlette.types import ASGIApp

from runtime import event_loop
from runtime.http.bounded_protocol import BoundedProtocol
from runtime.settings import ServerSettings

log = structlog.get_logger()

_GC_THRESHOLD = 200_000
"""More objects than a batch creates, as few are in cycles."""

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has no others; older ones are off."""

MAX_SHUTDOWN_S = 22.0
"""A process that is to stop is ended after this time, even if tasks still run."""

_MOST_FILES = 65_536


def sentences(error: ValidationError) -> list[str]:
    """One sentence for each invalid setting."""
    problems = error.errors(include_url=False, include_input=False)
    return [
        f"HERHAAL_{str(p['loc'][0]).upper()}: {p['msg']}" if p["loc"] else p["msg"]
        for p in problems
    ]


class Failures:
    """What made a process fail; it shuts down at the first."""

    def __init__(self) -> None:
        self._errors: list[BaseException] = []
        self.server: _Server | None = None

    def add(self, error: BaseException) -> None:
        """Note an error, and shut down."""
        self._errors.append(error)
        if self.server is not None:
            self.server.shut_down()

    def __bool__(self) -> bool:
        return bool(self._errors)


def _no_streams() -> None:
    """End nothing: this process has no streams."""


def serve(
    app: ASGIApp,
    settings: ServerSettings,
    failures: Failures,
    end_streams: Callable[[], None] = _no_streams,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, 1 when the process failed.

    `end_streams` ends the answers that would not end by themselves.
    """
    _allow_many_connections()
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    config = uvicorn.Config(
        app,
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
    server = failures.server = _Server(config, end_streams)
    # uvicorn exits with a code of its own when it cannot listen.
    with suppress(SystemExit), asyncio.Runner(loop_factory=event_loop.EventLoop) as runner:
        runner.run(server.serve())
    faulthandler.cancel_dump_traceback_later()
    return 1 if failures or not server.started else 0


def _allow_many_connections() -> None:
    """Let this process open as many files as the system allows it: each stream is a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class _Server(uvicorn.Server):
    """Exits with code 0 after a signal, which uvicorn would raise again, and within `MAX_SHUTDOWN_S`.

    A shutdown that takes longer ends the process as a kill does, which loses nothing.
    """

    _shutting_down = False

    def __init__(
        self, config: uvicorn.Config, end_streams: Callable[[], None] = _no_streams
    ) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down on a signal."""
        super().handle_exit(sig, frame)
        self.shut_down()

    def shut_down(self) -> None:
        """Begin to shut down."""
        self.should_exit = True
        if not self._shutting_down:
            self._shutting_down = True
            self._end_streams()
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
