"""Chains audit entries, so that a changed, removed, inserted or moved one is found.

Each writer (a process) has a chain of its own: each link's MAC covers the entry, its number, and the MAC
before. The MACs need the audit key, which is not in the database. The head, which is stored beside the chain,
has a seal: a MAC over the number and MAC of the last link, so that a removed tail is found as well.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import msgspec

from runtime.audit.entry import Entry

KEY_BYTES = 32

_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends: the number of its last link and that link's MAC. A new chain has number 0."""

    seq: int = 0
    mac: bytes = b""


class Link(msgspec.Struct, frozen=True):
    """An entry in its place in a chain."""

    seq: int
    entry: Entry
    mac: bytes


class AuditKey:
    """Makes the MACs of chains and heads. Prints nothing of itself."""

    def __init__(self, secret: bytes) -> None:
        """Raise ValueError when the secret has not 32 bytes."""
        if len(secret) != KEY_BYTES:
            raise ValueError("an audit key has 32 bytes")
        self._secret = secret
        self.id = hashlib.sha256(b"herhaal audit key" + secret).digest()[:8]
        """Says which key made a chain; nothing of the key follows from it."""

    @classmethod
    def read(cls, text: str) -> "AuditKey":
        """Read a key from 64 hexadecimal digits. Raises ValueError, which quotes nothing, for other text."""
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            raise ValueError("an audit key has 64 hexadecimal digits") from None

    def links(self, writer: UUID, head: Head, entries: Iterable[Entry]) -> list[Link]:
        """Chain entries after this head."""
        links: list[Link] = []
        for entry in entries:
            head = Head(head.seq + 1, self._link(writer, head, entry))
            links.append(Link(head.seq, entry, head.mac))
        return links

    def seal(self, writer: UUID, head: Head) -> bytes:
        """The MAC of a head."""
        return self._mac(b"head", writer.bytes, head.seq.to_bytes(8), head.mac)

    def start_seal(self, writer: UUID, start: Head) -> bytes:
        """The MAC of a chain's beginning, after its oldest rows were deleted."""
        return self._mac(b"start", writer.bytes, start.seq.to_bytes(8), start.mac)

    def breaks(self, writer: UUID, start: Head, links: Sequence[Link]) -> Iterator[str]:
        """What is wrong with stored links, sorted by number, that should follow `start`; nothing if all is
        well.

        After a link that is wrong the check goes on from that link as it is stored.
        """
        before = start
        for link in links:
            if link.seq != before.seq + 1:
                yield f"after row {before.seq} comes row {link.seq}: {_missing(before.seq, link.seq)}"
            elif not hmac.compare_digest(link.mac, self._link(writer, before, link.entry)):
                yield f"row {link.seq} was changed, or is not where it was written"
            before = Head(link.seq, link.mac)

    def _link(self, writer: UUID, before: Head, entry: Entry) -> bytes:
        return self._mac(
            b"link", writer.bytes, (before.seq + 1).to_bytes(8), before.mac, _encode(entry)
        )

    def _mac(self, *parts: bytes) -> bytes:
        # Each part with its length: otherwise two different rows could have the same bytes.
        content = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self._secret, content, "sha256")


def _missing(before: int, after: int) -> str:
    if after <= before:
        return "a row was put in"
    gone = after - before - 1
    return "a row is missing" if gone == 1 else f"{gone} rows are missing"
