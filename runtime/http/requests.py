"""Reads path parameters, bodies, `Prefer: wait` and trace context of requests."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Path, Request
from pydantic import BaseModel, BeforeValidator, ValidationError

from runtime.http.problems import Problem, invalid
from runtime.messages.cloudevents import valid_traceparent
from schemas.base import PatientId, PharmacyAgb, PracticeAgb, Prk
from schemas.sizes import ESCAPED, largest

ROOM_BYTES = 64 * 1024
"""For white space, and for fields that we ignore."""

MAX_WAIT_S = 30.0

M = TypeVar("M", bound=BaseModel)

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})(?:$|[,;\s])", re.IGNORECASE)


@lru_cache
def max_body_bytes(model: type[BaseModel]) -> int:
    """How large the body of a request may be: the largest that its schema allows, and room.

    A body that is not larger than its schema allows is never refused for its size, and Kafka takes the record
    that it becomes: `tests/unit/schemas/test_sizes.py`.
    """
    return largest(model, ESCAPED) + ROOM_BYTES


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read the body, at most `max_bytes`.

    Raises:
        Problem: 413, it is larger, or declared to be.
        ClientDisconnect: the client disconnected before the end of the body.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(max_bytes: int) -> Problem:
    """413: the body is larger than `max_bytes`."""
    return Problem(413, "too-large", f"The body is larger than {max_bytes // 1024} KB.")


def json_body(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """Make a dependency that reads the body as `read_json` does."""

    async def read(request: Request) -> M:
        return await read_json(model, request)

    return read


async def read_json(model: type[M], request: Request) -> M:
    """Read the body as this model, as strictly as a record from Kafka.

    Raises:
        Problem: 413 larger than `max_body_bytes`, 415 not JSON by its content type, 422 not valid.
        ClientDisconnect: the client disconnected before the end of the body.
    """
    body = await read_body(request, max_body_bytes(model))
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "unsupported-media-type", "The body must be application/json.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from None


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """Make the `openapi_extra` of a route that reads its body by `json_body`."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    content = {"application/json": {"schema": _inlined(schema, definitions)}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Replace references by their definitions: OpenAPI would resolve `#/$defs/…` against its whole document."""
    match schema:
        case {"$ref": str(reference), **others}:
            definition = definitions[reference.removeprefix("#/$defs/")]
            return _inlined({**definition, **others}, definitions)
        case dict():
            return {name: _inlined(part, definitions) for name, part in schema.items()}
        case list():
            return [_inlined(part, definitions) for part in schema]
        case _:
            return schema


def wait_s_of(headers: Mapping[str, str]) -> float:
    """Read `Prefer: wait` as `PreferWait` does."""
    return _wait_s(headers.get("prefer"))


def traceparent_of(headers: Mapping[str, str]) -> str | None:
    """Read the trace context as `Traceparent` does."""
    return valid_traceparent(headers.get("traceparent"))


def _wait_s(prefer: str | None) -> float:
    match = _WAIT.search(prefer) if prefer else None
    return min(float(match.group(1)), MAX_WAIT_S) if match else 0.0


# `async`, as FastAPI runs other functions in a thread.
async def _wait(prefer: Annotated[str | None, Header()] = None) -> float:
    return _wait_s(prefer)


async def _traceparent(traceparent: Annotated[str | None, Header()] = None) -> str | None:
    return valid_traceparent(traceparent)


PreferWait = Annotated[float, Depends(_wait)]
"""Seconds that the client will wait for a decision (RFC 7240, `Prefer: wait`), at most `MAX_WAIT_S`."""

Traceparent = Annotated[str | None, Depends(_traceparent)]
"""The client's W3C trace context; None without a valid one: the record then starts a new trace."""


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _only_days(text: object) -> object:
    # pydantic also accepts a number of seconds since 1970.
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("must be a day, YYYY-MM-DD")
    return text


Day = Annotated[date, BeforeValidator(_only_days)]

PatientPath = Annotated[PatientId, Path()]
PracticePath = Annotated[PracticeAgb, Path()]
PharmacyPath = Annotated[PharmacyAgb, Path()]
PrkPath = Annotated[Prk, Path()]
