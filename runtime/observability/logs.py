"""Structured logs: JSON in production, coloured on a console. They hold events and codes, never content."""

import logging
import sys
import traceback
from typing import Literal

import structlog

LogFormat = Literal["json", "console"]

FASTSTREAM = "runtime.faststream"
"""The logger that we give FastStream. Its own has a handler that writes text, with messages of exceptions."""


def configure_logs(service: str, form: LogFormat) -> None:
    """Send our and the libraries' logs to stderr in the same format, with times in UTC."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _frames_only,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # They log every rebalance and request at level info.
    for noisy in ("aiokafka", FASTSTREAM, "uvicorn.access", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def errors_only() -> None:
    """Log only errors, to stderr: for commands, which print their own output."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _frames_only, structlog.dev.ConsoleRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        # Look up stderr at each use, as tests replace it.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _frames_only(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace a traceback by its frames: the message of an exception may quote a row with patient data."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    elif isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if isinstance(exc_info, tuple) and exc_info[0] is not None:
        # asyncio appends the repr of the task, which contains the message of the exception.
        event["event"] = str(event.get("event", "")).partition("\n")[0]
        frames = traceback.extract_tb(exc_info[2])
        event["error"] = exc_info[0].__name__
        event["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames[-8:]]
    return event
