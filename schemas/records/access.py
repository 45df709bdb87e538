"""Whose access was taken away, and who stands in for whom."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from schemas.base import ActorId, Body, PatientId, UtcDatetime


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


GRANT = r"^pat_[A-Za-z0-9_-]{4,64}/[^\x00]{1,100}$"


def grant_key(patient: str, proxy: str) -> str:
    """The key of the grant by which `proxy`, the `sub` of a token, stands in for a patient."""
    return f"{patient}/{proxy}"


class ProxyGrant(Body):
    """`proxy`, the `sub` of a token, stands in for `patient` until a moment, or until this is taken back.

    It is taken back by a tombstone. Who the proxy is, and why, is in notification's database alone.
    """

    TYPE: ClassVar[str] = "access.proxy.v1"
    KEY: ClassVar[str] = "grant"

    grant: Annotated[str, StringConstraints(pattern=GRANT)]
    """`grant_key` of the two."""
    patient: PatientId
    proxy: ActorId
    until: UtcDatetime | None = None
