"""Reads YAML into plain values, with the line number of each.

Scalars follow the JSON schema of YAML 1.2: only `true` and `false` are booleans, and `11:00` and
`01999345` are text. PyYAML's default, YAML 1.1, reads both as numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

Where: TypeAlias = tuple[str | int, ...]
"""The path to a value: keys and list indexes."""

_NULL = ("", "~", "null")
_BOOLEAN = {"true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_PLAIN_TAG = re.compile(r"tag:yaml\.org,2002:[a-z]+|!")
_LONGEST_NUMBER = 18
_APOSTROPHE = 'put a text with an apostrophe in double quotes, such as "\'s-Hertogenbosch"'
_QUOTES = ("'", '"')
_OPENING = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class Malformed(Exception):
    """The text is not YAML; `line` counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


@dataclass
class Document:
    """The content of a YAML text. `problems` are valid YAML that our files must not use."""

    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[tuple[Where, int, str]] = field(default_factory=list)

    def line(self, where: Where) -> int:
        """Find the line of a value, or of its nearest parent when it is missing."""
        while where not in self.lines and where:
            where = where[:-1]
        return self.lines.get(where, 1)


def load(text: str) -> Document:
    """Read one YAML document.

    Raises:
        Malformed: it is not YAML, or more than one document.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _malformed(text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Malformed(line, "has a character that YAML does not allow") from None
    except RecursionError:
        raise Malformed(1, "is nested too deeply") from None
    document = Document()
    if node is not None:
        document.value = _Reader(document).value(node, ())
    return document


def _malformed(text: str, error: yaml.MarkedYAMLError) -> Malformed:
    """The error, on the line where its cause is: the parser names the line on which it noticed."""
    left_open = _left_open(text, error)
    if left_open is not None:
        return left_open
    mark = error.problem_mark or error.context_mark
    if error.context == "while scanning a simple key":
        mark = error.context_mark
    return Malformed(mark.line + 1 if mark else 1, error.problem or "is not YAML")


def _left_open(text: str, error: yaml.MarkedYAMLError) -> Malformed | None:
    """The quote that was open for longer than its line, or the bracket that was never closed."""
    brackets: list[yaml.Token] = []
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if _is_over_lines(token, getattr(token, "style", None)) and _is_before(token, error):
                return _open_quote(token.start_mark.line + 1)
            if isinstance(token, _OPENING):
                brackets.append(token)
            elif isinstance(token, _CLOSING) and brackets:
                brackets.pop()
    except yaml.MarkedYAMLError as scanning:
        if scanning.context == "while scanning a quoted scalar" and scanning.context_mark:
            return _open_quote(scanning.context_mark.line + 1)
    if brackets:
        return Malformed(brackets[-1].start_mark.line + 1, "has a bracket that is not closed")
    return None


def _is_over_lines(part: yaml.Token | yaml.Node, style: str | None) -> bool:
    return style in _QUOTES and part.end_mark.line > part.start_mark.line


def _is_before(token: yaml.Token, error: yaml.MarkedYAMLError) -> bool:
    return error.problem_mark is None or token.start_mark.index < error.problem_mark.index


def _open_quote(line: int) -> Malformed:
    return Malformed(line, f"has a quote that is not closed on its line; {_APOSTROPHE}")


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._read: set[int] = set()

    def value(self, node: yaml.Node, where: Where) -> Any:
        self._document.lines.setdefault(where, node.start_mark.line + 1)
        # An alias is the same node again, and reading a recursive one would never end.
        if id(node) in self._read:
            self._problem(where, self._document.lines[where], "is an alias (*); write it out")
            return None
        self._read.add(id(node))
        if not _PLAIN_TAG.fullmatch(node.tag):
            self._problem(where, self._document.lines[where], "has a tag (!), which is not allowed")
            return None
        match node:
            case yaml.MappingNode():
                return dict(self._items(node, where))
            case yaml.SequenceNode():
                return [self.value(item, (*where, n)) for n, item in enumerate(node.value)]
            case yaml.ScalarNode():
                if _is_over_lines(node, node.style):
                    last = node.end_mark.line + 1
                    self._problem(
                        where, node.start_mark.line + 1, f"goes on to line {last}; {_APOSTROPHE}"
                    )
                return _scalar(node)
            case _:
                raise TypeError(f"no YAML node: {type(node).__name__}")

    def _items(self, node: yaml.MappingNode, where: Where) -> Iterator[tuple[str, Any]]:
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(where, line, "has a key that is not a word")
                continue
            key = str(key_node.value)
            if key in first_lines:
                self._problem((*where, key), line, f"is there already, on line {first_lines[key]}")
                continue
            first_lines[key] = self._document.lines[*where, key] = line
            yield key, self.value(value_node, (*where, key))

    def _problem(self, where: Where, line: int, what: str) -> None:
        self._document.problems.append((where, line, what))


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text = str(node.value)
    if node.style is not None:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
