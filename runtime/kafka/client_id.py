"""The Kafka client id of this process."""

import os
import socket
import time

_STARTED = f"{time.time_ns() // 1_000_000:x}"
"""Start time of this process: restarted containers often have the same process id."""


def client_id(service: str) -> str:
    """The client id of this process in its service's consumer group, unique per process."""
    return f"herhaal-{service}-{socket.gethostname()}-{os.getpid()}-{_STARTED}"
