"""Publishes a list of medicine groups to Kafka, and reads the lists back."""

from functools import partial

from cli.entries.publishing import COPIES, Kind, Report, publish_entries, send
from cli.medicines.wording import signature
from cli.publish import publisher
from runtime.kafka.admin import apply_topics, count_brokers
from runtime.kafka.global_table import read_table
from schemas.records.medicines import MedicineList, MedicineListEntry
from schemas.topics import DIRECTORY_MEDICINES

_LISTS = Kind(DIRECTORY_MEDICINES, MedicineList, signature)


async def publish_list(bootstrap: str, list_: MedicineListEntry) -> Report:
    """Create the topic, then publish the list when it is new or changed.

    Raises:
        KafkaError: Kafka refuses or is unavailable.
        OSError: the list was not acknowledged, or the current ones were not read, in time.
    """
    copies = min(COPIES, await count_brokers(bootstrap))
    await apply_topics(bootstrap, [DIRECTORY_MEDICINES], copies)
    async with publisher(bootstrap) as producer:
        rows = await publish_entries(bootstrap, _LISTS, [list_], partial(send, producer))
    return Report(tuple(rows))


async def read_lists(bootstrap: str) -> dict[str, MedicineList]:
    """Read the lists that are on Kafka, by name. Raises KafkaError or OSError."""
    return await read_table(bootstrap, DIRECTORY_MEDICINES, MedicineList)
