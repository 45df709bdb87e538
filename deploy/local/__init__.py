"""Kafka, PostgreSQL and the services on one machine, without root, Docker or Java."""

from deploy.local.errors import StackError
from deploy.local.options import StackOptions
from deploy.local.ports import PortPlan, free_ports
from deploy.local.report import PlainReport, Report
from deploy.local.stack import LocalStack

__all__ = [
    "LocalStack",
    "PlainReport",
    "PortPlan",
    "Report",
    "StackError",
    "StackOptions",
    "free_ports",
]
