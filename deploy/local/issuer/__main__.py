"""`python -m deploy.local.issuer --data DIR --port N`: started by a local stack, and by nothing else.

It listens on 127.0.0.1, and there is no option to listen elsewhere.
"""

import argparse
import sys
from pathlib import Path

import uvicorn

from deploy.local.data import DataFolder
from deploy.local.errors import StackError
from deploy.local.issuer.app import create_app
from deploy.local.issuer.clients import LocalClients
from deploy.local.issuer.keys import ensure_key
from deploy.local.issuer.program import require_running_stack
from deploy.local.issuer.tokens import Minter
from deploy.local.ports import LOOPBACK
from deploy.local.processes.services import url


def main() -> None:
    """Serve until a signal. Exits with a sentence outside a local stack."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.issuer")
    parser.add_argument(
        "--data", type=Path, required=True, help="the data folder of a running stack"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--portal-port", type=int, required=True, help="where people log in")
    arguments = parser.parse_args()
    try:
        data = DataFolder(arguments.data)
        require_running_stack(data)
        minter = Minter(url(arguments.port), ensure_key(data.issuer))
    except StackError as error:
        sys.exit(str(error))
    # No access log: a query holds codes and tokens.
    uvicorn.run(
        create_app(minter, LocalClients(arguments.portal_port, data.issuer)),
        host=LOOPBACK,
        port=arguments.port,
        loop="asyncio",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
