# SPDX-License-Identifier: Apache-2.0
"""No key is two hosts'. One TPM can hold any number of attestation keys, of any number of agents.

Without this a machine that is trusted could answer for another one that would not be.
"""

import threading
from collections.abc import Iterable

from .appraisal import HostFailed

# "ak" or "ek", and the key.
Key = tuple[str, str]


class Identities:
    """Which host has shown, or is bound to, which key. Any number of threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[Key, str] = {}

    def claim(self, host: str, keys: Iterable[Key]) -> None:
        """Raises HostFailed, and claims nothing, if one of them is another host's."""
        keys = list(keys)
        with self._lock:
            for kind, key in keys:
                owner = self._owners.get((kind, key), host)
                if owner != host:
                    raise HostFailed(
                        f"the TPM of {owner} answers for it: its {kind.upper()} is {key}"
                    )
            self._owners.update(dict.fromkeys(keys, host))

    def bind(self, host: str, keys: Iterable[Key]) -> None:
        """The map says that these are the host's, whoever has shown them."""
        with self._lock:
            self._owners.update(dict.fromkeys(keys, host))

    def release(self, host: str) -> None:
        """The host is gone, or its keys are to be pinned anew."""
        with self._lock:
            for key in [key for key, owner in self._owners.items() if owner == host]:
                del self._owners[key]
