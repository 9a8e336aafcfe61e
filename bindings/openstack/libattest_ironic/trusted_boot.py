# SPDX-License-Identifier: Apache-2.0
"""Who asks for trusted boot, and what it needs: the rules of Ironic's own, which left it in 21.0.

An instance asks by instance_info/capabilities, which Nova fills from the flavor; a node says that
it can by properties/capabilities, which asks for nothing. driver_info/trusted_boot_ramdisk has the
deploy ramdisk started by tboot, too.
"""

import os
from typing import Any

from ironic.common import exception, utils
from ironic.drivers import utils as driver_utils
from ironic.drivers.modules import boot_mode_utils, deploy_utils
from libattest_openstack.words import one_line

from . import settings as settings_
from .conf import CONF

CAPABILITY = "trusted_boot"
VALUES = ("true", "false")

# What PXELINUX 6 fetches for mboot.c32 from [pxe]tftp_root, beside the node's boot file.
BOOT_FILES = ("ldlinux.c32", "libcom32.c32", "mboot.c32", "tboot.gz")

_INSTANCE = "instance_info['capabilities']"
_INVALID = (
    "The parameter '%(capability)s' from %(field)s has an invalid value: '%(value)s'. Acceptable "
    "values are: %(valid_values)s."
)
_WRONG_BOOT = (
    "Trusted boot is only supported in BIOS boot mode with netboot and without whole_disk_image, "
    "but Node %(node_uuid)s was configured with boot_mode: %(boot_mode)s, boot_option: "
    "%(boot_option)s, is_whole_disk_image: %(is_whole_disk_image)s: at least one of them is wrong, "
    "and this can be caused by enable secure boot."
)


def check_capabilities(node: Any) -> None:
    """Raises InvalidParameterValue for capabilities that can not be understood."""
    declared = _declared(node)
    if declared is not None:
        _check_value(declared, "properties/capabilities")
    capabilities = utils.parse_instance_info_capabilities(node)
    if CAPABILITY not in capabilities:
        return
    _check_value(capabilities[CAPABILITY], _INSTANCE)
    for name in ("secure_boot", "boot_mode", "boot_option"):
        if not isinstance(capabilities.get(name, ""), str):
            raise exception.InvalidParameterValue(
                f"The parameter '{name}' from {_INSTANCE} is not a text: "
                f"{one_line(repr(capabilities[name]), 60)}"
            )


def requested(node: Any) -> bool:
    """Whether the instance is to be booted by tboot. Raises InvalidParameterValue.

    A text that is neither true nor false asks for nothing; check_capabilities() refuses it.
    """
    value = utils.parse_instance_info_capabilities(node).get(CAPABILITY, "")
    if not isinstance(value, str):
        _check_value(value, _INSTANCE)
    return bool(value.lower() == "true")


def ramdisk_requested(node: Any) -> bool:
    """Whether the deploy ramdisk is to be booted by tboot."""
    return settings_.read(node.driver_info)[0].launch.ramdisk


def check_instance(task: Any) -> None:
    """Raises InvalidParameterValue unless the instance's boot is one that tboot can measure.

    Of capabilities that check_capabilities() has let through.
    """
    node = task.node
    if deploy_utils.is_iscsi_boot(task) or not task.driver.storage.should_write_image(task):
        raise exception.InvalidParameterValue(
            f"Trusted boot is only supported from an image on the node's disk, but Node "
            f"{node.uuid} boots from a volume."
        )
    mode, option = _boot_mode(node), _boot_option(node)
    whole_disk = node.driver_internal_info.get("is_whole_disk_image")
    if mode != "bios" or option != "netboot" or whole_disk:
        raise exception.InvalidParameterValue(
            _WRONG_BOOT
            % {
                "node_uuid": node.uuid,
                "boot_mode": mode,
                "boot_option": option,
                "is_whole_disk_image": whole_disk,
            }
        )


def check_ramdisk(node: Any) -> None:
    """Raises InvalidParameterValue unless tboot can start the node's deploy ramdisk."""
    mode = boot_mode_utils.get_boot_mode(node)
    if mode != "bios":
        raise exception.InvalidParameterValue(
            f"driver_info/trusted_boot_ramdisk needs boot mode bios, and Node {node.uuid} has "
            f"{mode}: set boot_mode:bios in properties/capabilities"
        )


def check_boot_files(node: Any) -> None:
    """Raises MissingParameterValue with the boot files that this conductor lacks."""
    root = CONF.pxe.tftp_root
    arch, by_arch = node.properties.get("cpu_arch"), CONF.pxe.pxe_bootfile_name_by_arch
    # As Ironic looks it up: older releases know no key with a boot mode.
    boot_file = by_arch.get(f"{arch}-bios") or by_arch.get(arch) or CONF.pxe.pxe_bootfile_name
    names = (boot_file, *BOOT_FILES)
    missing = [name for name in names if not os.path.isfile(os.path.join(root, name))]
    if missing:
        raise exception.MissingParameterValue(
            f"Trusted boot: conductor {CONF.host} lacks {', '.join(missing)} in [pxe]tftp_root "
            f"({root})"
        )


def normalise(node: Any) -> None:
    """Writes the request down as Ironic itself reads it: lower case, and with its boot mode.

    Ironic takes the boot mode of a node that names none from its default, uefi. instance_info ends
    with the instance, so no later one inherits it.
    """
    capabilities = utils.parse_instance_info_capabilities(node)
    wanted = {**capabilities, CAPABILITY: "true", "boot_mode": "bios"}
    if node.instance_info.get("capabilities") != wanted:
        node.set_instance_info("capabilities", wanted)
        node.save()


def _declared(node: Any) -> Any:
    """What properties/capabilities says of trusted boot; None for nothing."""
    stated = node.properties.get("capabilities")
    if not stated:
        return None
    if isinstance(stated, str):
        pairs = [pair.split(":") for pair in stated.split(",") if CAPABILITY in pair]
        if all(len(pair) == 2 and pair[0].strip() == CAPABILITY for pair in pairs):
            return driver_utils.get_node_capability(node, CAPABILITY)
    raise exception.InvalidParameterValue(
        "properties/capabilities is a text of the form 'trusted_boot:true,boot_mode:bios', not "
        f"{one_line(repr(stated), 100)}"
    )


def _check_value(value: Any, field: str) -> None:
    if isinstance(value, str) and value.lower() in ("", *VALUES):
        return
    raise exception.InvalidParameterValue(
        _INVALID
        % {
            "capability": CAPABILITY,
            "field": field,
            "value": one_line(value if isinstance(value, str) else repr(value), 60),
            "valid_values": ", ".join(VALUES),
        }
        + ("" if isinstance(value, str) else f" It must be a text, not {type(value).__name__}.")
    )


def _boot_mode(node: Any) -> str:
    """What the node would boot in: secure boot wins, then what is said anywhere, then bios."""
    if boot_mode_utils.is_secure_boot_requested(node):
        return "uefi"
    stated = (
        utils.parse_instance_info_capabilities(node).get("boot_mode"),
        node.instance_info.get("deploy_boot_mode"),
        driver_utils.get_node_capability(node, "boot_mode"),
    )
    others = [str(mode) for mode in stated if mode and mode != "bios"]
    return others[0] if others else "bios"


def _boot_option(node: Any) -> str:
    """Ironic has no netboot any more: what it would boot locally is netbooted here."""
    option: str = deploy_utils.get_boot_option(node)
    stated = utils.parse_instance_info_capabilities(node).get("boot_option")
    return stated or ("netboot" if option == "local" else option)
