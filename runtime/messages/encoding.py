"""Encodes bodies and states as JSON, and decodes states."""

from typing import Any, TypeVar

import msgspec

from schemas.base import Body

S = TypeVar("S")


def encode(body: Body) -> bytes:
    """Encode a body as JSON, with the aliases of its fields as names."""
    if isinstance(body, msgspec.Struct):
        return encode_parts(body)
    return body.model_dump_json(by_alias=True).encode()


encode_parts = msgspec.json.Encoder(enc_hook=vars, decimal_format="number").encode
"""Encode structs, plain values and models without aliases as JSON.

The bytes equal pydantic's, as `vars` of a model are its fields, in order.
"""


def decoder(kind: type[S]) -> msgspec.json.Decoder[S]:
    """Make a decoder for a struct, and models in it, that `encode_parts` encoded; it ignores unknown fields."""
    return msgspec.json.Decoder(kind, dec_hook=_to_model)


def _to_model(model: Any, fields: Any) -> Any:
    return model.model_validate(fields, strict=False)
