"""Reads a YAML file as a model, and reports all of its errors at once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cli.console import UserError
from cli.entries.yaml_lines import Document, Malformed, Where, load

M = TypeVar("M", bound=BaseModel)

Flaw = tuple[Where, str]
"""The path to a value, and what is wrong or surely not meant there."""

_MESSAGES: dict[str, str] = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "string_type": "must be a text; put it in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "tuple_type": "must be a list, each entry starting with -",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "time_parsing": "must be a time such as 09:30",
    "time_type": "must be a time such as 09:30",
    "date_parsing": "must be a day such as 2026-12-24",
    "date_from_datetime_parsing": "must be a day such as 2026-12-24",
    "date_type": "must be a day such as 2026-12-24",
}


@dataclass(frozen=True, order=True)
class Finding:
    """An error or a warning about a file; `line` counts from 1."""

    line: int
    path: str
    what: str
    warning: bool = False


@dataclass(frozen=True)
class Checked(Generic[M]):
    """A file after checking; `content` is None when it has errors."""

    path: Path
    content: M | None
    findings: tuple[Finding, ...]

    def lines(self, *, warnings: bool) -> list[str]:
        """Format the errors, or the warnings, as `FILE:LINE: path: what`."""
        kind = "warning: " if warnings else ""
        return [
            f"{self.path}:{finding.line}: {finding.path + ': ' if finding.path else ''}{kind}{finding.what}"
            for finding in self.findings
            if finding.warning is warnings
        ]

    def good(self) -> M:
        """The content. Raises UserError with all errors when there are any."""
        if self.content is None:
            raise UserError("\n".join(self.lines(warnings=False)))
        return self.content


@dataclass(frozen=True)
class Rules(Generic[M]):
    """What a file must be: a `model`, and more than a model can say.

    `about` says it of a file that is no mapping at all. `nested` has the model under each key, to know which
    keys there are. `message` words an error of the model; None leaves it to the usual words.
    """

    model: type[M]
    about: str
    nested: Mapping[str, type[BaseModel]]
    message: Callable[[ErrorDetails], str | None]
    errors: Callable[[Document, M | None], Iterable[Flaw]]
    doubts: Callable[[Document, M], Iterable[Flaw]]


def check(path: Path, rules: Rules[M]) -> Checked[M]:
    """Check a file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        document = load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not a text in UTF-8.") from None
    except Malformed as error:
        return Checked(path, None, (Finding(error.line, "", error.what),))
    return _check(path, document, rules)


def _check(path: Path, document: Document, rules: Rules[M]) -> Checked[M]:
    content, wrong = _validated(document, rules)
    errors = [
        *(Finding(line, path_text(where), what) for where, line, what in document.problems),
        *wrong,
        *(_found(document, *flaw) for flaw in rules.errors(document, content)),
    ]
    if errors or content is None:
        return Checked(path, None, tuple(sorted(errors)))
    warnings = [_found(document, *flaw, warning=True) for flaw in rules.doubts(document, content)]
    return Checked(path, content, tuple(sorted(warnings)))


def path_text(where: Where) -> str:
    """Format a path: `practices[0].processing.cutoff`."""
    return "".join(f"[{w}]" if isinstance(w, int) else f".{w}" for w in where).lstrip(".")


def entries(document: Document, kind: str) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield the entries of a list as they are written, each with its path."""
    found = document.value.get(kind) if isinstance(document.value, dict) else None
    for n, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, dict):
            yield (kind, n), entry


def duplicates(document: Document, values: Iterable[tuple[Where, str]]) -> Iterator[Flaw]:
    """Yield each value that was there already."""
    first: dict[str, Where] = {}
    for where, value in values:
        if value in first:
            yield where, f"{value} is there already, on line {document.line(first[value])}"
        first.setdefault(value, where)


def _found(document: Document, where: Where, what: str, *, warning: bool = False) -> Finding:
    return Finding(document.line(where), path_text(where), what, warning)


def _validated(document: Document, rules: Rules[M]) -> tuple[M | None, list[Finding]]:
    if not isinstance(document.value, dict):
        return None, [Finding(1, "", rules.about)]
    try:
        # As JSON: there too, dates and times are text.
        text = json.dumps(document.value)
        return rules.model.model_validate_json(text, extra="forbid"), []
    except ValidationError as error:
        unread = [where for where, _, _ in document.problems]
        return None, [
            _found(document, e["loc"], _message(e, rules))
            for e in error.errors(include_url=False)
            if not any(e["loc"][: len(where)] == where for where in unread)
        ]


def _message(error: ErrorDetails, rules: Rules[M]) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"], rules)
    if message := rules.message(error):
        return message
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if error["input"] is None:
        return "is empty"
    message = error["msg"]
    return _MESSAGES.get(kind, message[:1].lower() + message[1:])


def _unknown_key(where: Where, rules: Rules[M]) -> str:
    key = str(where[-1])
    if key == "version":
        return "is not written here: `apply` counts the versions"
    names = [str(w) for w in where[:-1] if isinstance(w, str)]
    model = rules.nested[names[-1]] if names else rules.model
    near = get_close_matches(key, model.model_fields, n=1)
    return f"is no known key; did you mean {near[0]}?" if near else "is no known key"
