"""The made-up region that a new stack of `herhaal up` begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.local import LocalStack


async def fill_example(stack: LocalStack) -> None:
    """Fill a new stack with the example, and say so.

    Raises:
        UserError: a service does not take what it is sent, or Kafka refuses.
    """
    # Imported here: it takes a while, during which the stack starts.
    from cli.example.fill import fill_new

    await fill_new(stack)
