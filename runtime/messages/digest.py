"""The digest of a command: tells a repeated command from another command with the same id."""

import hashlib

from schemas.base import Body


def digest_of(command: Body) -> str:
    """Compute the digest, 32 hexadecimal digits; independent of the order and spacing of the sent JSON."""
    # Without default values, so that a new field does not change the digest of older commands.
    content = command.model_dump_json(exclude_defaults=True)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
