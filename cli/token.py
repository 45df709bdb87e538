"""`herhaal token`: print an access token of a local stack."""

from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError

from cli.console import UserError
from cli.up import DEFAULT_DATA
from deploy.local.data import DataFolder
from deploy.local.issuer.people import claims_of, missing_scope
from deploy.local.issuer.program import read_address
from deploy.local.issuer.tokens import token_of
from schemas.access import Claims, Party, Scope

_ADD = {
    Scope.PATIENTS: "--patient pat_…",
    Scope.PRACTICE: "--practice AGB",
    Scope.PHARMACY: "--pharmacy AGB",
    Scope.REGION: "--region NAME",
}
_OPTIONS = {scope.value: example.partition(" ")[0] for scope, example in _ADD.items()}


class ScopeMissing(UserError):
    """The role needs a scope that was not given."""

    exit_code = 2


@dataclass(frozen=True)
class Bearer:
    """Whose token is asked for, as it was typed; without a `system`, a made-up one."""

    role: str
    patients: list[str]
    practice: str | None
    pharmacy: str | None
    region: str | None
    system: str | None


def run_token(bearer: Bearer, data: Path | None) -> None:
    """Print a token. Raises StackError without a stack, and what `read_bearer` raises."""
    claims = read_bearer(bearer)
    folder = DataFolder(data or DEFAULT_DATA)
    folder.identity()
    print(token_of(claims, read_address(folder.issuer), folder.issuer))


def read_bearer(bearer: Bearer) -> Claims:
    """Make the claims.

    Raises ScopeMissing, or typer.BadParameter for what is no role, code or pseudonym.
    """
    try:
        role = Party(bearer.role)
    except ValueError:
        raise typer.BadParameter(
            f"There is no role {bearer.role}; there are {', '.join(Party)}.", param_hint="--as"
        ) from None
    try:
        claims = claims_of(
            role,
            patients=bearer.patients,
            practice=bearer.practice,
            pharmacy=bearer.pharmacy,
            region=bearer.region,
            sub=bearer.system,
        )
    except ValidationError as error:
        raise _invalid(error) from None
    if missing := missing_scope(claims):
        raise ScopeMissing(f"The role {role} needs a scope: add {_ADD[missing]}.")
    return claims


def _invalid(error: ValidationError) -> typer.BadParameter:
    first = error.errors(include_url=False, include_context=False)[0]
    option = _OPTIONS[str(first["loc"][0])]
    return typer.BadParameter(f"{first['input']!r}: {first['msg']}.", param_hint=option)
