"""How far the audit trails of the services have come."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.base import Body
from schemas.numbers import WHOLE


class AuditSealed(Body):
    """The end of the audit chain of a writer, a process of `service`: its last row's number and MAC.

    Kept outside of the database, so that rows at the end cannot be taken away unnoticed.
    """

    TYPE: ClassVar[str] = "audit.sealed.v1"
    KEY: ClassVar[str] = "writer"

    writer: Annotated[
        str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    ]
    service: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")]
    seq: Annotated[int, Field(ge=1), WHOLE]
    mac: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
