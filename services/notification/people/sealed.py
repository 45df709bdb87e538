"""Seals bytes with AES-256-GCM: a sealed text that was changed, or put elsewhere, does not open."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class DoesNotOpen(Exception):
    """It was sealed with another key or for another place, or was changed since."""


def seal(key: bytes, content: bytes, about: str) -> bytes:
    """Seal content for one place, which `about` names: the nonce, then what AES-GCM makes."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """Open what `seal` made for this place. Raises DoesNotOpen."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
    except InvalidTag:
        raise DoesNotOpen from None
