"""Records as msgspec structs, derived from their models: for those that come and go by the thousand.

A model says what a record is and judges what comes from outside. A struct has the model's fields and is made,
read and written in C, in a fraction of the time. It counts as an instance of its model.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

import msgspec

from schemas.base import Body, Model
from schemas.derived import Test, all_hold, derived, struct_of

P = ParamSpec("P")
M = TypeVar("M", bound=Model)

_BACKSLASH = ord("\\")
_DOT = ord(".")
_ESCAPED = re.compile(rb"\\u00(?:00|2[eE]|3[0-9])").search
"""U+0000, or the dot and digits of a time, so written that a look at the bytes does not find them."""
_FINER = re.compile(rb"\.[0-9]{7}").search
"""A fraction of a second finer than a microsecond: msgspec rounds it, pydantic cuts it off."""


def trusted(model: Callable[P, M]) -> Callable[P, M]:
    """A constructor of what our own typed code says: it validates nothing, and takes arguments by name.

    What it makes is for writing: it equals structs of its kind only.
    """
    assert isinstance(model, type)
    assert issubclass(model, Model)
    known: Any = model
    fields = dict.fromkeys(known.model_fields, Any)
    made: Any = struct_of(known, fields, omit_defaults=False)
    return cast(Callable[P, M], made)


@dataclass(frozen=True)
class Reader:
    """Reads a record of one type: what is plainly right as a struct, everything else as its model does.

    So it accepts and refuses what the model does. The JSON of what it reads leaves out defaults.
    """

    model: type[Body]
    _decode: Callable[[bytes], Any] = field(init=False)
    _holds: Test = field(init=False)

    def __post_init__(self) -> None:
        """Raises CannotDerive when the model is none that a struct can stand for."""
        found = derived(self.model)
        object.__setattr__(self, "_decode", msgspec.json.Decoder(found.type).decode)
        object.__setattr__(self, "_holds", all_hold(found))

    def read(self, value: bytes) -> Body:
        """The record. Raises pydantic's ValidationError when it is none."""
        try:
            found: Body = self._decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._as_model(value)
        # A string may hold U+0000 only where it is escaped.
        odd = (_BACKSLASH in value and _ESCAPED(value)) or (_DOT in value and _FINER(value))
        return found if not odd and self._holds(found) else self._as_model(value)

    def _as_model(self, value: bytes) -> Body:
        read: Body = self.model.__pydantic_validator__.validate_json(value)
        return read
