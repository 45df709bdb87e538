"""Runs Kafka requests of the command line; a failure becomes one sentence."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg
from aiokafka.errors import KafkaConnectionError, KafkaError

from cli.console import UserError
from runtime.kafka import record_reader
from runtime.kafka.access_control import AccessControlFailed
from runtime.kafka.producer import NotPublished
from runtime.kafka_address import servers_of

T = TypeVar("T")

UNAVAILABLE = (KafkaError, OSError, TimeoutError)
"""What a Kafka that is unavailable, or refuses, raises."""


def ask(kafka: str, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. Raises UserError when Kafka is unavailable or refuses."""
    # The client would log each failed attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    record_reader.install()
    try:
        return asyncio.run(work)
    except AccessControlFailed as error:
        raise UserError(f"{error} (at {servers_of(kafka)}).") from error
    except (KafkaConnectionError, OSError, TimeoutError) as error:
        raise UserError(f"Kafka does not answer at {servers_of(kafka)}; is it running?") from error
    except KafkaError as error:
        raise UserError(f"Kafka at {servers_of(kafka)} refuses: {error}") from error


def ask_both(kafka: str, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on Kafka and PostgreSQL. Raises UserError when one is unavailable or refuses."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    record_reader.install()
    try:
        return asyncio.run(work)
    except (*UNAVAILABLE, NotPublished, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UserError(
            f"Kafka at {servers_of(kafka)} or PostgreSQL is unavailable or refuses ({type(error).__name__})."
        ) from error
