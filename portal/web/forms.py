"""Reads forms: bounded, each field as text, in the words that the API counts in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

LARGEST_BYTES = 256 * 1024
MOST_FIELDS = 300

Fields = Sequence[tuple[str, str]]


class BadForm(Exception):
    """A body that is no form of ours: too large, too many fields, or not UTF-8."""


@dataclass(frozen=True)
class Form:
    """The fields of a form, in their order. Line breaks are LF, as in the API; lengths count code points."""

    fields: Fields

    def text(self, name: str) -> str:
        """The last value of a field, without white space around it; empty when it is not there."""
        return next((value for key, value in reversed(self.fields) if key == name), "").strip()

    def all(self, name: str) -> list[str]:
        """Every value of a field: the boxes that are ticked."""
        return [value for key, value in self.fields if key == name]

    def without(self, *names: str) -> Fields:
        """The fields but these."""
        return [(key, value) for key, value in self.fields if key not in names]


async def read_form(request: Request) -> Form:
    """Read the form of a request. Raises BadForm, ClientDisconnect."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _read_body(request)
    if kind != "application/x-www-form-urlencoded" and body:
        raise BadForm
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise BadForm from None
    return Form([*_as_sent(pairs)])


def _as_sent(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """A browser sends a line break as two characters, and no record may contain U+0000."""
    for name, value in pairs:
        if "\x00" in value:
            raise BadForm
        yield name, value.replace("\r\n", "\n").replace("\r", "\n")


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BYTES:
            raise BadForm
    return bytes(body)
