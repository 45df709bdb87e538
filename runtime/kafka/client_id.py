"""What this process calls itself in Kafka."""

import os
import socket
import time

_STARTED = f"{time.time_ns() // 1_000_000:x}"
"""When this process started: containers give the same process id to one after another."""


def client_id(service: str) -> str:
    """The client id of this process in its service's consumer group: no two processes have the same."""
    return f"herhaal-{service}-{socket.gethostname()}-{os.getpid()}-{_STARTED}"
