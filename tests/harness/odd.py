"""A record that Kafka clients for Python refuse to make, but other clients can send."""

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from runtime.kafka_address import client_options
from runtime.messages.partitioner import partition_of
from tests.harness.made import Sent


class OddName(str):
    """A header name that encodes to bytes that are not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def send_with_odd_header_name(bootstrap: str, record: Sent) -> None:
    """Send a record to its key's partition, with one more header, whose name is not UTF-8."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 100_000)
    headers = [*record.headers, (OddName("odd"), b"1")]
    builder.append(0, 1000, record.key, record.value, headers)
    client = AIOKafkaProducer(**client_options(bootstrap))
    await client.start()
    try:
        count = len(await client.partitions_for(record.topic))
        partition = partition_of(record.key or b"", count)
        where = TopicPartition(record.topic, partition)
        node = client.client.cluster.leader_for_partition(where)
        data = [(record.topic, [(partition, bytes(builder.build()))])]
        answer = await client.client.send(node, ProduceRequest(None, -1, 5000, data))
        error = answer.topics[0][1][0][1]
        assert error == 0, f"the broker answered {error}"
    finally:
        await client.stop()
