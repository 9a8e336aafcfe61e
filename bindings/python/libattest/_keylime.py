# SPDX-License-Identifier: Apache-2.0
"""Keylime's constructor, in Python: a call that does not fit must not show a private key.

pybind11 repeats all arguments in the TypeError of a call that does not fit; Python does not.
"""

from . import _libattest

_Text = str | bytes | bytearray | memoryview


class Keylime(_libattest.Keylime):
    """Keylime's registrar, verifier and agents. Any number of threads may use one.

    verifier, registrar: "HOST:PORT"; without one, the calls that need it raise ValueError.
    ca, cert, key: PEM; Keylime's own are cacert.crt, client-cert.crt and client-private.pem in
    /var/lib/keylime/cv_ca. check_name=False: the services' certificates need not be for their names
    or addresses, and their chains still lead to ca.
    """

    def __init__(
        self,
        *,
        verifier: str | None = None,
        registrar: str | None = None,
        ca: _Text,
        cert: _Text,
        key: _Text,
        check_name: bool = True,
    ) -> None:
        super().__init__(
            verifier=verifier, registrar=registrar, ca=ca, cert=cert, key=key, check_name=check_name
        )


Keylime.__module__ = "libattest"
