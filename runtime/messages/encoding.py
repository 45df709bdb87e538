"""Bodies and states as JSON, and back."""

from typing import Any, TypeVar

import msgspec

from schemas.base import Body

S = TypeVar("S")


def encode(body: Body) -> bytes:
    """The JSON bytes of a body, with the names that records use."""
    if isinstance(body, msgspec.Struct):
        return encode_parts(body)
    return body.model_dump_json(by_alias=True).encode()


encode_parts = msgspec.json.Encoder(enc_hook=vars).encode
"""The JSON bytes of anything made of structs, plain values and models without aliases.

The same bytes as pydantic's: a model's fields are its `vars`, in order.
"""


def decoder(kind: type[S]) -> msgspec.json.Decoder[S]:
    """Reads what `encode_parts` wrote of a struct, and of the models in it. It ignores unknown fields."""
    return msgspec.json.Decoder(kind, dec_hook=_part)


def _part(model: Any, fields: Any) -> Any:
    return model.model_validate(fields, strict=False)
