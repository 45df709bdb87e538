"""The cause of an end is found in the log. The logs are excerpts of real ones."""

import pytest

from deploy.local.processes.cause import MOST_CHARACTERS, cause, last_line

KAFKA_PORT = """\
2026-11-28T14:11:40.065+0000 [main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception during startup.
java.lang.RuntimeException: Received a fatal error while waiting for all of the SocketServer Acceptors
\tat org.apache.kafka.server.util.FutureUtils.waitWithLogging(FutureUtils.java:72)
\tat kafka.Kafka.main(Kafka.scala)
Caused by: java.lang.RuntimeException: Unable to start acceptor for PLAINTEXT
\tat kafka.network.Acceptor.liftedTree1$1(SocketServer.scala:531)
\t... 7 more
Caused by: org.apache.kafka.common.KafkaException: Failed to bind to 127.0.0.1:13926: Address already in use.
\tat org.apache.kafka.server.ServerSocketFactory.openServerSocket(ServerSocketFactory.java:56)
\t... 12 more
Caused by: java.net.BindException: Address already in use
\tat java.base/sun.nio.ch.Net.bind0(Native Method)
\t... 14 more
2026-11-28T14:11:40.195+0000 [kafka-shutdown-hook] WARN org.apache.kafka.clients.NetworkClient - closed
2026-11-28T14:11:40.231+0000 [kafka-shutdown-hook] INFO org.apache.kafka.common.utils.AppInfoParser - App info
"""
KAFKA_STORAGE = """\
2026-11-28T14:11:44.145+0000 [main] INFO kafka.server.Server - starting
java.lang.IllegalStateException: an earlier one, from which it went on
\tat kafka.Other.main(Other.scala)
2026-11-28T14:11:44.145+0000 [main] ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception
java.lang.RuntimeException: Error: node ID not found in /data/log
\tat kafka.server.KafkaRaftServer$.initializeLogDirs(KafkaRaftServer.scala:165)
"""
KAFKA_SETTING = """\
Exception in thread "main" org.apache.kafka.common.config.ConfigException: Invalid value x for num.io.threads
\tat org.apache.kafka.common.config.ConfigDef.parseType(ConfigDef.java:787)
\tat kafka.tools.StorageTool.main(StorageTool.scala)
"""
JAVA_MEMORY = """\
Error occurred during initialization of VM
Could not reserve enough space for 524288KB object heap
"""
POSTGRES_PORT = """\
2026-11-28 14:11:50.003 UTC [9102] LOG:  starting PostgreSQL 18.6 on x86_64-pc-linux-gnu
2026-11-28 14:11:50.003 UTC [9102] LOG:  could not bind IPv4 address "127.0.0.1": Address already in use
2026-11-28 14:11:50.003 UTC [9102] HINT:  Is another postmaster already running on port 20325?
2026-11-28 14:11:50.003 UTC [9102] WARNING:  could not create listen socket for "127.0.0.1"
2026-11-28 14:11:50.003 UTC [9102] FATAL:  could not create any TCP/IP sockets
2026-11-28 14:11:50.009 UTC [9102] LOG:  database system is shut down
"""
POSTGRES_VERSION = """\
2026-11-28 14:11:51.448 UTC [9110] FATAL:  database files are incompatible with server
2026-11-28 14:11:51.448 UTC [9110] DETAIL:  The data directory was initialized by PostgreSQL version 17.
"""
POSTGRES_SETTING = """\
2026-11-28 14:11:52.019 UTC [9128] LOG:  syntax error in file "/data/postgresql.conf" line 1, near token "="
2026-11-28 14:11:52.019 UTC [9128] FATAL:  configuration file "/data/postgresql.conf" contains errors
"""
POSTGRES_DATA = """\
2026-11-28 14:11:50.003 UTC [9104] FATAL:  the database system is starting up
2026-11-28 14:11:51.003 UTC [9103] PANIC:  could not locate a valid checkpoint record at 0/1D3A5F8
2026-11-28 14:11:51.004 UTC [9102] LOG:  startup process (PID 9103) was terminated by signal 6: Aborted
2026-11-28 14:11:51.005 UTC [9102] LOG:  aborting startup due to startup process failure
"""
INITDB = """\
creating configuration files ... ok
running bootstrap script ... 2026-11-28 13:50:06.338 UTC [17251] FATAL:  could not stat data directory "/data"
child process exited with exit code 1
initdb: removing contents of data directory "/data"
"""
PG_DUMP = """\
pg_dump: error: aborting because of server version mismatch
pg_dump: detail: server version: 19.0; pg_dump version: 18.6
"""
SERVICE_PORT = """\
{"event": "Application startup complete.", "level": "info"}
{"event": "[Errno 98] address already in use", "service": "metrics", "level": "error"}
{"event": "Application shutdown complete.", "level": "info"}
"""
SERVICE_REFUSES = """\
{"error": "DifferentCluster", "why": "another Kafka: see docs", "event": "service failed", "level": "critical"}
{"event": "Finished server process [10134]", "level": "info"}
"""
SERVICE_CONSOLE = """\
\x1b[2m2026-11-28T14:14:06Z\x1b[0m [\x1b[31m\x1b[1merror    \x1b[0m] \x1b[1m[Errno 98] in use\x1b[0m
\x1b[2m2026-11-28T14:14:06Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1mShut down.\x1b[0m
"""
PYTHON = """\
Traceback (most recent call last):
  File "child.py", line 42, in <module>
    os.execvp(arguments[4], arguments[4:])
FileNotFoundError: [Errno 2] No such file or directory: 'java'
"""


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (
            KAFKA_PORT,
            "KafkaException: Failed to bind to 127.0.0.1:13926: Address already in use",
        ),
        (KAFKA_STORAGE, "RuntimeException: Error: node ID not found in /data/log"),
        (KAFKA_SETTING, "ConfigException: Invalid value x for num.io.threads"),
        (
            POSTGRES_PORT,
            'could not bind IPv4 address "127.0.0.1": Address already in use;'
            " Is another postmaster already running on port 20325?;"
            " could not create any TCP/IP sockets",
        ),
        (
            POSTGRES_VERSION,
            "database files are incompatible with server;"
            " The data directory was initialized by PostgreSQL version 17",
        ),
        (
            POSTGRES_SETTING,
            'syntax error in file "/data/postgresql.conf" line 1, near token "=";'
            ' configuration file "/data/postgresql.conf" contains errors',
        ),
        (POSTGRES_DATA, "could not locate a valid checkpoint record at 0/1D3A5F8"),
        (INITDB, 'could not stat data directory "/data"'),
        (
            PG_DUMP,
            "aborting because of server version mismatch;"
            " server version: 19.0; pg_dump version: 18.6",
        ),
        (SERVICE_PORT, "[Errno 98] address already in use"),
        (SERVICE_REFUSES, "service failed: another Kafka: see docs"),
        (SERVICE_CONSOLE, "[Errno 98] in use"),
        (PYTHON, "FileNotFoundError: [Errno 2] No such file or directory: 'java'"),
    ],
)
def test_the_cause_is_what_the_program_said_of_it(log: str, why: str) -> None:
    assert cause(log) == why


@pytest.mark.parametrize("log", ["", "\n\n", JAVA_MEMORY, "{}\n[1]\n{", "at least one line"])
def test_a_log_that_names_no_cause_has_none(log: str) -> None:
    assert cause(log) is None


def test_then_the_last_line_must_do() -> None:
    assert last_line(JAVA_MEMORY) == "Could not reserve enough space for 524288KB object heap"
    assert last_line("said\n\tat a.Frame(A.java:1)\n \n") == "said"
    assert last_line("") == ""


def test_a_long_cause_is_cut() -> None:
    assert len(cause(f"initdb: error: {'x' * 5000}") or "") == MOST_CHARACTERS + 2
