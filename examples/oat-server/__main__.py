# SPDX-License-Identifier: Apache-2.0
"""OpenAttestation's PollHosts, answered by libattest. README.md says how to set it up."""

import argparse
import logging
import signal
import sys
import time

from oat_service.settings import Settings, SettingsError
from oat_service.web import Server


def serve(settings: Settings) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Server(settings) as server:
        logging.info("listening on %s, %d hosts", server.server_address[:2], len(settings.hosts))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            logging.info("stopped")


def main() -> int:
    parser = argparse.ArgumentParser(prog="oat-server", description=__doc__)
    parser.add_argument("configuration", help="a file as README.md describes it")
    parser.add_argument("--nonce", metavar="HOST", help="print a nonce for this host's next evidence, and end")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = Settings.read(arguments.configuration)
        if arguments.nonce is None:
            serve(settings)
        else:
            print(settings.nonce_for(arguments.nonce, time.time()).hex())
    except (SettingsError, OSError) as error:
        print(f"oat-server: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
