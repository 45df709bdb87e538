"""Whose access was taken away, and how far the audit trails of the services have come."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from schemas.base import ActorId, Body, UtcDatetime
from schemas.numbers import WHOLE


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


class AuditSealed(Body):
    """The end of the audit chain of a writer, a process of `service`: its last row's number and MAC.

    Kept outside of the database, so that rows at the end cannot be taken away unnoticed.
    """

    TYPE: ClassVar[str] = "audit.sealed.v1"
    KEY: ClassVar[str] = "writer"

    writer: UUID
    service: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")]
    seq: Annotated[int, Field(ge=1), WHOLE]
    mac: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
