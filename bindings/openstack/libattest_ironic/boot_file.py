# SPDX-License-Identifier: Apache-2.0
"""A node's boot file: made by the library, checked, and put where PXELINUX looks for it.

A node that runs may boot by it at any moment: at each there is the file of before or the new one,
whole and checked. Ironic's create_pxe_config is not used: it writes over a file, and takes its
links away before it makes them again.
"""

import contextlib
import os
from typing import Any

import libattest
from ironic.common import exception, pxe_utils
from libattest_openstack import library
from libattest_openstack.words import one_line
from oslo_log import log

from .conf import CONF

LOG = log.getLogger(__name__)


def render(options: dict[str, Any], **more: Any) -> str:
    """The text, from Ironic's options. Raises InstanceDeployFailure for what may not be in one."""
    text: str = _call(
        libattest.render_boot_config,
        "pxelinux",
        kernel=options["aki_path"],
        ramdisk=options["ari_path"],
        tboot_args=CONF.libattest.tboot_args,
        complete=True,
        **more,
    )
    return text


def check(node: Any, text: str, label: str) -> None:
    """Holds a text to what would not boot. Raises InstanceDeployFailure.

    What the other label that starts tboot names may be fetched later.
    """
    problems = _call(
        libattest.check_boot_config,
        text,
        boot_root=CONF.pxe.tftp_root,
        format="pxelinux",
        label=label,
    )
    path, wrong = _path(node), []
    for problem in problems:
        if _label_of(text, problem.line) not in (None, label):
            continue
        LOG.warning("Trusted boot: %s: %s", path, problem)
        if problem.severity >= libattest.Severity.FAILURE:
            wrong.append(problem)
    if wrong:
        raise exception.InstanceDeployFailure(f"Trusted boot: {path}: {one_line(wrong[0])}")


def publish(task: Any, text: str) -> None:
    """From now on each of the node's ports boots by this text."""
    names = []
    for port in task.ports:
        # PXELINUX: ARP's hardware type, which is InfiniBand's with a client identifier, and MAC.
        kind = "20" if port.extra.get("client-id") else "01"
        names.append(f"{kind}-{port.address.replace(':', '-').lower()}")
    _call(_put, _path(task.node), text, names)


def _path(node: Any) -> str:
    return str(pxe_utils.get_pxe_config_file_path(node.uuid))


def _put(path: str, text: str, names: list[str]) -> None:
    """Runs where it may not log. Whoever makes a node's file has the node's lock."""
    links = os.path.join(CONF.pxe.tftp_root, pxe_utils.PXE_CFG_DIR_NAME)
    for folder in (os.path.dirname(path), links):
        if not os.path.isdir(folder):
            pxe_utils.ensure_tree(folder)
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if CONF.pxe.file_permission:
        os.chmod(new, CONF.pxe.file_permission)
    os.replace(new, path)
    for name in names:
        new_link = f"{path}.link"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new_link)
        os.symlink(os.path.relpath(path, links), new_link)
        os.replace(new_link, os.path.join(links, name))


def _label_of(text: str, line: int | None) -> str | None:
    """The label that this line of a text of ours belongs to."""
    before = text.splitlines()[: line or 0]
    labels = [words.removeprefix("label ") for words in before if words.startswith("label ")]
    return labels[-1] if labels else None


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return library.call(function, *args, **kwargs)
    except (libattest.Error, ValueError, OSError) as error:
        raise exception.InstanceDeployFailure(f"Trusted boot: {one_line(error)}") from error
