"""What a request turns out to be about, and the audit entries that follow from it."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from runtime.audit.entry import Channel, Entry, Outcome
from runtime.http.problems import Problem
from schemas.access import Action, Claims
from schemas.base import Actor, PlacedBy

WriteAudit = Callable[[Sequence[Entry]], Awaitable[None]]
"""Writes entries; they are on the disk when it returns."""

FORBIDDEN, INVALID = "forbidden", "invalid"

_BEFORE_THE_ENDPOINT = (FORBIDDEN, INVALID)
"""Refusals of a role, and of parameters and bodies."""

_IDENTIFIER = re.compile(r"[\w.:-]{1,100}", re.ASCII)


@dataclass(slots=True)
class Trace:
    """What a request is about, as its endpoint finds out.

    `patients` are those whose records it concerns, `path` what the path names beside them, `thing` what else
    it is about. `acts_for` is whom a system names. `purpose` is the caller's, where it is asked for. `nothing`
    says that the answer shows nothing, `written` which outcome the endpoint has written itself.
    """

    patients: dict[str, None] = field(default_factory=dict)
    practice: str | None = None
    path: str | None = None
    thing: str | None = None
    acts_for: Actor | PlacedBy | None = None
    purpose: str | None = None
    nothing: bool = False
    written: Outcome | None = None

    def concerns(self, patients: Iterable[str], practice: str | None = None) -> None:
        """Note whose records these are."""
        self.patients.update(dict.fromkeys(patients))
        self.practice = practice or self.practice

    def entries(
        self, claims: Claims, action: Action, outcome: Outcome, reason: str | None = None
    ) -> list[Entry]:
        """The entries of this request: one for each patient; one without, where it concerns none."""
        now, by = datetime.now(UTC), self.acts_for
        return [
            Entry(
                at=now,
                role=claims.role,
                actor=claims.sub,
                organisation=claims.practice or claims.pharmacy or claims.region,
                for_role=by.role if by else None,
                for_id=by.id if by else None,
                patient=patient,
                practice=self.practice,
                action=action,
                thing=self.thing or self.path,
                channel=Channel.HTTP,
                outcome=outcome,
                reason=reason,
                purpose=self.purpose,
            )
            for patient in self.patients or (None,)
        ]

    def after(self, claims: Claims, action: Action, error: Exception | None) -> Sequence[Entry]:
        """The entries that are still to be written once the endpoint has ended, by this error if any.

        A look at nobody's records leaves none. A refusal does, also where nobody knows whose they are.
        """
        if error is None:
            outcome = Outcome.NOTHING if self.nothing else Outcome.ALLOWED
            reason, worth = None, bool(self.patients)
        else:
            status, reason = _refusal(error)
            if reason in _BEFORE_THE_ENDPOINT:
                # Nobody has checked the path: it may hold anything.
                self.path = None
            outcome = Outcome.REFUSED if status < 500 else Outcome.FAILED
            worth = bool(self.patients) or status in (403, 404)
        if self.written is not None:
            # What was taken may still have failed, or been refused by what was found later.
            worth = error is not None and self.written is Outcome.ALLOWED
        if not worth:
            return ()
        return self.entries(claims, action, outcome, reason)


def identifier(parameters: Mapping[str, str]) -> str | None:
    """What a path names beside the patient, where it looks like an identifier."""
    named = [v for name, v in parameters.items() if name != "patient" and _IDENTIFIER.fullmatch(v)]
    return ":".join(named)[:100] or None


def _refusal(error: Exception) -> tuple[int, str]:
    """The status and code of the answer to an error."""
    match error:
        case Problem():
            return error.status, error.code
        case RequestValidationError():
            return 422, INVALID
        case HTTPException():
            return error.status_code, "refused"
        case _:
            return 500, type(error).__name__
