"""The part that all operator audits share: the signature and the audit record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from cli.console import UserError
from cli.publish import SOURCE
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.message import Outgoing
from schemas.records.operators import (
    OperatorAction,
    OperatorErasure,
    OperatorParts,
    OperatorProgress,
    OperatorRebuild,
)
from schemas.topics import OPERATORS_AUDIT


@dataclass(frozen=True)
class Signature:
    """Who acts and why, in the operator's own words."""

    by: str
    why: str


Action: TypeAlias = (
    OperatorAction | OperatorErasure | OperatorParts | OperatorProgress | OperatorRebuild
)


@contextmanager
def accountable() -> Iterator[None]:
    """Turn a validation error of an audit body into a UserError about its name or reason."""
    try:
        yield
    except ValueError:
        raise UserError(
            "A name (--by) has 1 to 200 characters, a reason at most 2000, and neither U+0000."
        ) from None


def record_of(done: Action, *what: str) -> Outgoing:
    """Make the audit record of an action. `what` names its target, when that is not the service."""
    return outgoing(
        OPERATORS_AUDIT.name,
        done,
        key=done.service,
        id=event_id(done.TYPE, done.service, *what, done.result, done.at.isoformat()),
        source=SOURCE,
        subject=what[0] if what else done.service,
        at=done.at,
        traceparent=None,
    )


def line_of(done: Action, what: str, then: str = "") -> str:
    """Format an action for the screen: who did what, why, and the result."""
    at = done.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    why = done.why or "no reason given"
    return f"audit: {at} {what} by {done.by} ({why}): {done.result}{then}"
