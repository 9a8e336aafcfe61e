# SPDX-License-Identifier: Apache-2.0
"""OatClient's constructor, in Python: a call that does not fit must not show a secret.

pybind11 repeats all arguments in the TypeError of a call that does not fit; Python does not.
"""

import collections.abc
import time

from . import _libattest
from ._types import OatHosts

_Text = str | bytes | bytearray | memoryview


class OatClient(_libattest.OatClient):
    """An OpenAttestation (OAT) server, v1.0, v1.5 to v1.7 or v2.x: what it says of many hosts.

    Any number of threads may use one, in a child of fork, too.

    server: a host name or an address. ca: PEM, the only certificates that it is trusted by; its own
    self-signed one will do. api_url: the path of its API; dialect: "1.0", "1.5" (to 1.7) or "2",
    where the path does not say it: v2.x takes longer host names than v1.5. auth_blob: sent to this
    server alone. cert, key: PEM, for servers that want a certificate. check_name=False: the server's
    certificate need not be for its name, and its chain still leads to ca. batch: hosts a request, at
    most 500.
    """

    def __init__(
        self,
        server: str,
        *,
        ca: _Text,
        port: int = 8443,
        api_url: str = "/OpenAttestationWebServices/V1.0",
        dialect: str | None = None,
        auth_blob: _Text | None = None,
        cert: _Text | None = None,
        key: _Text | None = None,
        check_name: bool = True,
        batch: int = 100,
    ) -> None:
        super().__init__(
            server,
            ca=ca,
            port=port,
            api_url=api_url,
            dialect=dialect,
            auth_blob=auth_blob,
            cert=cert,
            key=key,
            check_name=check_name,
            batch=batch,
        )

    def poll(
        self, names: collections.abc.Sequence[str], *, now: float | None = None, timeout: float = 30.0
    ) -> OatHosts:
        """What the server says of these hosts; OatError when it does not say it in `timeout` seconds.

        now: Unix seconds, for times that are not yet; without it, the clock's.
        """
        return super().poll(names, now=time.time() if now is None else now, timeout=timeout)


OatClient.__module__ = "libattest"
