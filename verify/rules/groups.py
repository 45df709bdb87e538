"""What holds of the services' consumer groups."""

from collections.abc import Iterator

from runtime.kafka.group_members import processes_twice
from verify.facts import Facts
from verify.rules.found import Found


def process_twice_in_group(facts: Facts) -> Iterator[Found]:
    """No process is in its service's group twice: nobody would handle the partitions of one of the two."""
    for member in processes_twice(facts.dump.members):
        yield Found("it is in the group more than once", f"{member.service}: {member.client_id}")
