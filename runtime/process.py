"""The command line of a service process."""

import argparse
import os
import sys
from typing import Any

from pydantic import ValidationError

from runtime.service import Service, run


def main(service: Service[Any]) -> None:
    """Run a service with settings from the environment; wrong ones end it with one sentence each."""
    parser = argparse.ArgumentParser(prog=f"herhaal serve {service.name}")
    parser.add_argument("--only", choices=["api", "worker"], default="all")
    parser.add_argument("--insecure-listen", action="store_true")
    arguments = parser.parse_args()
    if arguments.insecure_listen:
        os.environ["HERHAAL_INSECURE_LISTEN"] = "true"
    try:
        settings = service.settings()
    except ValidationError as error:
        sys.exit("\n".join(_sentences(error)))
    sys.exit(run(service, settings, arguments.only))


def _sentences(error: ValidationError) -> list[str]:
    problems = error.errors(include_url=False, include_input=False)
    return [
        f"HERHAAL_{str(p['loc'][0]).upper()}: {p['msg']}" if p["loc"] else p["msg"]
        for p in problems
    ]
