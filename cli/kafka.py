"""Asking Kafka something from the command line: one sentence when it cannot answer."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from cli.console import UserError
from runtime.kafka import record_reader

T = TypeVar("T")


def ask(kafka: str, work: Coroutine[Any, Any, T]) -> T:
    """The answer of Kafka. Raises UserError when it does not answer, or refuses."""
    # The client logs each failed attempt with its own words; the user gets one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    record_reader.install()
    try:
        return asyncio.run(work)
    except (KafkaConnectionError, OSError, TimeoutError) as error:
        raise UserError(f"Kafka does not answer at {kafka}; is it running?") from error
    except KafkaError as error:
        raise UserError(f"Kafka at {kafka} refuses: {error}") from error
