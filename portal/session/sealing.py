"""Seals what the database keeps but must not be able to read: tokens, names, forms (AES-256-GCM)."""

import os
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class Unreadable(Exception):
    """Sealed by another key, for another row, or damaged."""


class Sealer:
    """Seals values by one key. A value opens only with the `context` that it was sealed with: its row."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_hex(cls, key: str) -> "Sealer":
        """Read a key of 64 hexadecimal digits. Raises ValueError, which does not quote it."""
        try:
            secret = bytes.fromhex(key)
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ValueError("must be 64 hexadecimal digits")
        return cls(secret)

    def seal(self, value: Any, context: bytes) -> bytes:
        """Seal a value that JSON can say."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, orjson.dumps(value), context)

    def open(self, sealed: bytes, context: bytes) -> Any:
        """Open a sealed value. Raises Unreadable."""
        try:
            content = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise Unreadable from None
        return orjson.loads(content)
