"""Asks the running services, and reads what their answers give away."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import orjson

from deploy.local import LocalStack
from tests.harness.streams import MARKS, stream
from tests.integration.access.callers import Asking
from tests.integration.access.cells import Said
from tests.integration.access.operations import Operation
from tests.integration.access.places import Place, is_empty

_OF_THE_MOMENT = ("date", "ratelimit")
"""Of the clock, and of how much the caller itself has asked: equal requests differ in them too."""

NOTHING = (404, "200 empty")
"""What a caller may be told of what does not exist."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request, with all that it says."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def said(self) -> Said:
        """The status, or that it is a list with nothing in it."""
        return "200 empty" if self.status == 200 and is_empty(self.content) else self.status

    def is_like(self, other: "Answer") -> bool:
        """Tell whether nobody could tell these two answers apart."""
        return self._tellable == other._tellable

    @property
    def _tellable(self) -> tuple[object, ...]:
        headers = {name: said for name, said in self.headers.items() if name not in _OF_THE_MOMENT}
        return self.status, headers, self.content


@dataclass(frozen=True)
class Door:
    """The running services, asked by a client without a token of its own."""

    stack: LocalStack
    http: httpx.AsyncClient

    async def ask(self, operation: Operation, place: Place, caller: Asking) -> Answer:
        """Do the operation to this place."""
        if operation.streams:
            return await self._listen(operation, place, caller)
        answer = await self.http.request(
            operation.method,
            self.stack.endpoints[operation.service] + operation.path_to(place),
            json=operation.body_for(place, caller.actor if caller.names else None),
            headers=caller.headers,
        )
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    async def _listen(self, operation: Operation, place: Place, caller: Asking) -> Answer:
        """Open a stream from before the place's order; what it tells of that is the answer's content."""
        url = self.stack.endpoints[operation.service] + operation.path_to(place)
        last_id = place.since.get(operation.service, "0-0")
        async with stream(self.http, url, caller.headers, last_id) as opened:
            if opened.answer.status_code != 200:
                content = await opened.answer.aread()
            else:
                told = [each.data for each in await opened.begin() if each.name not in MARKS]
                content = orjson.dumps({"events": told})
            return Answer(opened.answer.status_code, dict(opened.answer.headers), content)
