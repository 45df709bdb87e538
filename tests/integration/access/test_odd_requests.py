"""Requests that no ordinary client sends, byte by byte: none gets past the door, whatever it names."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from deploy.local import LocalStack
from schemas.access import Party, Scope, scope_of
from tests.integration.access.callers import NOBODY, Asking, asking
from tests.integration.access.door import Answer
from tests.integration.access.operations import Operation
from tests.integration.access.places import Asked, Place, Places

Hosts = Sequence[str]

ORDINARY: Hosts = ("127.0.0.1",)

HOSTS: Mapping[str, Hosts] = {
    "a host with a public path": ("elsewhere.example/livez?",),
    "a host with a fragment": ("elsewhere.example/livez#",),
    "two hosts": ("127.0.0.1", "elsewhere.example"),
    "no host": (),
    "an empty host": ("",),
    "another host": ("elsewhere.example",),
}

TARGETS = (
    "/{path}",
    "{path}/",
    "{path}?",
    "{path};x=/livez",
    "{path}%00",
    "{path}%20",
    "/livez/..{path}",
    "/livez/../..{path}",
    "/livez/..%2f{path}",
    "/livez%2f..{path}",
    "/.{path}",
    "/livez?{path}#{path}",
    "http://elsewhere.example/livez?{path}",
    "http://elsewhere.example{path}",
    "elsewhere.example{path}",
)

METHODS = ("HEAD", "OPTIONS", "TRACE", "get", "GET\tGET", "PROPFIND")


@dataclass(frozen=True)
class Raw:
    """A request as it is written on the connection."""

    method: str
    target: str
    hosts: Hosts
    headers: Sequence[tuple[str, str]]

    def encoded(self) -> bytes:
        hosts = [("host", host) for host in self.hosts]
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (*hosts, *self.headers)]
        return "\r\n".join([*lines, "connection: close", "content-length: 0", "", ""]).encode()


async def _answer(address: str, request: Raw) -> Answer:
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request.encoded())
        async with asyncio.timeout(20):
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [line.partition(": ") for line in lines]
    return Answer(int(status.split()[1]), {n.lower(): v for n, _, v in headers}, content)


def _gives_nothing_away(answer: Answer, place: Place) -> bool:
    """Tell whether this is a refusal, or what is said of what does not exist; and nobody is sent elsewhere."""
    named = (place.patient, str(place.order_id))
    quiet = not any(name.encode() in answer.content for name in named)
    public = answer.content == b"ok\n"
    refused = answer.status >= 400 or answer.said == "200 empty" or public
    return quiet and refused and answer.status < 500 and "location" not in answer.headers


def _requests(operation: Operation, place: Place, caller: Asking) -> list[Raw]:
    path, headers = operation.path_to(place), [*caller.headers.items()]
    method = operation.method
    rewritten = ("x-original-url", "x-rewrite-url", "x-forwarded-prefix")
    return [
        *(Raw(method, path, hosts, headers) for hosts in HOSTS.values()),
        *(Raw(method, target.format(path=path), ORDINARY, headers) for target in TARGETS),
        *(Raw(other, path, ORDINARY, headers) for other in METHODS),
        *(Raw(method, path, ORDINARY, [*headers, (name, "/livez")]) for name in rewritten),
        *(Raw("GET", "/livez", ORDINARY, [*headers, (name, path)]) for name in rewritten),
    ]


@pytest.mark.parametrize("role", [None, Party.PATIENT], ids=["nobody", "another patient"])
async def test_no_odd_request_gets_past_the_door(
    stack: LocalStack, operations: Sequence[Operation], places: Places, role: Party | None
) -> None:
    own, others = places[Asked.OWN], places[Asked.OTHER_PATIENT]
    caller = NOBODY if role is None else asking(stack, role, own)
    passed = []
    for operation in operations:
        if operation.action is None or (role and scope_of(role, operation.action) is Scope.PUBLIC):
            continue
        for request in _requests(operation, others, caller):
            answer = await _answer(stack.endpoints[operation.service], request)
            if not _gives_nothing_away(answer, others):
                passed.append(f"{answer.status} {request}")
    assert not passed, "\n".join(passed)


async def test_an_ordinary_request_does(
    stack: LocalStack, operations: Sequence[Operation], places: Places
) -> None:
    """The requests above are refused for what is odd about them."""
    own = places[Asked.OWN]
    (order,) = [o for o in operations if (o.method, o.path) == ("GET", "/orders/{order_id}")]
    headers = [*asking(stack, Party.PATIENT, own).headers.items()]
    request = Raw("GET", order.path_to(own), ORDINARY, headers)
    answer = await _answer(stack.endpoints[order.service], request)
    assert answer.status == 200
    assert own.patient.encode() in answer.content


async def test_of_two_tokens_none_counts(
    stack: LocalStack, operations: Sequence[Operation], places: Places
) -> None:
    own, others = places[Asked.OWN], places[Asked.OTHER_PRACTICE]
    tokens = [
        header
        for place in (own, others)
        for header in asking(stack, Party.GP, place).headers.items()
    ]
    for operation in operations:
        if operation.action is not None:
            path = operation.path_to(own)
            request = Raw(operation.method, path, ORDINARY, tokens)
            answer = await _answer(stack.endpoints[operation.service], request)
            assert answer.status == 401, operation.name
