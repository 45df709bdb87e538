"""What goes wrong when a service is asked, as exceptions. None holds a token, or prints an answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError

from herhaal_client.retry_after import retry_after_s

PROBLEM = "application/problem+json"

_AWAY = (502, 503, 504)


@dataclass(frozen=True)
class FieldError:
    """A field of the request that is not valid, such as `lines.0.prk`, and why; `body` is the whole body."""

    field: str
    reason: str


class ApiError(Exception):
    """An operation that did not succeed.

    `asked` is the operation, such as `GET /orders/{order_id}`, without its values. `code` is for programs: the
    last part of the problem's `type`. `detail` is for people. `status` is None when there was no answer;
    `retry_after_s` is in seconds, None when the service did not say. `str()` has neither `detail` nor `errors`.
    """

    def __init__(
        self,
        asked: str,
        code: str,
        *,
        status: int | None = None,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{asked}: {code}" if status is None else f"{asked}: {status} {code}")
        self.asked = asked
        self.code = code
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


class Unauthorized(ApiError):
    """401: the token is missing, over, revoked or wrong."""


class Forbidden(ApiError):
    """403: this role may not do this, or not in this name."""


class NotFound(ApiError):
    """404: there is none, or none that the token may see."""


class Conflict(ApiError):
    """409: another thing has this id already, or contradicts this one."""


class Invalid(ApiError):
    """422: the request is not valid; `errors` has each field."""


class TooManyRequests(ApiError):
    """429: too many requests; try again after `retry_after_s`."""


class Unavailable(ApiError):
    """502, 503, 504, or no answer at all: the service, or something behind it, is away.

    Without an answer `status` is None, and `code` is `no-connection` (nothing was sent), `broken-off` or
    `too-slow`: in these two cases, the service may have done what was asked.
    """


class UnexpectedAnswer(ApiError):
    """The answer is not one that the contract has: another version, or something else at this address."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Invalid,
    429: TooManyRequests,
    **dict.fromkeys(_AWAY, Unavailable),
}


class _Problem(BaseModel):
    type: str
    detail: str = ""
    errors: list[FieldError] = []


def error_of(asked: str, response: httpx.Response) -> ApiError:
    """Make the exception of an answer that is no success; its body must have been read."""
    status, later_s = response.status_code, retry_after_s(response.headers)
    problem = _problem(response)
    if problem is None and status in _AWAY:
        # An ingress answers for a service that is away, and not in our words.
        return Unavailable(asked, "unavailable", status=status, retry_after_s=later_s)
    if problem is None:
        return unexpected(asked, status, "not as the contract says")
    return _BY_STATUS.get(status, ApiError)(
        asked,
        problem.type.rpartition(":")[2],
        status=status,
        detail=problem.detail,
        errors=problem.errors,
        retry_after_s=later_s,
    )


def unexpected(asked: str, status: int | None, why: str) -> UnexpectedAnswer:
    """Make the exception of an answer that the contract does not have; `why` quotes nothing of it."""
    return UnexpectedAnswer(asked, "unexpected-answer", status=status, detail=why)


def _problem(response: httpx.Response) -> _Problem | None:
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != PROBLEM:
        return None
    try:
        return _Problem.model_validate_json(response.content)
    except ValidationError:
        return None
