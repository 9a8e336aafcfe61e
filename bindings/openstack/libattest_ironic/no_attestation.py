# SPDX-License-Identifier: Apache-2.0
"""The default: nothing is attested, and nothing changes."""

from ironic.common import exception

from .attestation import AttestationInterface, Evidenced, Subject
from .settings import Settings


class NoAttestation(AttestationInterface):
    """Says of every node that it was not attested."""

    name = "no-attestation"

    def validate(self, settings: Settings) -> list[str]:
        return []

    def start_attestation(self, subject: Subject) -> None:
        raise exception.UnsupportedDriverExtension(
            driver=self.name, extension="start_attestation"
        )

    def validate_security_status(self, subject: Subject) -> Evidenced:
        raise exception.UnsupportedDriverExtension(
            driver=self.name, extension="validate_security_status"
        )

    def unregister_node(self, subject: Subject) -> None:
        """There is nothing to forget."""
