# SPDX-License-Identifier: Apache-2.0
"""Deploy interfaces that attest. Ironic's ramdisk and anaconda have no phase to attest in."""

from typing import Any

from ironic.drivers.modules import agent, fake

from . import trusted_boot
from .steps import AttestationMixin


class DirectDeploy(AttestationMixin, agent.AgentDeploy):
    """libattest-direct: Ironic's direct interface, attested."""

    def configure_local_boot(self, task: Any, *args: Any, **kwargs: Any) -> None:
        """tboot starts an instance over the network: its disk needs no boot loader."""
        if not trusted_boot.requested(task.node):
            super().configure_local_boot(task, *args, **kwargs)


class FakeDeploy(AttestationMixin, fake.FakeDeploy):
    """libattest-fake: for tests. No ramdisk; the agent's UUID comes from driver_info."""
