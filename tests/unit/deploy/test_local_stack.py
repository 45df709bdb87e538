"""The parts of the local stack that need no server: ports, data folder, back-off, addresses."""

import json
import os
import stat
import struct
from pathlib import Path

import psutil
import pytest
from joserfc import jwt

from deploy.local import PortPlan, StackError, StackOptions, free_ports
from deploy.local.cache import cache_folder
from deploy.local.data import FORMAT, DataFolder, require_space, write_atomically
from deploy.local.issuer.keys import ensure_key
from deploy.local.kafka.program import KafkaInstall
from deploy.local.kafka.server import server_properties
from deploy.local.ports import is_free
from deploy.local.postgres.account import with_traversal
from deploy.local.postgres.databases import role_password, service_dsn
from deploy.local.postgres.server import buffers_mb
from deploy.local.processes.process import Program, kill_tree, spawn
from deploy.local.processes.services import service_command
from deploy.local.processes.supervisor import Backoff
from deploy.local.stack import KAFKA_STOP_S, POSTGRES_STOP_S, SERVICES_STOP_S, LocalStack
from schemas.access import Party


def test_services_get_the_ports_after_the_base_in_order() -> None:
    assert PortPlan(8100).services == {
        "ordering": 8101,
        "medication": 8102,
        "notification": 8103,
        "metrics": 8104,
    }
    assert PortPlan(8100).postgres == 8105
    assert PortPlan(8100).issuer == 8106


def test_controllers_keep_their_ports_whether_there_are_one_or_three_brokers() -> None:
    assert PortPlan(kafka=9092, brokers=1).controller_ports == (9095,)
    assert PortPlan(kafka=9092, brokers=3).controller_ports == (9095, 9096, 9097)
    assert (
        PortPlan(kafka=9092, brokers=3).bootstrap == "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094"
    )


@pytest.mark.parametrize("brokers", [0, 2, 4])
def test_only_one_or_three_brokers_make_sense(brokers: int) -> None:
    with pytest.raises(StackError, match="--brokers must be 1 or 3"):
        PortPlan(brokers=brokers)


def test_blocks_of_ports_that_overlap_are_refused_before_anything_starts() -> None:
    with pytest.raises(StackError, match="overlap"):
        PortPlan(base=9090, kafka=9092)


def test_ports_beyond_the_last_one_are_refused() -> None:
    with pytest.raises(StackError, match="between 1 and 65000"):
        PortPlan(base=65534)


def test_free_ports_are_free_and_do_not_overlap() -> None:
    plan = free_ports(3)
    ports = [
        plan.postgres,
        plan.issuer,
        plan.portal,
        *plan.services.values(),
        *plan.broker_ports,
        *plan.controller_ports,
    ]
    assert len(set(ports)) == 13
    assert all(is_free(port) for port in ports)


def test_a_program_that_keeps_ending_is_started_after_longer_and_longer_waits() -> None:
    backoff = Backoff()
    assert [backoff.after(1) for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_program_that_was_well_for_half_a_minute_is_started_again_soon() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(1)
    assert backoff.after(30) == 0.5
    assert backoff.after(1) == 1


def test_a_disk_with_less_than_a_gibibyte_free_is_reported() -> None:
    require_space(Path("/data"), 1 << 30)
    with pytest.raises(StackError, match=r"Only 512 MiB is free on the disk of /data.*--data"):
        require_space(Path("/data"), 512 << 20)


def test_a_data_folder_keeps_its_cluster_when_it_is_opened_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "data")
    first = folder.open(brokers=1)
    folder.close()
    assert folder.open(brokers=1) == first
    folder.close()
    assert len(first.kafka_cluster) == 22


def test_a_data_folder_of_a_newer_version_is_refused_whatever_else_it_holds(tmp_path: Path) -> None:
    write_atomically(tmp_path / "version.json", {"format": FORMAT + 1, "new": "thing"})
    with pytest.raises(StackError, match="written by a newer version"):
        DataFolder(tmp_path).open(brokers=1)


def test_a_refused_data_folder_is_not_locked(tmp_path: Path) -> None:
    write_atomically(tmp_path / "version.json", {"format": FORMAT + 1})
    with pytest.raises(StackError, match="newer"):
        DataFolder(tmp_path).open(brokers=1)
    (tmp_path / "version.json").unlink()
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    folder.close()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "x"}', '{"format": 2}'])
def test_a_version_that_cannot_be_read_is_reported(tmp_path: Path, content: str) -> None:
    (tmp_path / "version.json").write_text(content)
    with pytest.raises(StackError, match=r"version\.json is not readable"):
        DataFolder(tmp_path).open(brokers=1)


def test_a_data_folder_cannot_change_its_number_of_brokers(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    folder.close()
    with pytest.raises(StackError, match="was made with --brokers 1"):
        folder.open(brokers=3)


def test_a_data_folder_is_used_by_one_stack_at_a_time(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    with pytest.raises(StackError, match="Another stack is running on"):
        DataFolder(tmp_path).open(brokers=1)
    folder.close()


def test_a_data_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be used"):
        DataFolder(tmp_path / "file").open(brokers=1)


def test_a_file_of_the_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "version.json").mkdir()
    with pytest.raises(StackError, match=r"version\.json cannot be used: Is a directory"):
        DataFolder(tmp_path).open(brokers=1)


def test_endpoints_of_an_earlier_run_are_gone_once_the_folder_is_opened(tmp_path: Path) -> None:
    write_atomically(tmp_path / "endpoints.json", {"kafka": "gone:1"})
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    folder.close()
    assert not folder.endpoints.exists()


def test_endpoints_that_a_killed_stack_left_are_of_no_running_one(tmp_path: Path) -> None:
    """Given a stack that was killed, and another one on its ports; then nothing is taken from that one."""
    folder = DataFolder(tmp_path)
    folder.open(brokers=1)
    write_atomically(folder.endpoints, {"kafka": "127.0.0.1:9092"})
    assert DataFolder(tmp_path).running_endpoints() == {"kafka": "127.0.0.1:9092"}
    folder.close()
    assert folder.endpoints.exists()
    assert DataFolder(tmp_path).running_endpoints() is None


def test_a_folder_without_a_stack_has_no_endpoints_and_stays_as_it_is(tmp_path: Path) -> None:
    assert DataFolder(tmp_path / "none").running_endpoints() is None
    assert not (tmp_path / "none").exists()


def test_endpoints_name_every_address(tmp_path: Path) -> None:
    stack = LocalStack(StackOptions(tmp_path))
    tmp_path.mkdir(exist_ok=True)
    stack.write_endpoints()
    assert json.loads(stack.data.endpoints.read_text()) == {
        "portal": "http://127.0.0.1:8100",
        "kafka": "127.0.0.1:9092",
        "postgres": "postgresql://postgres@127.0.0.1:8105/postgres",
        "ordering": "http://127.0.0.1:8101",
        "medication": "http://127.0.0.1:8102",
        "notification": "http://127.0.0.1:8103",
        "metrics": "http://127.0.0.1:8104",
        "issuer": "http://127.0.0.1:8106",
    }


def test_a_stack_mints_tokens_of_its_issuer_without_running_it(tmp_path: Path) -> None:
    stack = LocalStack(StackOptions(tmp_path))
    token = stack.token(Party.PROXY, patients=("pat_a001", "pat_b001"), sub="usr_1")
    said = jwt.decode(token, ensure_key(stack.data.issuer), algorithms=["ES256"]).claims
    assert said["iss"] == stack.issuer == "http://127.0.0.1:8106"
    assert (said["sub"], said["role"]) == ("usr_1", "proxy")
    assert said["patients"] == ["pat_a001", "pat_b001"]


def test_stopping_everything_is_given_less_than_15_seconds() -> None:
    assert SERVICES_STOP_S + KAFKA_STOP_S + POSTGRES_STOP_S < 15


def test_a_process_that_the_stack_does_not_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="runs no kafka-7; it runs nothing"):
        LocalStack(StackOptions(tmp_path)).process("kafka-7")


def test_three_brokers_keep_each_record_three_times_and_need_two() -> None:
    lines = server_properties(PortPlan(brokers=3), 2).splitlines()
    assert "default.replication.factor=3" in lines
    assert "min.insync.replicas=2" in lines
    assert "listeners=CLIENT://127.0.0.1:9093,CONTROLLER://127.0.0.1:9096" in lines
    assert "controller.quorum.voters=1@127.0.0.1:9095,2@127.0.0.1:9096,3@127.0.0.1:9097" in lines


def test_kafka_starts_without_the_ahead_of_time_cache_when_there_is_none(tmp_path: Path) -> None:
    install = KafkaInstall(Path("/java"), (Path("/a.jar"), Path("/b.jar")), tmp_path / "none.aot")
    command = install.command("kafka.Kafka", ["x"])
    assert command[-4:] == ["-cp", "/a.jar:/b.jar", "kafka.Kafka", "x"]
    assert not any("AOT" in word for word in command)


def test_each_service_logs_in_to_its_own_database_with_its_own_role() -> None:
    admin = "postgresql://postgres@127.0.0.1:8105/postgres"
    assert service_dsn(admin, "ordering") == "postgresql://ordering@127.0.0.1:8105/ordering"


def test_with_a_password_for_the_administrator_each_role_has_one_that_stays_the_same() -> None:
    admin = "postgresql://boss:s%40fe@db:5432/postgres?sslmode=require"
    password = role_password(admin, "metrics")
    assert password is not None
    assert password != role_password(admin, "ordering")
    assert service_dsn(admin, "metrics") == (
        f"postgresql://metrics:{password}@db:5432/metrics?sslmode=require"
    )


def test_a_service_is_run_whole_or_one_half_of_it() -> None:
    assert service_command("ordering", None)[1:] == ["-m", "services.ordering"]
    assert service_command("ordering", "api")[1:] == ["-m", "services.ordering", "--only", "api"]


def test_permission_to_traverse_a_folder_goes_to_one_account_only() -> None:
    nobody = 0xFFFFFFFF
    closed = [(0x01, 7, nobody), (0x04, 0, nobody), (0x20, 0, nobody)]
    opened = with_traversal(closed, 999)
    assert opened == [
        (0x01, 7, nobody),
        (0x02, 1, 999),
        (0x04, 0, nobody),
        (0x10, 1, nobody),
        (0x20, 0, nobody),
    ]
    assert with_traversal(opened, 999) == opened


def test_what_another_account_may_do_stays_as_it_was() -> None:
    nobody = 0xFFFFFFFF
    shared = [(1, 7, nobody), (2, 5, 1000), (4, 0, nobody), (0x10, 5, nobody), (0x20, 0, nobody)]
    assert (2, 5, 1000) in with_traversal(shared, 999)
    assert struct.calcsize("<HHI") == 8


def test_addresses_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    write_atomically(file, {"postgres": "postgresql://admin:secret@127.0.0.1/postgres"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_postgresql_has_a_quarter_of_the_memory_for_its_buffers_and_at_most_a_gibibyte() -> None:
    quarter = psutil.virtual_memory().total // 4 // (1 << 20)
    assert buffers_mb() == min(1024, quarter)


async def test_a_program_is_beyond_the_reach_of_ctrl_c_and_in_the_session_of_the_stack(
    tmp_path: Path,
) -> None:
    """Given a terminal, which sends Ctrl-C to its whole process group;
    then a program is in a separate group, as the stack stops its programs in order."""
    process = await spawn(Program("sleep", ["sleep", "30"], tmp_path / "log"))
    try:
        assert os.getpgid(process.pid) == process.pid
        assert os.getsid(process.pid) == os.getsid(0)
    finally:
        await kill_tree(process)


@pytest.mark.parametrize("name", ["a:b", os.fsdecode(b"\xff")])
def test_a_cache_that_java_cannot_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
    with pytest.raises(StackError, match="Java cannot use the cache folder"):
        cache_folder()
