"""An event loop with TCP time-outs on outgoing connections, against silent peers and lost packets.

By default TCP retransmits for some 15 minutes, and an idle connection never detects that its peer is gone.
"""

import socket
from typing import Any

import uvloop

PEER_TIMEOUT_S = 10
"""Time-out for unacknowledged data, and for an idle peer that does not answer keep-alive probes."""

_KEEPALIVE_IDLE_S, _KEEPALIVE_INTERVAL_S, _KEEPALIVE_PROBES = 4, 2, 3

assert _KEEPALIVE_IDLE_S + _KEEPALIVE_INTERVAL_S * _KEEPALIVE_PROBES == PEER_TIMEOUT_S


class EventLoop(uvloop.Loop):
    """uvloop's event loop, with kernel time-outs on every outgoing TCP connection."""

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect. The connection fails with OSError when its peer is silent for `PEER_TIMEOUT_S`."""
        connected: Any = await super().create_connection(*args, **kwargs)
        transport, protocol = connected
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            _set_timeouts(connection)
        return transport, protocol


def _set_timeouts(connection: Any) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PEER_TIMEOUT_S * 1000)
