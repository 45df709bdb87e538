"""A network namespace with links to this machine that can be made to drop packets.

A cut link drops packets without an error: the sender's neighbour table gets a hardware address that no
interface has. That needs root and iproute2, but no firewall.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

_NOBODY = "02:00:00:00:00:99"


class Cut(Enum):
    """Which packets a link drops, seen from the namespace."""

    BOTH = "both directions"
    REQUESTS = "what is sent"
    REPLIES = "what comes back: half-open"
    ROUTE = "what is sent, by a blackhole route"


def can_make_namespaces() -> bool:
    """Whether this process is root and iproute2 is installed."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


@dataclass(frozen=True)
class Link:
    """A pair of interfaces: `here` on this machine, `there` in the namespace."""

    name: str
    namespace: str
    here: str
    there: str

    def open(self) -> None:
        """Create both interfaces, with their addresses."""
        near, far = self._near, self._far
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.namespace)
        _ip("addr", "add", f"{self.here}/30", "dev", near)
        _ip("link", "set", near, "up")
        self._inside("addr", "add", f"{self.there}/30", "dev", far)
        self._inside("link", "set", far, "up")

    def cut(self, what: Cut) -> None:
        """Start to drop packets."""
        if what is Cut.ROUTE:
            self._inside("route", "add", "blackhole", f"{self.here}/32")
        if what in (Cut.BOTH, Cut.REQUESTS):
            self._inside(*_neighbour("replace", self.here, self._far))
        if what in (Cut.BOTH, Cut.REPLIES):
            _ip(*_neighbour("replace", self.there, self._near))

    def mend(self, what: Cut) -> None:
        """Undo a cut."""
        if what is Cut.ROUTE:
            self._inside("route", "del", "blackhole", f"{self.here}/32")
        if what in (Cut.BOTH, Cut.REQUESTS):
            self._inside("neigh", "del", self.here, "dev", self._far)
        if what in (Cut.BOTH, Cut.REPLIES):
            _ip("neigh", "del", self.there, "dev", self._near)

    @property
    def _near(self) -> str:
        return f"{self.namespace}{self.name[0]}"

    @property
    def _far(self) -> str:
        return f"{self.namespace}{self.name[0]}x"

    def _inside(self, *arguments: str) -> None:
        _ip("-n", self.namespace, *arguments)


@dataclass(frozen=True)
class Namespace:
    """A namespace and its links by name."""

    name: str
    links: dict[str, Link]

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` in the namespace."""
        return ["ip", "netns", "exec", self.name, *argv]


@contextmanager
def namespace(*links: str) -> Iterator[Namespace]:
    """Create a namespace with these links, and delete it after the body. Their first letters must differ."""
    # An interface's name has at most 15 characters, and two test runs may share a machine.
    name = f"hh{os.getpid()}"
    net = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
    made = Namespace(
        name,
        {
            link: Link(link, name, f"{net}.{4 * place + 1}", f"{net}.{4 * place + 2}")
            for place, link in enumerate(links)
        },
    )
    _ip("netns", "add", name)
    try:
        for link in made.links.values():
            link.open()
        _ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        _ip("netns", "del", name)


def _neighbour(verb: str, address: str, interface: str) -> tuple[str, ...]:
    return ("neigh", verb, address, "lladdr", _NOBODY, "dev", interface, "nud", "permanent")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)
