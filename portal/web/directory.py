"""Pharmacies and practices, as everybody may know them: remembered for a minute, as each page shows them."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

from herhaal_client import Clients
from portal.web.away import or_none
from schemas.api.directory import PharmacyView, PracticeView

T = TypeVar("T")

KEPT_S = 60.0
_PHARMACIES = "pharmacies"


class Directory:
    """Asks ordering, with the token of whoever looks first. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[object, float]] = {}

    async def pharmacies(self, api: Clients) -> Sequence[PharmacyView]:
        """All pharmacies, by city and name. Raises ApiError."""

        async def ask() -> Sequence[PharmacyView]:
            return (await api.ordering.pharmacies()).pharmacies

        return await self._remembered(_PHARMACIES, ask)

    async def practice(self, api: Clients, agb: str) -> PracticeView | None:
        """A practice; None for one that is not in the directory. Raises ApiError."""
        return await self._remembered(agb, lambda: or_none(api.ordering.practice(agb)))

    async def _remembered(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[1]:
            return cast(T, kept[0])
        found = await ask()
        self._kept[key] = found, self._clock() + KEPT_S
        return found
