# SPDX-License-Identifier: Apache-2.0
"""What is done to others, each told in one line before it is done; with --dry-run only told."""

import logging
import sys
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Acts:
    """Any number of threads may use it."""

    def __init__(self, *, dry_run: bool) -> None:
        self._dry_run = dry_run

    def do(self, what: str, act: Callable[[], object]) -> None:
        if self._dry_run:
            sys.stdout.write(f"would {what}\n")
            return
        LOG.info("%s", what)
        act()
