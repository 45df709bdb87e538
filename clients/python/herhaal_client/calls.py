"""One request to an API, before it has an address and a token, and its answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, ValidationError

from herhaal_client.errors import unexpected

Value = str | int | date | UUID

T = TypeVar("T")

_SEGMENT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Call:
    """A request: `path` as in the OpenAPI document, such as `/orders/{order_id}`, and its values.

    A parameter that is None is left out. `wait_s` (seconds) is sent as `Prefer: wait`. `takes_s` is how much
    longer than others (seconds) its answer may take. A `repeatable` call has the same effect when it is sent
    twice.
    """

    method: str
    path: str
    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    params: Mapping[str, Value | None] = field(default_factory=dict, repr=False)
    body: BaseModel | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_s: int = 0
    takes_s: int = 0
    repeatable: bool = True

    @property
    def asked(self) -> str:
        """The operation without its values, for messages."""
        return f"{self.method} {self.path}"

    @property
    def url_path(self) -> str:
        """The path with its values. Raises ValueError for a value that would make it another path."""
        return _SEGMENT.sub(lambda match: _segment(match[1], self.values[match[1]]), self.path)

    @property
    def query(self) -> dict[str, str]:
        """The parameters that are there, as text."""
        return {name: f"{value}" for name, value in self.params.items() if value is not None}

    @property
    def content(self) -> bytes | None:
        """The body as JSON; what is None is left out."""
        if self.body is None:
            return None
        return self.body.model_dump_json(by_alias=True, exclude_none=True).encode()

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers of this request alone."""
        prefer = {"Prefer": f"wait={self.wait_s}"} if self.wait_s else {}
        json = {"Content-Type": "application/json"} if self.body is not None else {}
        return {**json, **prefer, **self.headers}


@dataclass(frozen=True)
class Answer:
    """An answer that is a success: its status, and its body."""

    asked: str
    status: int
    content: bytes = field(repr=False)

    def read(self, parse: Callable[[bytes], T]) -> T:
        """Read the body. Raises UnexpectedAnswer if it does not match the contract."""
        try:
            return parse(self.content)
        except ValidationError as error:
            wrong = _wrong(error)
        # Not in the `except`: the error quotes the body, and would be this one's context.
        raise unexpected(self.asked, self.status, wrong)


def _wrong(error: ValidationError) -> str:
    """Name the fields that are wrong and how, without their values; at most three."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [f"{'.'.join(map(str, one['loc'])) or 'body'} ({one['type']})" for one in errors[:3]]
    return f"The body is not as the contract says: {', '.join(fields)}"


def _segment(name: str, value: Value) -> str:
    text = f"{value}"
    if text in ("", ".", ".."):
        raise ValueError(f"{name} is no value of a path")
    return quote(text, safe="")
