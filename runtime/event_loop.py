"""An event loop whose outgoing connections notice a peer that has gone silent.

TCP by itself retransmits for some fifteen minutes, and a connection on which we only wait for an answer
says nothing at all. A network that swallows packets must not hold a client that long.
"""

import socket
from typing import Any

import uvloop

SILENT_S = 10
"""How long what was sent may go without an acknowledgement, and an idle peer without an answer."""

_IDLE_S, _EVERY_S, _TIMES = 4, 2, 3
"""Keep-alive: the first question after so long, then every so often, given up after so many: 10 s in all."""

assert _IDLE_S + _EVERY_S * _TIMES == SILENT_S


class Loop(uvloop.Loop):
    """uvloop's, with time-outs of the kernel's own on every TCP connection that is made through it."""

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """As the base class; a connection then fails with OSError within `SILENT_S` of silence."""
        made: Any = await super().create_connection(*args, **kwargs)
        transport, protocol = made
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            _watch(connection)
        return transport, protocol


def _watch(connection: Any) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _EVERY_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _TIMES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)
