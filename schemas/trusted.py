"""Records that our own typed code makes, as structs: validated by mypy, and by nothing when they are made.

What comes from outside is always read by its model.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from msgspec import Struct, defstruct
from pydantic.fields import FieldInfo

from schemas.base import Body, Model

P = ParamSpec("P")
M = TypeVar("M", bound=Model)


def trusted(model: Callable[P, M]) -> Callable[P, M]:
    """A constructor with the model's own signature, by name only, that validates nothing.

    What it makes has the fields and bytes of the model and counts as an instance of it, but has none of
    pydantic's methods: it is for writing, with `runtime.messages.message.encode`.
    """
    assert isinstance(model, type)
    assert issubclass(model, Model)
    return cast(Callable[P, M], _struct_of(model))


def _struct_of(model: type[Model]) -> type[Struct]:
    fields = model.model_fields
    body = {"TYPE": model.TYPE, "KEY": model.KEY} if issubclass(model, Body) else {}
    return defstruct(
        model.__name__,
        [_field(name, info) for name, info in fields.items()],
        bases=(_Trusted,),
        # `schemas.base` makes a struct that names its model an instance of it.
        namespace={"MODEL": model, **body},
        rename={name: info.alias for name, info in fields.items() if info.alias},
        frozen=True,
        kw_only=True,
        gc=False,
    )


def _field(name: str, info: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if info.is_required():
        return name, Any
    return name, Any, info.get_default(call_default_factory=True, validated_data={})


class _Trusted(Struct, frozen=True, gc=False):
    @classmethod
    def ce_type(cls) -> str:
        made: Any = cls
        name: str = made.MODEL.ce_type()
        return name
