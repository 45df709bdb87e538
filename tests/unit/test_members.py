"""Client ids name host and process, so that members of a consumer group can be distinguished."""

import os
import re
import socket

from runtime.kafka.client_id import client_id
from runtime.kafka.group_members import Member, count_by_host, duplicate_processes

ONE = Member("ordering", "herhaal-ordering-practice-7.example-1-19ac0e1")
RESTARTED = Member("ordering", "herhaal-ordering-practice-7.example-1-19ac0e2")
ELSEWHERE = Member("ordering", "herhaal-ordering-other-1-19ac0e1")


def test_a_client_id_names_service_host_and_process() -> None:
    named = client_id("ordering")
    assert re.fullmatch(
        rf"herhaal-ordering-{re.escape(socket.gethostname())}-{os.getpid()}-[0-9a-f]+", named
    )
    assert Member("ordering", named).host == socket.gethostname()


def test_a_process_has_one_client_id() -> None:
    assert client_id("ordering") == client_id("ordering")


def test_a_process_that_is_in_the_group_twice_is_found() -> None:
    assert duplicate_processes([ONE, ELSEWHERE, ONE]) == [ONE]


def test_a_container_that_was_started_again_is_another_process() -> None:
    """Given the same host and process id as before the restart, and a member that has not timed out;
    then the two are different processes."""
    assert duplicate_processes([ONE, RESTARTED, ELSEWHERE]) == []


def test_members_are_counted_by_host() -> None:
    assert count_by_host([ONE, ELSEWHERE, RESTARTED]) == {"other": 1, "practice-7.example": 2}


def test_a_client_that_is_not_ours_is_its_own_host() -> None:
    assert count_by_host([Member("ordering", "console-consumer")]) == {"console-consumer": 1}
