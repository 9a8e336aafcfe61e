# SPDX-License-Identifier: Apache-2.0
"""The boot interface `libattest-pxe`: Ironic's PXE, and trusted boot for nodes that ask for it.

Ironic had trusted boot until 20.1, for instances that boot over the network; it has neither today.
So this interface makes the node's file itself (boot_file.py), anew whenever Ironic has an
instance's boot prepared: at the end of a deployment, at a take-over, after rescue and service.
There is no iPXE sibling: Ironic's iPXE template never had the section, and Ironic warned.
"""

from collections.abc import Callable
from typing import Any

from ironic.common import boot_devices, dhcp_factory, exception, pxe_utils, states
from ironic.conductor import utils as conductor_utils
from ironic.drivers import base
from ironic.drivers.modules import boot_mode_utils, deploy_utils, pxe_base
from oslo_log import log

from . import boot_file, trusted_boot
from .conf import CONF

LOG = log.getLogger(__name__)

INSTANCE_LABEL, RAMDISK_LABEL = "trusted_boot", "deploy"

# Other each time: a kernel's command line is measured, and would never repeat.
_PER_DEPLOYMENT = {"ipa-global-request-id", "ipa-agent-token"}

# Where Ironic's network interfaces keep a tenant's port, in internal_info.
_TENANT_VIF = "tenant_vif_port_id"


class TrustedPXEBoot(pxe_base.PXEBaseMixin, base.BootInterface):
    """libattest-pxe. No subclass of Ironic's PXEBoot, whose periodics would run for it, too."""

    capabilities = ["ramdisk_boot", "pxe_boot"]

    def __init__(self) -> None:
        pxe_utils.place_common_config()
        pxe_utils.place_loaders_for_boot(CONF.deploy.http_root)
        pxe_utils.place_loaders_for_boot(CONF.pxe.tftp_root)

    def validate(self, task: Any) -> None:
        trusted_boot.check_capabilities(task.node)
        super().validate(task)
        of_instance = trusted_boot.requested(task.node)
        of_ramdisk = trusted_boot.ramdisk_requested(task.node)
        if of_instance:
            trusted_boot.check_instance(task)
            _instance_images(task)
        if of_ramdisk:
            trusted_boot.check_ramdisk(task.node)
        if of_instance or of_ramdisk:
            trusted_boot.check_boot_files(task.node)

    def prepare_ramdisk(self, task: Any, ramdisk_params: dict[str, Any]) -> None:
        node = task.node
        trusted_boot.check_capabilities(node)
        if trusted_boot.requested(node):
            trusted_boot.check_instance(task)
            trusted_boot.normalise(node)
        super().prepare_ramdisk(task, ramdisk_params)
        mode = deploy_utils.rescue_or_deploy_mode(node)
        if mode == "deploy" and trusted_boot.ramdisk_requested(node):
            trusted_boot.check_ramdisk(node)
            trusted_boot.check_boot_files(node)
            text = _ramdisk_file(task, ramdisk_params)
            boot_file.check(node, text, RAMDISK_LABEL)
            boot_file.publish(task, text)

    def prepare_instance(self, task: Any) -> None:
        node = task.node
        trusted_boot.check_capabilities(node)
        if not trusted_boot.requested(node):
            super().prepare_instance(task)
            return
        trusted_boot.check_instance(task)
        trusted_boot.check_boot_files(node)
        trusted_boot.normalise(node)
        boot_mode_utils.sync_boot_mode(task)
        images = _instance_images(task)
        _remember(node, images)
        pxe_utils.cache_ramdisk_kernel(task, images)
        text = _instance_file(task, images)
        boot_file.check(node, text, INSTANCE_LABEL)
        boot_file.publish(task, text)
        # Not before: a node that runs is not sent to a conductor that lacks its file.
        _update_dhcp(task)
        # The boot device of a node that runs is its tenant's.
        if node.provision_state not in (states.ACTIVE, states.ADOPTING):
            conductor_utils.node_set_boot_device(task, boot_devices.PXE, persistent=True)
        LOG.info("Node %s: its instance is booted by tboot", node.uuid)


def check_interface(task: Any) -> None:
    """Raises InvalidParameterValue for a node that asks for what would not be done."""
    node = task.node
    if not trusted_boot.requested(node) and not trusted_boot.ramdisk_requested(node):
        return
    if not CONF.agent.manage_agent_boot:
        raise exception.InvalidParameterValue(
            "Trusted boot is asked for, and [agent]manage_agent_boot is false: Ironic prepares no "
            "boot"
        )
    if not isinstance(task.driver.boot, TrustedPXEBoot):
        raise exception.InvalidParameterValue(
            f"Trusted boot is asked for, and boot interface {node.get_interface('boot')} does not "
            "do it: set boot_interface to libattest-pxe"
        )


def _instance_images(task: Any) -> dict[str, tuple[str, str]]:
    """Kernel and ramdisk of the instance, as instance_info or the image's properties name them."""
    node = task.node
    named = {label: node.instance_info.get(label) for label in ("kernel", "ramdisk")}
    source = node.instance_info.get("image_source")
    if not all(named.values()) and source:
        properties = deploy_utils.get_image_properties(task.context, source)
        named = {label: properties.get(f"{label}_id") for label in named}
    missing = [label for label, image in named.items() if not image]
    if missing:
        raise exception.MissingParameterValue(
            f"Trusted boot starts the instance's own kernel: {' and '.join(missing)} of Node "
            f"{node.uuid} are neither in instance_info nor among its image's properties"
        )
    root = CONF.pxe.tftp_root
    return {
        label: (str(image), pxe_utils.get_file_path_from_label(node.uuid, root, label))
        for label, image in named.items()
    }


def _remember(node: Any, images: dict[str, tuple[str, str]]) -> None:
    """What was deployed is booted for as long as the instance lives, as Ironic's netboot had it."""
    for label, (image, _) in images.items():
        node.set_instance_info(label, image)
    node.save()


def _update_dhcp(task: Any) -> None:
    """DHCP options for the ports that the instance boots from.

    While the deploy ramdisk runs, Ironic would set those of the provisioning network's.
    """
    options = [
        option
        for version in (4, 6)
        for option in pxe_utils.dhcp_options_for_instance(task, ip_version=version)
    ]
    tenant = {
        kind: {
            obj.uuid: obj.internal_info[_TENANT_VIF]
            for obj in objects
            if obj.internal_info.get(_TENANT_VIF)
        }
        for kind, objects in (("ports", task.ports), ("portgroups", task.portgroups))
    }
    dhcp_factory.DHCPFactory().update_dhcp(task, options, tenant if any(tenant.values()) else None)


def _instance_file(task: Any, images: dict[str, tuple[str, str]]) -> str:
    """The file by which tboot starts the instance: it names its root file system from the first."""
    root_uuid = task.node.driver_internal_info.get("root_uuid_or_disk_id")
    if not isinstance(root_uuid, str):
        raise exception.InstanceDeployFailure(
            f"Trusted boot: the root file system's UUID of Node {task.node.uuid} is not known"
        )
    options = pxe_utils.build_pxe_config_options(task, images, service=True)
    # Ironic's words for its ramdisk mean nothing to an instance, and one is other each time.
    append = _without(options, lambda name: name.startswith("ipa-"))
    return boot_file.render(options, root_uuid=root_uuid, append=append)


def _ramdisk_file(task: Any, ramdisk_params: dict[str, Any]) -> str:
    """The file by which tboot starts the deploy ramdisk."""
    images = pxe_utils.get_image_info(task.node)
    options = pxe_utils.build_pxe_config_options(task, images, ramdisk_params=ramdisk_params)
    return boot_file.render(
        options,
        append=_without(options, _PER_DEPLOYMENT.__contains__),
        deploy_kernel=options["deployment_aki_path"],
        deploy_ramdisk=options["deployment_ari_path"],
        trusted_deploy=True,
    )


def _without(options: dict[str, Any], drop: Callable[[str], bool]) -> str:
    # Not at other white space: the library refuses what would end the line.
    words = (options.get("pxe_append_params") or "").split(" ")
    return " ".join(word for word in words if word and not drop(word.partition("=")[0]))
