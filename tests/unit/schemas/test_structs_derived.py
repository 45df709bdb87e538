"""Which models a struct can stand for: one that says anything unknown has none, or is asked itself."""

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest
from annotated_types import MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from schemas.base import Actor, Body, Role, Text
from schemas.derived import CannotDerive
from schemas.structs import Reader
from tests.unit.schemas.reading import agreed


class Number(IntEnum):
    """An enum that is written as a number."""

    ONE = 1


class Sample(Body):
    """What the records of these tests have in common."""

    TYPE: ClassVar[str] = "test.v1"


class ValidatesAField(Sample):
    what: str

    @field_validator("what")
    @classmethod
    def _upper(cls, what: str) -> str:
        return what.upper()


class ValidatesBefore(Sample):
    what: str

    @model_validator(mode="before")
    @classmethod
    def _any(cls, given: Any) -> Any:
        return given


class ValidatesInContext(Sample):
    what: str

    @model_validator(mode="after")
    def _mode(self, info: ValidationInfo) -> Self:
        assert info.mode == "json"
        return self


class KeepsMore(Sample):
    what: str
    _more: int = PrivateAttr(default=1)


class Strips(Sample):
    model_config = ConfigDict(str_strip_whitespace=True)
    what: str


def tiny(annotation: Any, told: Any = ...) -> type[Body]:
    """A record with one field, `what`."""
    return create_model("Tiny", __base__=Sample, what=(annotation, told))


def pattern(pattern: str) -> Any:
    return Annotated[str, StringConstraints(pattern=pattern)]


def remaking(after: Callable[[Any], Any]) -> type[Body]:
    """A record that becomes what `after` makes of it."""
    remade: Any = {"remade": model_validator(mode="after")(after)}
    return create_model("Tiny", __base__=Sample, __validators__=remade, what=(Text, ...))


class TestWhatIsNotKnown:
    @pytest.mark.parametrize(
        "model",
        [
            tiny(float),
            tiny(dict[str, str]),
            tiny(list[str]),
            tiny(str | int),
            tiny(tuple[str, int]),
            tiny(Literal["a", 1]),
            tiny(Literal["a", Role.GP]),
            tiny(Literal[1]),
            tiny(Annotated[int, Field(gt=0)]),
            tiny(Annotated[int, Field(multiple_of=2)]),
            tiny(Annotated[str, MinLen(1)]),
            tiny(Annotated[str, BeforeValidator(str)]),
            tiny(Annotated[datetime, AfterValidator(lambda at: at)]),
            tiny(Annotated[Literal["a"], AfterValidator(str.upper)]),
            tiny(Annotated[Actor, AfterValidator(lambda actor: actor)]),
            tiny(Annotated[str | None, AfterValidator(lambda what: what)]),
            tiny(Annotated[str, StringConstraints(strip_whitespace=True)]),
            tiny(Annotated[str, StringConstraints(to_upper=True, pattern="^A$")]),
            tiny(pattern("^[^a]*$")),
            tiny(pattern("^a|b$")),
            tiny(pattern("^a.$")),
            tiny(pattern(r"^\s$")),
            tiny(pattern("a")),
            tiny(str, Field(default_factory=str)),
            tiny(str, Field(validation_alias="given")),
            tiny(str, Field(serialization_alias="written")),
            tiny(tiny(float)),
            tiny(tuple[tiny(float), ...]),  # type: ignore[misc]
            ValidatesAField,
            ValidatesBefore,
            ValidatesInContext,
            KeepsMore,
            Strips,
        ],
        ids=lambda model: str(model.model_fields["what"])[:60],
    )
    def test_a_model_that_says_something_unknown_has_no_reader(self, model: type[Body]) -> None:
        with pytest.raises(CannotDerive):
            Reader(model)


class TestTinyModels:
    def test_a_model_that_needs_its_own_methods_is_asked(self) -> None:
        model = remaking(lambda self: self.model_copy(update={"what": self.what.upper()}))
        found: Any = agreed(Reader(model), b'{"what": "b"}')
        assert found.what == "B"

    def test_a_model_that_puts_another_in_its_place_is_asked(self) -> None:
        known: dict[str, Any] = {}
        model = remaking(lambda self: known.get(self.what, self))
        known["b"] = model.model_construct(what="c")
        found: Any = agreed(Reader(model), b'{"what": "b"}')
        assert found.what == "c"

    @pytest.mark.parametrize("at", ["", "Z", "+01:00"])
    def test_a_time_that_needs_no_offset_is_read_with_and_without(self, at: str) -> None:
        value = f'{{"what": "2026-11-10T12:00:00{at}"}}'.encode()
        assert agreed(Reader(tiny(datetime)), value) is not None

    @pytest.mark.parametrize("what", ["1", "1.0", "true", "2", '"1"', "null"])
    def test_an_enum_of_numbers_is_read_as_pydantic_reads_it(self, what: str) -> None:
        agreed(Reader(tiny(Number)), f'{{"what": {what}}}'.encode())

    @pytest.mark.parametrize("digits", [19, 20, 4300, 4301])
    @pytest.mark.parametrize("bounds", [Field(), Field(ge=0), Field(ge=-5)])
    @pytest.mark.parametrize("sign", ["", "-"])
    def test_a_number_may_be_as_long_as_pydantic_reads_it(
        self, digits: int, bounds: Any, sign: str
    ) -> None:
        value = f'{{"what": {sign}{"9" * digits}}}'.encode()
        agreed(Reader(tiny(Annotated[int, bounds])), value)
