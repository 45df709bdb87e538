"""Limits how many requests somebody may send: by token, by patient and by address, for all processes together.

Counted in the service's own database. Without it nothing can be counted, so nothing is answered: 503.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network, ip_address
from itertools import chain
from math import ceil
from typing import Protocol

from fastapi import Request

from runtime.http.answer_headers import add_to_answer
from runtime.http.problems import Problem
from runtime.http.query_batching import QueryBatcher
from runtime.limits import Counted, Limit, Limits, Use
from schemas.access import SYSTEM_KINDS, Claims

CountRequests = Callable[[Mapping[Use, int], bool], Awaitable[Mapping[bytes, Counted]]]
"""Counts so many requests for each use, and removes old rows if told so."""

REMOVE_EVERY_S = 30.0
"""How often (seconds) a process removes the rows of those who have been quiet."""

_NETWORK_BITS = 64
"""Of an IPv6 address: a household or server has all addresses of such a network."""


class Limiter(Protocol):
    """Counts requests. Raises Problem, 429, for one that is too many."""

    async def bearer(self, request: Request, claims: Claims) -> None:
        """Count a request for its token, and for the patient of its path."""

    async def stranger(self, request: Request) -> None:
        """Count a request without a valid token for its address."""

    async def patient(self, claims: Claims, patient: str) -> None:
        """Count a request for the patient that its body or its order names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found for one use of one request: whether it is admitted, and the state of its quota."""

    use: Use
    admitted: bool
    busy_s: float

    @property
    def policy(self) -> str:
        """An item of `RateLimit-Policy`: the quota, and the window in which it is free again."""
        limit = self.use.limit
        return f'"{self.use.name}";q={limit.quota};w={limit.window_s}'

    @property
    def state(self) -> str:
        """An item of `RateLimit`: what is left, and the seconds until all is."""
        limit = self.use.limit
        left = int((limit.window_s - self.busy_s) / limit.step_s + 0.001)
        return f'"{self.use.name}";r={max(0, left)};t={max(0, ceil(self.busy_s))}'

    @property
    def wait_s(self) -> int:
        """Seconds until one more request is admitted, at least 1."""
        limit = self.use.limit
        return max(1, ceil(self.busy_s + limit.step_s - limit.window_s))


class RateLimits:
    """Counts requests against `limits` by `count`; those that arrive together are counted together."""

    def __init__(
        self,
        limits: Limits,
        count: CountRequests,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._count = count
        self._clock = clock
        self._removes_at = clock() + REMOVE_EVERY_S
        self._batcher: QueryBatcher[Sequence[Use], Sequence[Verdict]] = QueryBatcher(self._counted)

    async def bearer(self, request: Request, claims: Claims) -> None:
        """Count a request for its token and, when a system sends it, for the patient of its path."""
        if claims.role not in SYSTEM_KINDS:
            uses = [_use("person", self._limits.person, claims.sub)]
        else:
            uses = [_use("system", self._limits.system, claims.sub)]
            if patient := request.path_params.get("patient"):
                uses.append(_use("patient", self._limits.patient, claims.sub, patient))
        await self._admit_showing(request, uses)

    async def stranger(self, request: Request) -> None:
        """Count a request without a valid token for its address."""
        address = network_of(request.client.host if request.client else "")
        await self._admit_showing(request, [_use("address", self._limits.address, address)])

    async def patient(self, claims: Claims, patient: str) -> None:
        """Count a request of a system for the patient whom its body or its order names."""
        if claims.role in SYSTEM_KINDS:
            use = _use("patient", self._limits.patient, claims.sub, patient)
            found = await self._batcher.run([use])
            _refuse(found, shown=False)

    async def _admit_showing(self, request: Request, uses: Sequence[Use]) -> None:
        found = await self._batcher.run(uses)
        add_to_answer(request, _shown(found))
        _refuse(found, shown=True)

    async def _counted(self, batch: Sequence[Sequence[Use]]) -> Sequence[Sequence[Verdict]]:
        """Count the uses of a batch of requests; the first of them are admitted."""
        counted = await self._count(Counter(chain.from_iterable(batch)), self._is_time_to_remove())
        left = {key: found.admitted for key, found in counted.items()}

        def verdict(use: Use) -> Verdict:
            left[use.key] -= 1
            return Verdict(use, left[use.key] >= 0, counted[use.key].busy_s)

        return [[verdict(use) for use in uses] for uses in batch]

    def _is_time_to_remove(self) -> bool:
        now_s = self._clock()
        if now_s < self._removes_at:
            return False
        self._removes_at = now_s + REMOVE_EVERY_S
        return True


def network_of(address: str) -> str:
    """What is counted of an address: a whole IPv4 address, and the network of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((parsed, _NETWORK_BITS), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _use(name: str, limit: Limit, *whose: str) -> Use:
    """A use whose key has a fixed size, whatever it is of."""
    return Use(blake2b("\0".join((name, *whose)).encode(), digest_size=16).digest(), name, limit)


def _shown(found: Sequence[Verdict]) -> Mapping[str, str]:
    return {
        "RateLimit-Policy": ", ".join(verdict.policy for verdict in found),
        "RateLimit": ", ".join(verdict.state for verdict in found),
    }


def _refuse(found: Sequence[Verdict], *, shown: bool) -> None:
    """Raise the 429 unless all admitted the request; with what was found, unless that is shown already."""
    waits_s = [verdict.wait_s for verdict in found if not verdict.admitted]
    if waits_s:
        wait_s = max(waits_s)
        detail = f"Too many requests; please try again in {wait_s} s."
        headers = {"Retry-After": f"{wait_s}", **({} if shown else _shown(found))}
        raise Problem(429, "too-many-requests", detail, headers=headers)
