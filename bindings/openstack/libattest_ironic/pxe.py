# SPDX-License-Identifier: Apache-2.0
"""The boot interface `libattest-pxe`: Ironic's PXE, and trusted boot for nodes that ask for it.

Ironic had trusted boot until 20.1, for instances that boot over the network; it has neither today.
So this interface writes the node's file itself, anew whenever Ironic has an instance's boot
prepared: at the end of a deployment, at a take-over, after rescue and service. What is in the file
is the library's work, which renders, switches and checks it.
There is no iPXE sibling: Ironic's iPXE template never had the section, and Ironic warned.
"""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import libattest
from ironic.common import boot_devices, dhcp_factory, exception, pxe_utils, states
from ironic.conductor import utils as conductor_utils
from ironic.drivers import base
from ironic.drivers.modules import boot_mode_utils, deploy_utils, pxe_base
from oslo_log import log

from . import library, trusted_boot
from .conf import CONF
from .exceptions import one_line

LOG = log.getLogger(__name__)

TEMPLATE = os.path.join(os.path.dirname(__file__), "boot_file.template")
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
            _check(_write_ramdisk(task, ramdisk_params), RAMDISK_LABEL)

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
        _update_dhcp(task)
        path = _write_instance(task, images)
        _switch(node, path)
        _check(path, INSTANCE_LABEL)
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


def _write_instance(task: Any, images: dict[str, tuple[str, str]]) -> str:
    """The file by which tboot starts the instance; its path."""
    options = pxe_utils.build_pxe_config_options(task, images, service=True)
    # Ironic's words for its ramdisk mean nothing to an instance, and one is other each time.
    return _write(task, options, append=_without(options, lambda name: name.startswith("ipa-")))


def _write_ramdisk(task: Any, ramdisk_params: dict[str, Any]) -> str:
    """The file by which tboot starts the deploy ramdisk; its path."""
    images = pxe_utils.get_image_info(task.node)
    options = pxe_utils.build_pxe_config_options(task, images, ramdisk_params=ramdisk_params)
    return _write(
        task,
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


def _write(task: Any, options: dict[str, Any], **more: Any) -> str:
    """Has the library render the node's file, and Ironic put it where the node looks for it."""
    text = _call(
        libattest.render_boot_config,
        "pxelinux",
        kernel=options["aki_path"],
        ramdisk=options["ari_path"],
        tboot_args=CONF.libattest.tboot_args,
        complete=True,
        **more,
    )
    pxe_utils.create_pxe_config(task, {"boot_file": text}, TEMPLATE)
    return str(pxe_utils.get_pxe_config_file_path(task.node.uuid))


def _switch(node: Any, path: str) -> None:
    root_uuid = node.driver_internal_info.get("root_uuid_or_disk_id")
    if not isinstance(root_uuid, str):
        raise exception.InstanceDeployFailure(
            f"Trusted boot: the root file system's UUID of Node {node.uuid} is not known"
        )
    _call(libattest.switch_boot_config, path, INSTANCE_LABEL, root_uuid=root_uuid)


def _check(path: str, label: str) -> None:
    """Holds a finished file to what would not boot, before anything boots it.

    What the other label that starts tboot names may be fetched later.
    """
    problems = _call(
        libattest.check_boot_config,
        pathlib.Path(path),
        boot_root=CONF.pxe.tftp_root,
        format="pxelinux",
        label=label,
    )
    wrong = []
    for problem in problems:
        if _label_of(path, problem.line) not in (None, label):
            continue
        LOG.warning("Trusted boot: %s: %s", path, problem)
        if problem.severity >= libattest.Severity.FAILURE:
            wrong.append(problem)
    if wrong:
        raise exception.InstanceDeployFailure(f"Trusted boot: {path}: {one_line(wrong[0])}")


def _label_of(path: str, line: int | None) -> str | None:
    """The label that this line of a file of ours belongs to."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()[: line or 0]
    labels = [text.removeprefix("label ") for text in lines if text.startswith("label ")]
    return labels[-1] if labels else None


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return library.call(function, *args, **kwargs)
    except (libattest.Error, ValueError, OSError) as error:
        raise exception.InstanceDeployFailure(f"Trusted boot: {one_line(error)}") from error
