"""What PostgreSQL keeps of a password. Sent in its place, so that no log or list of statements has it."""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
"""PostgreSQL's own default (`scram_iterations`)."""


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """Make the SCRAM-SHA-256 verifier of an ASCII password (RFC 5803), with a random salt if none is given."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *parts)
