"""The services' consumer groups: each process is a member once."""

from collections.abc import Iterator

from runtime.kafka.group_members import duplicate_processes
from verify.evidence import Evidence
from verify.rules.finding import Finding


def process_twice_in_group(evidence: Evidence) -> Iterator[Finding]:
    """No process is a member of its consumer group twice: the partitions of one of the two stand still."""
    for member in duplicate_processes(evidence.dump.members):
        yield Finding(
            "the process is a member of the group more than once",
            f"{member.service}: {member.client_id}",
        )
