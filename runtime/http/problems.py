"""Answers errors as `application/problem+json` (RFC 9457), without tracebacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from runtime.errors import SERVER_ERRORS, KafkaUnavailable, NotReady, is_transient

log = structlog.get_logger()

RETRY_AFTER_S = 2


@dataclass
class Problem(Exception):
    """An error with its HTTP answer: `code` is for programs, `detail` for people."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Make the problem+json answer."""
        body: dict[str, Any] = {
            "type": f"urn:herhaal:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return JSONResponse(
            body, self.status, dict(self.headers), media_type="application/problem+json"
        )


def unavailable(detail: str) -> Problem:
    """503 with Retry-After; `detail` says what is unavailable."""
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def not_found(what: str) -> Problem:
    """404; `what` is the kind of resource, never its identifier."""
    return Problem(404, "not-found", f"There is no such {what}.")


def invalid(error: ValidationError) -> Problem:
    """422 that names each invalid field, with the reason."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return _invalid([(each["loc"], each["msg"]) for each in errors])


def invalid_field(field: str, reason: str) -> Problem:
    """422 that names one invalid field, with the reason."""
    return _invalid([((field,), reason)])


def _invalid(reasons: Sequence[tuple[Sequence[Any], str]]) -> Problem:
    errors = [{"field": ".".join(map(str, loc)) or "body", "reason": why} for loc, why in reasons]
    return Problem(422, "invalid", "The request is not valid.", errors)


def answer_to(error: Exception, route: str | None) -> JSONResponse:
    """Make the answer for an error that an endpoint raised; log the type of an unexpected one."""
    match error:
        case Problem():
            return error.response()
        case NotReady():
            return unavailable("The database is not reachable yet.").response()
        case KafkaUnavailable():
            return unavailable("Kafka does not answer; please try again.").response()
        case _ if is_transient(error):
            return unavailable("A server behind this service does not answer.").response()
        case _:
            log.error("request failed", route=route, error=type(error).__name__)
            return Problem(500, "internal", "Something went wrong on our side.").response()


def install(app: FastAPI) -> None:
    """Let this app answer every error as a problem."""

    @app.exception_handler(RequestValidationError)
    async def _parameters(_: Request, error: RequestValidationError) -> JSONResponse:
        return _invalid([(p["loc"][1:], p["msg"]) for p in error.errors()]).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "-")
        return Problem(
            error.status_code, code, f"{phrase}.", headers=error.headers or {}
        ).response()

    @app.exception_handler(ClientDisconnect)
    async def _disconnected(_: Request, __: ClientDisconnect) -> None:
        """Send no answer, as the client has disconnected."""

    async def raised(request: Request, error: Exception) -> JSONResponse:
        return answer_to(error, getattr(request.scope.get("route"), "path", None))

    # Starlette re-raises an error that only the handler for `Exception` matches; uvicorn logs its traceback.
    kinds: tuple[type[Exception], ...] = (Problem, *SERVER_ERRORS, Exception)
    for kind in kinds:
        app.add_exception_handler(kind, raised)
