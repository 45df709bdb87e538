"""The largest JSON text of a body, by the bounds in its schema: what HTTP and Kafka must be able to take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Encoding:
    """How many bytes a character takes at most: any one, and one of ASCII that is printable."""

    any: int
    ascii: int


WRITTEN = Encoding(any=6, ascii=1)
"""JSON that we write: UTF-8 takes up to 4 bytes, an escaped control character 6."""

ESCAPED = Encoding(any=12, ascii=6)
"""JSON that others write may escape every character, one outside the BMP as `\\ud83d\\ude00`."""

_IDENTIFIER = 100
"""Characters of a text that only a pattern bounds, such as a patient's id (68 at most)."""

_SCALAR = 40
"""Characters of a number, a time or a UUID."""

_PUNCTUATION = 6
"""Bytes around a field: its quotes, colon, comma and a blank after the last two."""

_UNBOUNDED = frozenset("*+")


class _Bounds:
    """Sizes of the parts of one schema. `items` bounds lists that the schema does not, by field."""

    def __init__(
        self, schema: dict[str, Any], encoding: Encoding, items: Mapping[str, int]
    ) -> None:
        self._definitions = schema.get("$defs", {})
        self._encoding = encoding
        self._items = items

    def of(self, part: dict[str, Any], field: str) -> int:
        match part:
            case {"$ref": str(reference)}:
                return self.of(self._definitions[reference.removeprefix("#/$defs/")], field)
            case {"anyOf": list(choices)}:
                return max(self.of(choice, field) for choice in choices)
            case {"enum": list(values)}:
                return max(self._ascii(str(value)) for value in values)
            case {"const": value}:
                return self._ascii(str(value))
            case {"type": "object"}:
                return self._object(part, field)
            case {"type": "array"}:
                return 2 + self._count(part, field) * (2 + self.of(part["items"], field))
            case {"type": "string"}:
                return self._string(part, field)
            case _:
                return 2 + self._encoding.ascii * _SCALAR

    def _ascii(self, text: str) -> int:
        return 2 + self._encoding.ascii * len(text)

    def _object(self, part: dict[str, Any], field: str) -> int:
        if "properties" not in part:
            # A mapping: one value for each name that is allowed.
            names = part["propertyNames"]["enum"]
            value = self.of(part["additionalProperties"], field)
            return 2 + sum(self._ascii(name) + _PUNCTUATION + value for name in names)
        fields = part["properties"].items()
        return 2 + sum(
            self._ascii(name) + _PUNCTUATION + self.of(value, name) for name, value in fields
        )

    def _count(self, part: dict[str, Any], field: str) -> int:
        count = part.get("maxItems", self._items.get(field))
        if count is None:
            raise ValueError(f"the list {field} has no bound")
        return int(count)

    def _string(self, part: dict[str, Any], field: str) -> int:
        if "format" in part:
            return 2 + self._encoding.ascii * _SCALAR
        pattern = part.get("pattern", "*")
        if "maxLength" not in part and _UNBOUNDED & set(pattern):
            raise ValueError(f"the text {field} has no bound")
        return 2 + self._encoding.any * int(part.get("maxLength", _IDENTIFIER))


def largest(
    model: type[BaseModel], encoding: Encoding, items: Mapping[str, int] | None = None
) -> int:
    """Compute an upper bound of the bytes of a model's JSON text, without white space between lines.

    `items` bounds lists that the schema does not, by field.

    Raises:
        ValueError: a field has no bound.
    """
    schema = model.model_json_schema()
    return _Bounds(schema, encoding, items or {}).of(schema, model.__name__)
