"""`herhaal revoke`: refuse a person's tokens from now on."""

from typing import Annotated, Literal

import typer

from cli.topics import Kafka

Why = Literal["left", "no_longer_proxy", "stolen", "other"]


def revoke(
    sub: Annotated[
        str, typer.Argument(metavar="SUB", help="Whose tokens: `sub` in them, a person or system.")
    ],
    why: Annotated[Why, typer.Option(help="Kept with the revocation.")] = "other",
    kafka: Kafka = "",
) -> None:
    """Refuse the tokens that somebody has got until now, in all services at once.

    Revoke at the issuer first: a token that it issues afterwards is accepted.
    """
    from cli.revoke.command import run_revoke

    run_revoke(kafka, sub, why)
