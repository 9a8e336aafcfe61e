# SPDX-License-Identifier: Apache-2.0
"""The verdict file that schedulers read: how the hosts stand, written anew at each turn."""

import logging
import time

import libattest

from .. import verdict_file
from .book import Hosts

LOG = logging.getLogger(__name__)

_VERDICTS = {"trusted": libattest.Verdict.TRUSTED, "untrusted": libattest.Verdict.UNTRUSTED}


class VerdictWriter:
    def __init__(self, path: str, key: bytes) -> None:
        self._path, self._key = path, key
        self._failed = False

    def write(self, hosts: Hosts) -> bool:
        """False: there is no new file. The old one becomes old."""
        verdicts = [
            libattest.HostVerdict(
                host.name,
                # Fresh now: a host may have expired since its standing was taken.
                (
                    _VERDICTS.get(host.standing, libattest.Verdict.UNKNOWN)
                    if host.fresh or host.standing != "trusted"
                    else libattest.Verdict.UNKNOWN
                ),
                host.measured_at,
            )
            for host in hosts.values()
        ]
        try:
            verdict_file.write(self._path, self._key, verdicts, now=time.time())
        except verdict_file.VerdictFileError as error:
            return self._say(error)
        self._failed = False
        return True

    def remove(self) -> bool:
        try:
            verdict_file.remove(self._path)
        except verdict_file.VerdictFileError as error:
            return self._say(error)
        return True

    def _say(self, error: Exception) -> bool:
        if not self._failed:
            LOG.error("The verdict file can not be written: %s", error)
        self._failed = True
        return False
