"""A stack whose connections to Kafka are encrypted: one broker for the whole loop, three for themselves."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from cli.topics.commands import prepare
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from deploy.local.certificates import AUTHORITY, ensure_certificates
from runtime.kafka.access_control import users
from runtime.kafka.admin import count_brokers
from runtime.kafka_address import Address, client_options
from schemas import topics
from tests.harness.kafka import records_of, send, sent
from tests.harness.made import a_patient, an_import


async def test_services_talk_to_kafka_encrypted_and_nobody_talks_to_it_otherwise(
    tmp_path: Path,
) -> None:
    """Given a stack with --tls; then an import is handled, and a client without TLS gets no answer."""
    options = replace(StackOptions.at(tmp_path, free_ports()), tls=True)
    async with LocalStack(options) as stack:
        await start_everything(stack)
        patient = a_patient()
        await send(stack.kafka, [sent(topics.MEDICATION_CHANGES.name, an_import(patient))])
        await records_of(stack.kafka, topics.MEDICATION_STATUS.name, [patient], 1)
        assert "ordering" in await users(stack.kafka)
        for wrong in (
            replace(Address.parse(stack.kafka), ca=None),
            _another_authority(stack, tmp_path),
        ):
            client = AIOKafkaProducer(**client_options(wrong.full))
            with pytest.raises(KafkaConnectionError):
                await client.start()
            await client.stop()


async def test_three_brokers_find_each_other_encrypted(tmp_path: Path) -> None:
    options = replace(StackOptions.at(tmp_path, free_ports(3)), tls=True)
    async with LocalStack(options) as stack:
        await stack.start_kafka()
        await prepare(stack.kafka, 3)
        assert await count_brokers(stack.kafka) == 3


def _another_authority(stack: LocalStack, folder: Path) -> Address:
    """The address with an authority that did not sign the brokers' certificate."""
    ensure_certificates(folder / "another")
    return replace(Address.parse(stack.kafka), ca=str(folder / "another" / AUTHORITY))
