"""The records of an outbox row as one value, compressed when it is large.

The records of a batch resemble each other, so zstd makes them eight times smaller. PostgreSQL writes each
value to its table and to its log, so smaller values halved what a full batch cost it.
"""

from collections.abc import Sequence

import cramjam
import msgspec

from runtime.messages.message import Outgoing

LARGE = 4096
"""Bytes from which a value is compressed; PostgreSQL keeps values of up to some 2,000 in the row itself."""

_LEVEL = 1
_ZSTD = b"\x28\xb5\x2f\xfd"
"""The first bytes of a zstd frame (RFC 8878, 3.1.1); no array of msgpack begins with them."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Outgoing, ...]).decode


def pack(records: Sequence[Outgoing]) -> bytes:
    """Encode records as one value."""
    packed = _encode(records)
    return bytes(cramjam.zstd.compress(packed, _LEVEL)) if len(packed) >= LARGE else packed


def unpack(packed: bytes) -> tuple[Outgoing, ...]:
    """Decode the records of a value that `pack` made."""
    return _decode(cramjam.zstd.decompress(packed) if packed.startswith(_ZSTD) else packed)
