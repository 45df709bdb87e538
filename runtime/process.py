"""Runs a service as a process: settings from the environment, shutdown on a signal or failure."""

import argparse
import os
import sys
from typing import Any

from pydantic import ValidationError

from runtime.app import create_app
from runtime.loop.failpoints import FailpointHook, ignore_failpoint
from runtime.observability.logs import configure_logs
from runtime.resources import connect
from runtime.server import Failures, sentences, serve
from runtime.service import Service
from runtime.settings import Part, Settings


def main(service: Service[Any]) -> None:
    """Run a service with settings from the environment. Exits with a sentence for each invalid setting."""
    parser = argparse.ArgumentParser(prog=f"herhaal serve {service.name}")
    parser.add_argument("--only", choices=["api", "worker"], default="all")
    parser.add_argument("--insecure-listen", action="store_true")
    arguments = parser.parse_args()
    if arguments.insecure_listen:
        os.environ["HERHAAL_INSECURE_LISTEN"] = "true"
    try:
        settings = service.settings.from_environment()
    except ValidationError as error:
        sys.exit("\n".join(sentences(error)))
    except ValueError as error:
        sys.exit(str(error))
    sys.exit(run(service, settings, arguments.only))


def run(
    service: Service[Any],
    settings: Settings,
    part: Part = "all",
    at_failpoint: FailpointHook = ignore_failpoint,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, 1 when the service failed."""
    configure_logs(service.name, settings.log)
    failures = Failures()
    resources = connect(service.name, settings, service.tables)
    app = create_app(service, resources, part, failures.add, at_failpoint)
    return serve(app, settings, failures, resources.recent.end)
