# SPDX-License-Identifier: Apache-2.0
"""Deploy interfaces that attest. Ironic's ramdisk and anaconda have no phase to attest in."""

from ironic.drivers.modules import agent, fake

from .steps import AttestationMixin


class DirectDeploy(AttestationMixin, agent.AgentDeploy):
    """libattest-direct: Ironic's direct interface, attested."""


class FakeDeploy(AttestationMixin, fake.FakeDeploy):
    """libattest-fake: for tests. No ramdisk; the agent's UUID comes from driver_info."""
