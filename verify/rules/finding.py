"""What a rule yields: findings."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from verify.evidence import Evidence


class Finding(NamedTuple):
    """One breach of a rule: what is wrong, and where. Names ids only, never the content of a record."""

    what: str
    where: str


Rule: TypeAlias = Callable[[Evidence], Iterator[Finding]]
