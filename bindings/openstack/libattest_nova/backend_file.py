# SPDX-License-Identifier: Apache-2.0
"""The verdict file that libattest-nova-mirror keeps: appraisals made by libattest itself."""

import time

from libattest_openstack import library

from . import verdict_file
from .backends import Answer, lifetime, required
from .conf import CONF


class FileBackend:
    """Reads the whole file at each fetch; it is authentic and of now, or it is nothing."""

    def __init__(self) -> None:
        required(["verdict_file", "verdict_key_file"])
        self._path = CONF.trusted_computing.verdict_file
        self._key = verdict_file.load_key(CONF.trusted_computing.verdict_key_file)

    def fetch(self, names: list[str], timeout: float) -> Answer:
        asked = set(names)
        verdicts = library.call(
            verdict_file.read, self._path, self._key, now=time.time(), max_age=lifetime()
        )
        return Answer([verdict for verdict in verdicts if verdict.name in asked])
