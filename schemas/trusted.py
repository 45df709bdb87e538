"""Builds records that our own code publishes as structs: mypy checks the arguments, nothing does at run time.

Records from outside are always read by their model.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from msgspec import Struct, defstruct
from pydantic.fields import FieldInfo

from schemas.base import Body, Model

P = ParamSpec("P")
M = TypeVar("M", bound=Model)


def trusted(model: Callable[P, M]) -> Callable[P, M]:
    """Make a constructor with the model's signature, keyword-only, that validates nothing.

    Its structs have the fields and the encoding of the model and count as instances of it, but have none of
    pydantic's methods: they are for writing, with `runtime.messages.encoding.encode`.
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
        # `schemas.base.Model` recognises its structs by this attribute.
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
        struct: Any = cls
        name: str = struct.MODEL.ce_type()
        return name
