"""Whose access was taken away, and when."""

from enum import StrEnum
from typing import ClassVar

from schemas.base import ActorId, Body, UtcDatetime


class WhyRevoked(StrEnum):
    """Why somebody's tokens are refused."""

    LEFT = "left"
    """The person does not work there any more."""
    NO_LONGER_PROXY = "no_longer_proxy"
    """The person does not stand in for a patient any more."""
    STOLEN = "stolen"
    """Somebody else may have the tokens."""
    OTHER = "other"


class AccessRevoked(Body):
    """Tokens of `sub` that were issued at or before `not_before` are refused.

    `sub` is the opaque identifier in the token. A token that is issued later says what its bearer may do then.
    """

    TYPE: ClassVar[str] = "access.revoked.v1"
    KEY: ClassVar[str] = "sub"

    sub: ActorId
    not_before: UtcDatetime
    why: WhyRevoked
