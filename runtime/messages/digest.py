"""Whether a command is the same as one before, or another under the same id."""

import hashlib

from schemas.base import Body


def digest_of(command: Body) -> str:
    """32 hexadecimal digits that are the same for the same command, however its JSON was written."""
    # Without defaults, so that a field that is added later leaves the digest of older commands as it is.
    said = command.model_dump_json(exclude_defaults=True)
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
