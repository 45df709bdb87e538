"""What `herhaal lag` prints about a service: its lag, and its group's members and errors."""

from io import StringIO

from rich.console import Console

from cli.lag import PartitionLag, ServiceLag, render
from runtime.kafka.group_members import Member

BEHIND = (PartitionLag("orders.requests", 3, 20, 13, 7),)
ONE, TWO = (Member("ordering", f"herhaal-ordering-box-{pid}-19ac0") for pid in (11, 12))
ELSEWHERE = Member("ordering", "herhaal-ordering-other-11-19ac0")


def _said(*members: Member) -> str:
    console = Console(file=StringIO(), width=200)
    with console.capture() as captured:
        console.print(render([ServiceLag("ordering", BEHIND, members)], partitions=False))
    return captured.get()


def test_it_says_how_many_members_a_group_has() -> None:
    assert "ordering: 7 records behind, 0 members\n" in _said()
    assert "ordering: 7 records behind, 1 member\n" in _said(ONE)
    assert "ordering: 7 records behind, 2 members\n" in _said(ONE, ELSEWHERE)


def test_several_members_on_a_host_are_noted_and_no_error() -> None:
    said = _said(ONE, TWO, ELSEWHERE)
    assert "ordering: 7 records behind, 3 members (2 on box)\n" in said
    assert "ERROR" not in said


def test_one_process_twice_in_a_group_is_an_error() -> None:
    said = _said(ONE, ONE)
    assert "2 members (2 on box)" in said
    assert f"ordering: ERROR: the process {ONE.client_id} is in the group twice" in said


def test_a_service_that_has_never_run_shows_no_members() -> None:
    console = Console(file=StringIO(), width=200)
    with console.capture() as captured:
        console.print(render([ServiceLag("metrics", ())], partitions=False))
    assert captured.get() == "metrics: has never run on this Kafka\n"
