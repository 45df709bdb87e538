"""`python -m portal`."""

import argparse
import os
import sys

from pydantic import ValidationError

from portal.app import create_app
from portal.live.open_streams import OpenStreams
from portal.settings import PortalSettings
from runtime.observability.logs import configure_logs
from runtime.server import Failures, sentences, serve


def main() -> None:
    """Serve until a signal. Exits with a sentence for each invalid setting."""
    parser = argparse.ArgumentParser(prog="herhaal serve portal")
    parser.add_argument("--insecure-listen", action="store_true")
    if parser.parse_args().insecure_listen:
        os.environ["HERHAAL_INSECURE_LISTEN"] = "true"
    try:
        settings = PortalSettings.from_environment()
    except ValidationError as error:
        sys.exit("\n".join(sentences(error)))
    except ValueError as error:
        sys.exit(str(error))
    configure_logs("portal", settings.log)
    failures, streams = Failures(), OpenStreams()
    app = create_app(settings, failures.add, streams)
    sys.exit(serve(app, settings, failures, streams.end_all))


if __name__ == "__main__":
    main()
