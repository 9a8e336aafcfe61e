# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as exceptions that Ironic knows how to show."""

from ironic.common import exception
from libattest_openstack.words import one_line


class AttestationFailure(exception.IronicException):
    """The node did not prove what it should, or something it needs for that is wrong."""

    def __init__(self, reason: object, findings: list[str] | None = None) -> None:
        self.reason = one_line(reason)
        self.findings = findings or []
        super().__init__(self.reason)


class AttestationPending(exception.IronicException):
    """No verdict yet, for a reason that may pass: try again until the deadline."""

    def __init__(self, reason: object) -> None:
        self.reason = one_line(reason)
        super().__init__(self.reason)


class StepRefused(exception.InstanceDeployFailure, exception.InvalidParameterValue):
    """A deploy step that would get past the gate.

    Both kinds, because Ironic asks for steps in places that handle one and in places that handle
    the other.
    """

    code = 400
