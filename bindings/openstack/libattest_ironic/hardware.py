# SPDX-License-Identifier: Apache-2.0
"""Hardware types whose deploy interfaces all attest.

instance_info/deploy_interface may name any enabled interface that the hardware type supports, so
none that does not attest is supported. None is a subclass of Ironic's FakeHardware, for whose
subclasses Ironic does not check what is supported.
"""

from typing import Any

from ironic.common import exception
from ironic.drivers import generic, ipmi, redfish
from ironic.drivers.modules import fake
from oslo_log import log

from . import deploy, pxe, vendor
from .conf import CONF
from .settings import NO_ATTESTATION

LOG = log.getLogger(__name__)

OURS = ("libattest-ipmi", "libattest-redfish", "libattest-fake")


def check_configuration() -> None:
    """Raises DriverLoadError, which keeps the conductor from starting, and warns."""
    options, keylime = CONF.libattest, CONF.keylime
    default, enabled = options.default_attestation_interface, options.enabled_attestation_interfaces
    problems = []
    if default not in enabled and default != NO_ATTESTATION:
        problems.append(f"default_attestation_interface {default} is not enabled")
    if options.ek_trust == "ca" and not options.ek_ca_dir:
        problems.append("ek_trust is ca and ek_ca_dir is not set")
    reported = [
        f"[keylime]fail_{phase}_on_attestation_failure"
        for phase in ("clean", "deploy")
        if not keylime[f"fail_{phase}_on_attestation_failure"]
    ]
    if options.require_attestation:
        others = [name for name in CONF.enabled_hardware_types if name not in OURS]
        if others:
            problems.append(
                "require_attestation is set and these hardware types do not attest: "
                + ", ".join(others)
            )
        if NO_ATTESTATION in enabled or default == NO_ATTESTATION:
            problems.append(
                "require_attestation is set and no-attestation is enabled or the default"
            )
        problems += [f"require_attestation is set and {option} is false" for option in reported]
    if problems:
        raise exception.DriverLoadError(driver="libattest", reason="; ".join(problems))
    for option in reported:
        LOG.warning("report-only: %s is false, a node that fails goes on", option)
    for overrides in CONF.conductor.clean_step_priority_override or []:
        if "deploy.attest_clean" in overrides:
            LOG.warning(
                "[conductor]clean_step_priority_override changes deploy.attest_clean: nodes may "
                "become available unattested; they are attested when they are deployed"
            )


class _Attesting:
    """What our hardware types have in common."""

    def __init__(self) -> None:
        super().__init__()
        check_configuration()

    @property
    def supported_deploy_interfaces(self) -> list[type]:
        return [deploy.DirectDeploy]

    @property
    def supported_boot_interfaces(self) -> list[type]:
        # The last: the first enabled one is what a node has whose owner names none.
        supers: Any = super()
        return [*supers.supported_boot_interfaces, pxe.TrustedPXEBoot]

    @property
    def supported_vendor_interfaces(self) -> list[type]:
        supers: Any = super()
        return [vendor.LibattestVendor, *supers.supported_vendor_interfaces]


class IPMIHardware(_Attesting, ipmi.IPMIHardware):
    """libattest-ipmi."""


class RedfishHardware(_Attesting, redfish.RedfishHardware):
    """libattest-redfish."""


class FakeHardware(_Attesting, generic.ManualManagementHardware):
    """libattest-fake: for tests, on Ironic's fake power, management and boot interfaces."""

    @property
    def supported_deploy_interfaces(self) -> list[type]:
        return [deploy.FakeDeploy, deploy.DirectDeploy]

    @property
    def supported_boot_interfaces(self) -> list[type]:
        return [fake.FakeBoot, *super().supported_boot_interfaces]

    @property
    def supported_power_interfaces(self) -> list[type]:
        return [fake.FakePower]

    @property
    def supported_rescue_interfaces(self) -> list[type]:
        return [*super().supported_rescue_interfaces, fake.FakeRescue]

    @property
    def supported_bios_interfaces(self) -> list[type]:
        return [fake.FakeBIOS, *super().supported_bios_interfaces]
