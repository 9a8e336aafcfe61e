# SPDX-License-Identifier: Apache-2.0
"""OpenAttestation, and what speaks its PollHosts: all hosts in one request a batch.

The service knows hosts by name and binds them to their keys itself, when they are registered.
"""

import libattest
from libattest_openstack import library

from .backends import Answer, Unanswered, read_text, required
from .conf import CONF


class OatBackend:
    """PollHosts, verified against attestation_server_ca_file and nothing else."""

    def __init__(self) -> None:
        options = CONF.trusted_computing
        required(["attestation_server"])
        try:
            self._client = library.call(
                libattest.OatClient,
                options.attestation_server,
                port=options.attestation_port,
                ca=read_text("attestation_server_ca_file"),
                api_url=options.attestation_api_url,
                auth_blob=options.attestation_auth_blob,
                batch=options.batch,
            )
        except (ValueError, TypeError) as error:
            # TypeError's words would repeat the arguments, the blob among them.
            why = error if isinstance(error, ValueError) else "they do not fit together"
            raise Unanswered(f"[trusted_computing]attestation_*: {why}") from None

    def fetch(self, names: list[str], timeout: float) -> Answer:
        told = library.call(self._client.poll, names, timeout=timeout)
        return Answer(told, reasons=told.reasons)
