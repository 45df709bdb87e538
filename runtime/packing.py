"""How records lie in the outbox: as one value, compressed when it is large.

A batch's records say nearly the same, so zstd makes an eighth of them. PostgreSQL writes each value to its
table, its log, and once more when it is deleted: writing less costs it half of what a whole batch did.
"""

from collections.abc import Sequence

import cramjam
import msgspec

from runtime.records import Outgoing

LARGE = 4096
"""Bytes from which compressing is worth a call; PostgreSQL keeps up to some 2,000 in the row itself."""

_LEVEL = 1
_ZSTD = b"\x28\xb5\x2f\xfd"
"""How a zstd frame begins, and no array of msgpack does (RFC 8878, 3.1.1)."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Outgoing, ...]).decode


def pack(records: Sequence[Outgoing]) -> bytes:
    """These records as one value."""
    packed = _encode(records)
    return bytes(cramjam.zstd.compress(packed, _LEVEL)) if len(packed) >= LARGE else packed


def unpack(packed: bytes) -> tuple[Outgoing, ...]:
    """The records in a value."""
    return _decode(cramjam.zstd.decompress(packed) if packed.startswith(_ZSTD) else packed)
