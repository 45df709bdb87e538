"""Audit chains for tests."""

from uuid import uuid4

from runtime.audit.chain import AuditKey
from runtime.postgres.audit import ChainWriter

KEY = AuditKey(bytes(range(32)))


def a_chain() -> ChainWriter:
    """The chain of a new writer, made with `KEY`."""
    return ChainWriter(uuid4(), KEY)
