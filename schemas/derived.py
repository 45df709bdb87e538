"""What a model says, in msgspec's words: a struct with its fields, and tests of what these cannot say.

A struct is derived from a model so that both are one definition. What is not known here is refused when it is
derived, never when a record is read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from inspect import signature
from operator import attrgetter
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, GroupedMetadata, Le, MaxLen, MinLen
from msgspec import Meta, Struct, defstruct
from pydantic import AfterValidator, AwareDatetime, FailFast, StringConstraints, ValidationError
from pydantic.fields import FieldInfo

from schemas.base import NO_NUL, Body, Model, to_utc

Test = Callable[[Any], object]
"""Whether a value that was read is as its model wants it: something true."""

_PLAIN = (str, int, bool, UUID, date)
_AWARE = Annotated[datetime, Meta(tz=True)]

_SEPARATOR = "\0"
"""No string that comes to a test holds it."""

_CONFIG = frozenset({"frozen", "strict", "extra", "validate_by_name"})
"""What a model may configure: with none of these it refuses or changes what a struct takes."""


class CannotDerive(TypeError):
    """A model says something that a struct cannot hold; it is read as pydantic reads it."""


@dataclass(frozen=True)
class Derived:
    """A type in msgspec's words, and what it cannot say: patterns and tests of what was read.

    Each is of the value itself, `""`, or of a part of it: `placed_by.role`.
    """

    type: Any
    patterns: dict[str, str] = field(default_factory=dict)
    tests: tuple[tuple[str, Test], ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether the type says all."""
        return not self.patterns and not self.tests


@cache
def derived(model: type[Model]) -> Derived:
    """A model's struct, and what is left to be tested. Raises CannotDerive when it has none."""
    types: dict[str, Any] = {}
    patterns: dict[str, str] = {}
    tests: list[tuple[str, Test]] = []
    for name, info in model.model_fields.items():
        one_name = info.alias == info.validation_alias == info.serialization_alias
        if info.default_factory or not one_name:
            raise CannotDerive(f"{model.__name__}.{name} is made or named in a way of its own")
        found = _type_of(info.annotation, info.metadata)
        types[name] = found.type
        patterns |= {_within(name, part): pattern for part, pattern in found.patterns.items()}
        tests += [(_within(name, part), test) for part, test in found.tests]
    tests += [("", test) for test in _validators(model)]
    return Derived(struct_of(model, types, omit_defaults=True), patterns, tuple(tests))


def _within(name: str, part: str) -> str:
    return f"{name}.{part}" if part else name


def struct_of(model: type[Model], types: dict[str, Any], *, omit_defaults: bool) -> type[Struct]:
    """A struct with the fields of a model, of these types; it counts as an instance of the model."""
    told = {"TYPE": model.TYPE, "KEY": model.KEY} if issubclass(model, Body) else {}
    return defstruct(
        model.__name__,
        [_field(name, types[name], info) for name, info in model.model_fields.items()],
        bases=(_Record,),
        namespace={"MODEL": model, **told},
        rename={name: info.alias for name, info in model.model_fields.items() if info.alias},
        frozen=True,
        kw_only=True,
        gc=False,
        omit_defaults=omit_defaults,
        # msgspec skips what is in them without reading it, even what is no UTF-8 or a thousand deep.
        forbid_unknown_fields=True,
    )


class _Record(Struct, frozen=True, gc=False):
    @classmethod
    def ce_type(cls) -> str:
        told: Any = cls
        name: str = told.MODEL.ce_type()
        return name


def _field(name: str, type_: Any, info: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if info.is_required():
        return name, type_
    # A list or mapping that is made anew each time is so for a struct as well: msgspec copies empty ones.
    return name, type_, info.get_default(call_default_factory=True, validated_data={})


def _type_of(annotation: Any, metadata: Iterable[Any]) -> Derived:
    """Raises CannotDerive for what is not known here."""
    told = list(_flat(metadata))
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _type_of(inner, [*more, *told])
    if get_origin(annotation) in (Union, UnionType):
        return _optional(annotation, told)
    if get_origin(annotation) is tuple:
        return _many(annotation, told)
    if get_origin(annotation) is Literal and not told:
        return _one_of(get_args(annotation))
    if annotation is AwareDatetime or annotation is datetime:
        return _time(told)
    if isinstance(annotation, type) and issubclass(annotation, Model) and not told:
        return derived(annotation)
    if annotation in _PLAIN or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return _plain(annotation, told)
    raise CannotDerive(f"{annotation} has no struct")


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for one in metadata:
        if isinstance(one, FieldInfo):
            yield from _flat(one.metadata)
        elif isinstance(one, GroupedMetadata) and not isinstance(one, StringConstraints):
            yield from _flat(one)
        elif not isinstance(one, FailFast):
            yield one


def _plain(annotation: Any, told: Iterable[Any]) -> Derived:
    limits: dict[str, Any] = {}
    patterns = {}
    for one in told:
        match one:
            case StringConstraints(min_length=least, max_length=most, pattern=pattern) if (
                one == StringConstraints(min_length=least, max_length=most, pattern=pattern)
            ):
                limits |= {"min_length": least, "max_length": most}
                # That no string holds U+0000 is told by the whole record's bytes.
                if pattern is not None and pattern != NO_NUL:
                    patterns[""] = _parting(str(pattern))
            case Ge(ge=least):
                limits["ge"] = least
            case Le(le=most):
                limits["le"] = most
            case _:
                raise CannotDerive(f"{one!r} is not known of {annotation}")
    return Derived(_limited(annotation, limits), patterns)


def _limited(type_: Any, limits: dict[str, Any]) -> Any:
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return Annotated[type_, Meta(**given)] if given else type_


def _optional(annotation: Any, told: list[Any]) -> Derived:
    inner = [one for one in get_args(annotation) if one is not NoneType]
    if len(inner) != 1 or told:
        raise CannotDerive(f"{annotation} has no struct")
    found = _type_of(inner[0], ())
    type_ = found.type | None
    if found.is_told:
        return Derived(type_)
    holds = all_hold(found)
    return Derived(type_, tests=(("", lambda value: value is None or holds(value)),))


def _many(annotation: Any, told: Iterable[Any]) -> Derived:
    inner, *more = get_args(annotation)
    if more != [...]:
        raise CannotDerive(f"{annotation} has no struct")
    found = _type_of(inner, ())
    limits: dict[str, Any] = {}
    for one in told:
        match one:
            case MinLen(min_length=least):
                limits["min_length"] = least
            case MaxLen(max_length=most):
                limits["max_length"] = most
            case _:
                raise CannotDerive(f"{one!r} is not known of {annotation}")
    type_ = _limited(GenericAlias(tuple, (found.type, ...)), limits)
    return Derived(type_) if found.is_told else Derived(type_, tests=(("", _each(found)),))


def _each(found: Derived) -> Test:
    """Whether all hold of each of several values."""
    if found.tests or len(found.patterns) > 1:
        holds = all_hold(found)
        return lambda values: all(map(holds, values))
    ((part, pattern),) = found.patterns.items()
    match = re.compile(f"(?:{pattern}{_SEPARATOR})*").fullmatch
    if not part:
        return lambda values: match(_SEPARATOR.join((*values, "")))
    get = attrgetter(part)
    return lambda values: match(_SEPARATOR.join([*map(get, values), ""]))


def _one_of(allowed: tuple[Any, ...]) -> Derived:
    kinds = {type(one) for one in allowed}
    if kinds == {str}:
        return Derived(Literal[allowed])
    kind = kinds.pop()
    if kinds or not issubclass(kind, Enum):
        raise CannotDerive(f"one of {allowed} has no struct")
    return Derived(kind, tests=(("", frozenset(allowed).__contains__),))


def _time(told: list[Any]) -> Derived:
    match told:
        case []:
            return Derived(_AWARE)
        case [AfterValidator(func=func)] if func is to_utc:
            # Another offset would have to be turned into UTC, which the model does.
            return Derived(_AWARE, tests=(("", lambda at: at.tzinfo is UTC),))
        case _:
            raise CannotDerive(f"a time with {told} has no struct")


def _validators(model: type[Model]) -> Iterator[Test]:
    decorators = model.__pydantic_decorators__
    if model.__pydantic_post_init__ or model.model_config.keys() - _CONFIG:
        raise CannotDerive(f"{model.__name__} is read in a way of its own")
    if decorators.field_validators or decorators.root_validators or decorators.validators:
        raise CannotDerive(f"{model.__name__} validates fields by itself")
    for validator in decorators.model_validators.values():
        if validator.info.mode != "after" or len(signature(validator.func).parameters) != 1:
            raise CannotDerive(f"{model.__name__} validates more than itself")
        yield _accepts(validator.func)


def _accepts(validate: Callable[[Any], Any]) -> Test:
    def accepts(value: Any) -> bool:
        try:
            return validate(value) is value
        except (ValueError, AssertionError, ValidationError, AttributeError):
            # A struct has no methods of its model; a model that needs them reads by itself.
            return False

    return accepts


def _parting(pattern: str) -> str:
    """A pattern without its anchors, of which none can match what parts two strings."""
    if not re.fullmatch(r"\^[^^$.|()\\]*\$", pattern):
        raise CannotDerive(f"{pattern} may match more than the characters that it names")
    return pattern[1:-1]


def all_hold(derived: Derived) -> Test:
    """Whether everything holds that a type does not say by itself."""
    steps = [test if not part else _of(part, test) for part, test in derived.tests]
    if derived.patterns:
        steps.insert(0, _matching(derived.patterns))
    if len(steps) == 1:
        return steps[0]

    def holds(value: Any) -> bool:
        for step in steps:  # noqa: SIM110  # a generator would cost as much as the steps
            if not step(value):
                return False
        return True

    return holds


def _matching(patterns: dict[str, str]) -> Test:
    """Whether these parts match: told by one look at all of them."""
    match: Test = re.compile(_SEPARATOR.join(patterns.values())).fullmatch
    if "" in patterns:
        return match
    get = attrgetter(*patterns)
    if len(patterns) == 1:
        return lambda value: match(get(value))
    return lambda value: match(_SEPARATOR.join(get(value)))


def _of(part: str, test: Test) -> Test:
    get = attrgetter(part)
    return lambda value: test(get(value))
