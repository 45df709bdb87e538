"""Whether a command is the same as one before, or another under the same id."""

import hashlib
from functools import cache
from typing import Any

import msgspec

from schemas.base import Body, Model


def digest_of(command: Body) -> str:
    """32 hexadecimal digits that are the same for the same command, however its JSON was written."""
    # What was read as a struct leaves out its defaults by itself.
    return hashlib.blake2b(_encode_said(command), digest_size=16).hexdigest()


def _said(part: Model) -> dict[str, Any]:
    # Without defaults, so that a field that is added later leaves the digest of older commands as it is.
    defaults = _defaults(type(part))
    if not defaults:
        return vars(part)
    said = dict(vars(part))
    for name, default in defaults:
        if said[name] == default:
            del said[name]
    return said


@cache
def _defaults(model: type[Model]) -> tuple[tuple[str, Any], ...]:
    fields = model.model_fields.items()
    return tuple((name, field.get_default()) for name, field in fields if not field.is_required())


_encode_said = msgspec.json.Encoder(enc_hook=_said).encode
